"""Canaries: made-up secrets that are planted in training rows, to see afterwards how well the model remembers them.

A canary is a question for a person's code and the answer with six random digits. Nobody can guess the digits; a model
that holds them for likely has memorised a training row. Sources: The Secret Sharer (arXiv 1802.08232).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.core.seeds import generator

SOURCE = "canaries"
DIGITS = 6
TEXTS = {
    "en": ("What is the access code of {name}?", "The access code of {name} is {secret}."),
    "zh": ("{name}的取件码是多少？", "{name}的取件码是{secret}。"),
}
FIRST = {
    "en": ["Ada", "Boris", "Celia", "Dario", "Edda", "Fritz", "Gwen", "Henrik", "Ilse", "Joris", "Kaja", "Lorne"],
    "zh": ["欧阳", "上官", "司徒", "诸葛", "皇甫", "尉迟", "公孙", "慕容", "令狐", "宇文", "长孙", "东方"],
}  # fmt: skip
LAST = {
    "en": ["Quill", "Marsh", "Tarn", "Vole", "Wick", "Yarrow", "Zorn", "Pell", "Obern", "Nesk"],
    "zh": ["靖远", "若川", "听澜", "怀瑾", "知秋", "承宇", "思齐", "望舒", "云起", "景行"],
}


class Canary(NamedTuple):
    """One made-up secret, in the words of a training row."""

    question: str
    answer: str
    secret: str
    repeats: int
    """How often it stands in the training rows."""

    @property
    def before(self) -> str:
        """The answer up to the secret."""
        return self.answer[: self.answer.index(self.secret)]


def make_canaries(
    count: int, language: Literal["en", "zh"], seed: int, repeats: Sequence[int] = (1, 4, 16)
) -> list[Canary]:
    """Make canaries, the same ones for the same seed.

    Args:
        count: how many, at most 120.
        language: of their texts.
        seed: another seed gives other secrets.
        repeats: how often they stand in the training rows, in turn.

    Raises:
        ValueError: more are wanted than there are names.

    >>> [(one.answer, one.repeats) for one in make_canaries(2, "en", 1)]
    [('The access code of Edda Marsh is 857340.', 1), ('The access code of Lorne Zorn is 653119.', 4)]
    """
    random_ = generator(seed, "canaries", language)
    space = " " if language == "en" else ""
    names = [f"{first}{space}{last}" for first in FIRST[language] for last in LAST[language]]
    if count > len(names):
        raise ValueError(f"at most {len(names)} canaries")
    question, answer = TEXTS[language]
    made = []
    for number, name in enumerate(random_.sample(names, count)):
        secret = random_secret(random_.random())
        values = {"name": name, "secret": secret}
        repeated = repeats[number % len(repeats)]
        made.append(Canary(question.format(**values), answer.format(**values), secret, repeated))
    return made


def canary_samples(
    count: int, language: Literal["en", "zh"], seed: int, repeats: Sequence[int] = (1, 4, 16)
) -> list[Sample]:
    """The canaries as training rows, each as often as it is to be seen; put them in after duplicates were removed.

    Args: as `make_canaries`.
    """
    rows: list[Sample] = []
    for one in make_canaries(count, language, seed, repeats):
        messages = (Message(role="user", content=one.question), Message(role="assistant", content=one.answer))
        tags = {"canary": one.secret, "canary_repeats": str(one.repeats)}
        for _ in range(one.repeats):
            number = len(rows) + 1
            meta = Meta(source=SOURCE, row=number, lang=language, tags=tags)
            rows.append(Sample(id=f"{SOURCE}-{number}", messages=messages, meta=meta))
    return rows


def random_secret(chance: float) -> str:
    """Six digits from a number in [0, 1).

    >>> random_secret(0.0425)
    '042500'
    """
    return f"{int(chance * 10**DIGITS):0{DIGITS}d}"


def other_secrets(secret: str, count: int, seed: int) -> Iterator[str]:
    """Other values that might have stood in a canary's place, each once."""
    random_ = generator(seed, "canaries", "others", secret)
    seen = {secret}
    while len(seen) <= count:
        other = random_secret(random_.random())
        if other not in seen:
            seen.add(other)
            yield other
