"""Augmentation, from top to bottom: choose training questions, vary them, check the variants, hand on what is left.

The question is varied, never the answer: people ask one thing in many ways, which is what a small data set lacks, while the
house has one way to answer it, which the model is to learn to the letter. A variant has its parent's answer, so all that the
answer repeats (numbers, names, slots) must survive in the question; `checks.py` refuses the others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from tuneloop.core.hashing import hash_value
from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Sample
from tuneloop.core.seeds import generator
from tuneloop.data.augment.augmenters import AUGMENTERS, Augmenter, Question, Setting
from tuneloop.data.augment.checks import Pair, why_refused
from tuneloop.data.augment.config import AugmentConfig
from tuneloop.data.augment.protect import protect
from tuneloop.text.normalise import digest, question_key

AUGMENTED = "augmented"
"""Tag of a variant: the way in which it was made."""
PARENT = "parent"
"""Tag of a variant: the id of the sample it was made from."""

UNFIT = frozenset({"advertising", "masks", "profanity", "too_long", "wrong_language"})
"""Flags of the cleaning rules (tag `flags`) with which a sample is no parent: what a person should look at is not multiplied."""

CHUNK = 64
"""Samples that are looked at together, so that translators and servers get batches."""
SHORT = 0.8
"""Share of the wanted variants below which the reader is told."""
PATIENCE = 4.0
"""Tries for each variant that is wanted, before a way gives up reaching its share."""


Taken = Callable[[str, str], bool]
"""Gets a variant and the question that it was made from."""


@dataclass(slots=True)
class Made:
    """What one way made of the training questions."""

    tried: int = 0
    added: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Reasons: the name of a check, `nothing` (no synonym, or a value was lost in translation) or `taken`."""


@dataclass(slots=True)
class _Way:
    """One augmenter at work: it earns credit with every sample it sees, and pays for every variant."""

    name: str
    share: float
    vary: Augmenter
    made: Made
    credit: float = 0.0
    seen: int = 0

    def sees(self) -> None:
        self.credit += self.share
        self.seen += 1

    def may_try(self) -> bool:
        return self.made.tried < PATIENCE * self.share * self.seen + CHUNK


@dataclass(slots=True)
class _Caps:
    """How many rows of each source were seen, and how many variants of them were made."""

    limit: float
    seen: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)

    def allows(self, source: str, planned: int) -> bool:
        return self.added[source] + planned < self.limit * self.seen[source]


def augment(
    samples: Iterable[Sample],
    config: AugmentConfig,
    *,
    language: str,
    seed: int,
    folder: Path = Path(),
    taken: Taken = lambda variant, question: False,
    made: dict[str, Made] | None = None,
    progress: Progress = SILENT,
) -> Iterator[Sample]:
    """Make variants of training samples; only the variants are handed on.

    The same samples in the same order, recipe and seed give the same variants (those of a server hang on the server).

    Args:
        samples: the training split, read once from front to back.
        config: the recipe's `data.augment`.
        language: language of the data, `en` or `zh`.
        seed: the recipe's seed.
        folder: folder that relative paths start from.
        taken: gets a variant and its question, and says whether the dataset asks the variant already: it would leak from a
            test question, or contradict another sample.
        made: filled with the counts of each way.
        progress: gets a note when a way falls short of its share.
    Raises:
        DataError, TryAgainError, NotAllowedError: what the ways of `AUGMENTERS` raise.
    """
    setting = Setting(config, language, folder, seed)
    counts = {} if made is None else made
    ways = []
    for name, share in config.wanted.items():
        counts[name] = Made()
        ways.append(_Way(name, share, AUGMENTERS[name](setting), counts[name]))
    caps = _Caps(config.max_per_source)
    fresh: set[str] = set()
    rows = iter(samples)
    while chunk := list(islice(rows, CHUNK)):
        caps.seen.update(sample.meta.source for sample in chunk)
        for way in ways:
            yield from _vary(way, chunk, setting, caps, taken, fresh)
    for way in ways:
        wanted = round(way.share * way.seen)
        if way.made.added < SHORT * wanted:
            told = {"way": text(f"data.report.augment_{way.name}"), "added": way.made.added, "wanted": wanted}
            progress.note(text("data.augment_short", **told))


