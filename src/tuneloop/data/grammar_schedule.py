"""What each row of a grammar's stream will be, before anything is written: its split, its kind and its intent.

Kinds come in shuffled blocks and intents in shuffled rounds, so that every part of the stream has the same mixture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from tuneloop.core.records import Split
from tuneloop.core.seeds import generator
from tuneloop.data.grammar_file import Grammar

Item = TypeVar("Item")
Form = Literal["single", "refusal", "clarify", "asked", "followed", "followed_asked"]

FORMS: dict[Form, int] = {
    "single": 31,  # question, answer
    "refusal": 2,  # question, refusal: 5%
    "clarify": 1,  # question without a slot, the assistant's question: 2.5%
    "asked": 4,  # the same with the user's reply and the answer; with the next two: 15%
    "followed": 1,  # question, answer, another question, its answer
    "followed_asked": 1,  # question, answer, another question without a slot, the assistant's question, reply, answer
}
"""How many of 40 rows have which form."""

PLACES: tuple[Split, ...] = (
    "train",
    "train",
    "train",
    "test",
    "train",
    "train",
    "train",
    "validation",
    "train",
    "train",
)
"""The splits of ten rows in turn."""

UNSEEN = 6
"""One in six test rows has an intent that only the test split has."""


@dataclass(frozen=True, slots=True)
class Task:
    """One row to write."""

    split: Split
    kind: Literal["answer", "refusal", "clarify"]
    intent: str
    """The intent of the last answer, or the name of a refusal."""
    unclear: bool = False
    """The user leaves a slot out, and the assistant asks for it."""
    before: str | None = None
    """An intent that is asked and answered before, in the same conversation."""


def schedule(grammar: Grammar, rows: int, seed: int) -> Iterator[Task]:
    """Plan the rows of a stream; the first n tasks are the same for every number of rows above n."""
    planners = {split: _Planner(grammar, split, seed) for split in ("train", "validation", "test")}
    for row in range(rows):
        yield planners[PLACES[row % len(PLACES)]].next()


class _Planner:
    """Plans the rows of one split."""

    def __init__(self, grammar: Grammar, split: Split, seed: int) -> None:
        self.grammar = grammar
        self.split = split
        seen = [name for name, intent in grammar.intents.items() if intent.seen]
        unseen = [name for name, intent in grammar.intents.items() if not intent.seen]
        forms = [form for form, count in FORMS.items() for _ in range(count)]
        own = (grammar.source, split)
        self.forms = _rounds(forms, seed, *own, "forms")
        self.seen = _rounds(seen, seed, *own, "seen")
        self.before = _rounds(seen, seed, *own, "before") if len(seen) > 1 else None
        self.unseen = _rounds(unseen, seed, *own, "unseen") if unseen and split == "test" else None
        self.is_unseen = _rounds([True] + [False] * (UNSEEN - 1), seed, *own, "is_unseen")
        self.refusals = _rounds(list(grammar.refusals), seed, *own, "refusals") if grammar.refusals else None

    def next(self) -> Task:
        form = next(self.forms)
        if self.unseen and next(self.is_unseen):
            return self._task(next(self.unseen), form)
        if form == "refusal" and self.refusals:
            return Task(self.split, "refusal", next(self.refusals))
        return self._task(next(self.seen), form)

    def _task(self, intent: str, form: Form) -> Task:
        """Fit a form to an intent: where nothing can be left out, another question comes before."""
        can_ask = self.grammar.intents[intent].clarify is not None
        if form == "clarify" and can_ask:
            return Task(self.split, "clarify", intent, unclear=True)
        if form in ("single", "refusal", "clarify"):
            return Task(self.split, "answer", intent)
        unclear = can_ask and form != "followed"
        if form == "asked" and can_ask:
            return Task(self.split, "answer", intent, unclear=True)
        before = next((name for name in self.before if name != intent), None) if self.before else None
        return Task(self.split, "answer", intent, unclear=unclear, before=before)


def _rounds(items: Sequence[Item], seed: int, *names: str) -> Iterator[Item]:
    """Yield the items without end, in rounds of all of them, each round in an order of its own."""
    number = 0
    while items:
        order = list(items)
        generator(seed, *names, str(number)).shuffle(order)
        yield from order
        number += 1
