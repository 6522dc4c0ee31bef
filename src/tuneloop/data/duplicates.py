"""Which samples are the same, and which ask the same question."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tuneloop.core.records import Message, Sample, Split
from tuneloop.text.normalise import digest, question_key, text_key

PRIORITY: dict[Split | None, int] = {"test": 0, "validation": 1, "train": 2, None: 3}
"""Which side keeps a sample or a question that stands on several: the test side first, what is undivided last."""

COMMON_OPENING = 0.1
"""Share of all samples above which a first turn ("Hi") is an opening, not the question of a dialogue."""


def sample_key(sample: Sample) -> str:
    """Key of the whole text, with the roles."""
    return digest(*(part for message in sample.messages for part in (message.role, text_key(message.content))))


def prompt_key(sample: Sample) -> str:
    """Key of everything before the last answer, but for a system message."""
    spoken = [message for message in sample.prompt if message.role != "system"]
    return digest(*(part for message in spoken for part in (message.role, question_key(message.content))))


def find_duplicates(keys: Sequence[str], own: Sequence[Split | None]) -> dict[int, int]:
    """Find samples whose whole text another one has.

    Args:
        keys: `sample_key` of each sample.
        own: the side that each sample's source puts it on; the test side's copy is the one that stays.
    Returns:
        Position of each duplicate, and the position of the sample that stays.

    >>> find_duplicates(["a", "b", "a"], ["train", None, "test"])
    {0: 2}
    """
    stays: dict[str, int] = {}
    for position, key in enumerate(keys):
        if key not in stays or PRIORITY[own[position]] < PRIORITY[own[stays[key]]]:
            stays[key] = position
    return {position: stays[key] for position, key in enumerate(keys) if stays[key] != position}


def group_samples(samples: Sequence[Sample], group_by: str | None = None) -> list[str]:
    """Name the group of each sample: samples of one group must stay on one side.

    One group are samples with the same first question, and those with the same value of the tag `group_by`. A dialogue
    contains the answers to its earlier turns, which is why the first question counts, not only the last one; a
    greeting that opens many dialogues is no question, and then the whole prompt counts.
    """
    openings = [_opening_key(sample) for sample in samples]
    often = Counter(openings)
    limit = max(20.0, COMMON_OPENING * len(samples))
    questions = [
        opening if often[opening] <= limit or _turns(sample) == 1 else prompt_key(sample)
        for sample, opening in zip(samples, openings, strict=True)
    ]
    if group_by is None:
        return questions
    return _joined(questions, [sample.meta.tags.get(group_by) for sample in samples])


def contradictions(samples: Sequence[Sample]) -> list[list[int]]:
    """Positions of samples that have the same prompt but different answers, one list a question."""
    by_prompt: defaultdict[str, list[int]] = defaultdict(list)
    for position, sample in enumerate(samples):
        by_prompt[prompt_key(sample)].append(position)
    return [
        positions
        for positions in by_prompt.values()
        if len(positions) > 1 and len({text_key(samples[position].answer) for position in positions}) > 1
    ]


def _opening_key(sample: Sample) -> str:
    first: Message | None = next((message for message in sample.messages if message.role == "user"), None)
    return digest(question_key(first.content if first else ""))


def _turns(sample: Sample) -> int:
    return sum(message.role == "user" for message in sample.messages)


def _joined(questions: Sequence[str], values: Sequence[str | None]) -> list[str]:
    """Join groups that share a question or a value (union-find); the name is the smallest question of the group."""
    parent: dict[str, str] = {question: question for question in questions}

    def root(question: str) -> str:
        while parent[question] != question:
            parent[question] = parent[parent[question]]
            question = parent[question]
        return question

    owner: dict[str, str] = {}
    for question, value in zip(questions, values, strict=True):
        if value is None:
            continue
        one, other = root(question), root(owner.setdefault(value, question))
        parent[max(one, other)] = min(one, other)
    return [root(question) for question in questions]