def files_of(config: AugmentConfig, folder: Path) -> dict[str, Path]:
    """Files beside the recipe that decide the variants, by a name that is the same on every machine; missing ones are left out."""
    named: dict[str, str | None] = {}
    if config.synonym and config.synonyms:
        named["synonyms"] = config.synonyms
        named |= {f"synonyms:{part}": f"{config.synonyms}/{part}" for part in ("data.noun", "dict/data.noun")}
    if config.back_translation and config.translator.backend == "ctranslate2":
        named["translator:there"] = f"{config.translator.there}/model.bin"
        named["translator:back"] = f"{config.translator.back}/model.bin"
    paths = {name: folder / Path(path).expanduser() for name, path in named.items() if path}
    return {f"augment:{name}": path for name, path in paths.items() if path.is_file()}


def _vary(
    way: _Way, chunk: Sequence[Sample], setting: Setting, caps: _Caps, taken: Taken, fresh: set[str]
) -> Iterator[Sample]:
    """Let one way vary the samples of a chunk that its credit pays for."""
    chosen = _choose(way, chunk, setting, caps)
    random_ = [generator(setting.seed, "augment", way.name, sample.id) for sample in chosen]
    known = [_known_values(sample) for sample in chosen]
    questions = [
        Question(protect(sample.question, setting.language, values), chance)
        for sample, values, chance in zip(chosen, known, random_, strict=True)
    ]
    variants = way.vary(questions) if questions else []
    for sample, values, variant in zip(chosen, known, variants, strict=True):
        way.made.tried += 1
        reason = (
            "nothing"
            if variant is None
            else _refused(way.name, sample, variant, values, setting.language, taken, fresh)
        )
        if variant is None or reason is not None:
            way.credit += 1.0  # the next sample may earn it
            way.made.dropped[reason or "nothing"] += 1
            continue
        way.made.added += 1
        caps.added[sample.meta.source] += 1
        fresh.add(digest(question_key(variant)))
        yield _variant(sample, way.name, variant)


def _choose(way: _Way, chunk: Sequence[Sample], setting: Setting, caps: _Caps) -> list[Sample]:
    """The samples of a chunk that a way tries, drawn so that over the whole split the share is met."""
    random_ = generator(setting.seed, "augment", way.name, chunk[0].id)
    for _ in chunk:
        way.sees()
    wanted = int(way.credit + random_.random())
    chosen: list[Sample] = []
    planned: defaultdict[str, int] = defaultdict(int)
    for sample in random_.sample(list(chunk), len(chunk)):
        source = sample.meta.source
        if len(chosen) == wanted or not way.may_try():
            break
        if _is_fit(sample) and caps.allows(source, planned[source]):
            planned[source] += 1
            chosen.append(sample)
    way.credit -= len(chosen)
    places = {sample.id: place for place, sample in enumerate(chunk)}
    return sorted(chosen, key=lambda sample: places[sample.id])


def _is_fit(sample: Sample) -> bool:
    return bool(sample.question) and UNFIT.isdisjoint(sample.meta.tags.get("flags", "").split(","))


def _refused(
    way: str, sample: Sample, variant: str, known: Sequence[str], language: str, taken: Taken, fresh: set[str]
) -> str | None:
    """Why a variant can't be used; None when it can."""
    question = sample.question
    if reason := why_refused(Pair(question, variant, language, known), way):
        return reason
    key = question_key(variant)
    if key == question_key(question):  # only case, width or punctuation differ: it asks what its parent asks
        return None if way == "noise" else "same"
    return "taken" if digest(key) in fresh or taken(variant, question) else None


def _known_values(sample: Sample) -> tuple[str, ...]:
    """Tags whose value stands in the question, word for word."""
    question = sample.question
    return tuple(value for value in sample.meta.tags.values() if len(value) > 1 and value in question)


def _variant(sample: Sample, way: str, question: str) -> Sample:
    """A copy of a sample with another last question, which names its origin."""
    last = max(place for place, message in enumerate(sample.prompt) if message.role == "user")
    messages = list(sample.messages)
    messages[last] = messages[last].model_copy(update={"content": question})
    tags = {**sample.meta.tags, AUGMENTED: way, PARENT: sample.id}
    return sample.model_copy(
        update={
            "id": hash_value([sample.id, way, question])[:16],
            "messages": tuple(messages),
            "meta": sample.meta.model_copy(update={"tags": tags}),
        }
    )
