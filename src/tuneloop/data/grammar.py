"""Samples of a made-up domain, from a grammar and a seed: as many as wanted, the same ones every time.

A row of the stream is decided by the seed and the rows before it alone, so the first 300 rows of 3,000 are the dataset
of 300. Of every ten rows one is test and one validation. What the test split says was never trained on: its wordings
and its slot values are kept apart (see `grammar_text.pools`), and a sixth of it are intents that only it has. This file
must not know the script: the script judges these answers as it judges any other.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tuneloop.core.errors import DataError
from tuneloop.core.hashing import hash_value
from tuneloop.core.records import Message, Meta, Sample, Split
from tuneloop.core.seeds import generator
from tuneloop.data.grammar_file import DataLanguage, Grammar, load_grammar
from tuneloop.data.grammar_noise import casual, with_typo
from tuneloop.data.grammar_schedule import Task, schedule
from tuneloop.data.grammar_text import Piece, expand, fill, fill_digits, is_test_value, joined, pools

ATTEMPTS = 200
"""How often a row is drawn anew when the stream already has its text."""


@dataclass(frozen=True, slots=True)
class _Conversation:
    messages: tuple[Message, ...]
    values: dict[str, str]
    typo: bool

    @property
    def key(self) -> str:
        """The whole text without case, spaces and punctuation: two conversations of one key are duplicates."""
        return _bare("\n".join(message.content for message in self.messages))

    @property
    def question(self) -> str:
        return _bare(self.messages[-2].content)


@dataclass(slots=True)
class _Author:
    """Writes conversations of one grammar for one split."""

    grammar: Grammar
    test: bool
    random_: random.Random
    must_misspell: bool = False
    typo: bool = field(default=False, init=False)

    def pick(self, owner: str, texts: tuple[str, ...], *, all_of: bool = False) -> str:
        """Choose one of the texts that this split may use, and expand it."""
        train, test = pools(owner, texts)
        return expand(self.random_.choice(texts if all_of else test if self.test else train), self.random_)

    def value(self, name: str) -> str:
        """Make a value of a slot that this split may use."""
        slot = self.grammar.slots[name]
        if slot.values:
            return self.pick(f"slot.{name}", slot.values)
        for _ in range(ATTEMPTS):
            pattern = expand(self.random_.choice(slot.pattern), self.random_)
            value = fill_digits(pattern, self.random_, code=slot.code)
            if is_test_value(name, value) == self.test:
                return value
        raise DataError("data.grammar_exhausted", name=self.grammar.source, what=f"{{{name}}}")

    def values(self, intent: str) -> dict[str, str]:
        return {name: self.value(name) for name in self.grammar.intents[intent].slots}

    def user(self, pieces: tuple[Piece, ...], *, first: bool = True, reply: bool = False) -> Message:
        """A user's turn, with the politeness and the mistakes of real ones."""
        grammar, random_ = self.grammar, self.random_
        if not reply:
            starts = grammar.greetings if first else grammar.followups
            if starts and random_.random() < (grammar.greetings_share if first else 0.7):
                pieces = _with_start(random_.choice(starts), pieces, grammar.language)
            if grammar.thanks and random_.random() < grammar.thanks_share:
                pieces = _with_end(pieces, random_.choice(grammar.thanks), grammar.language)
        if random_.random() < grammar.casual.share:
            pieces = casual(pieces)
        if self.must_misspell and not self.typo:
            wrong = with_typo(pieces, random_, grammar.homophones)
            self.typo = wrong != pieces
            pieces = wrong
        return Message(role="user", content=joined(pieces))

    def assistant(self, *parts: str) -> Message:
        return Message(role="assistant", content=self.grammar.common.joiner.join(parts))

    def question(self, intent: str, values: dict[str, str], *, first: bool = True) -> Message:
        """A question that holds everything the answer needs."""
        entry = self.grammar.intents[intent]
        wording = self.pick(f"{intent}.wordings", entry.wordings, all_of=not entry.seen)
        return self.user(fill(wording, values), first=first)

    def answer(self, intent: str, values: dict[str, str]) -> Message:
        """The house's answer: opening, steps, notice if it is risky, closing."""
        entry, common = self.grammar.intents[intent], self.grammar.common
        points = [joined(fill(point.text, values)) for point in entry.points]
        notice = [entry.notice] if entry.notice else []
        return self.assistant(common.opening, *points, *notice, common.closing)

    def unclear(self, intent: str, values: dict[str, str], *, first: bool = True) -> tuple[Message, Message]:
        """A question that leaves a slot out, and the assistant's question for it."""
        entry = self.grammar.intents[intent]
        assert entry.clarify is not None
        wording = self.pick(f"{intent}.clarify", entry.clarify.wordings, all_of=not entry.seen)
        question = self.user(fill(wording, values), first=first)
        return question, self.assistant(self.grammar.common.opening, entry.clarify.ask)

    def reply(self, intent: str, values: dict[str, str]) -> Message:
        """The user names what was left out."""
        entry = self.grammar.intents[intent]
        assert entry.clarify is not None
        wording = self.pick(f"{intent}.replies", entry.clarify.replies, all_of=not entry.seen)
        return self.user(fill(wording, values), reply=True)

    def conversation(self, task: Task) -> _Conversation:
        """Write the whole conversation of a task."""
        messages: list[Message] = []
        if task.before is not None:
            before = self.values(task.before)
            messages += [self.question(task.before, before), self.answer(task.before, before)]
        if task.kind == "refusal":
            messages += self._refusal(task.intent)
            return _Conversation(tuple(messages), {}, self.typo)
        values = self.values(task.intent)
        first = task.before is None
        if task.unclear:
            messages += self.unclear(task.intent, values, first=first)
            if task.kind == "answer":
                messages += [self.reply(task.intent, values), self.answer(task.intent, values)]
        else:
            messages += [self.question(task.intent, values, first=first), self.answer(task.intent, values)]
        return _Conversation(tuple(messages), values, self.typo)

    def _refusal(self, name: str) -> list[Message]:
        refusal, common = self.grammar.refusals[name], self.grammar.common
        wording = self.pick(f"refusals.{name}", refusal.wordings)
        return [self.user(fill(wording, {})), self.assistant(common.opening, refusal.answer, common.closing)]


def make_samples(name: str, language: DataLanguage, rows: int, seed: int) -> Iterator[tuple[Sample, Split]]:
    """Make samples with a built-in grammar.

    Args:
        name: name of the grammar, for example `bank-service`.
        language: language of the samples.
        rows: how many samples; about 10% of them are test and 10% validation.
        seed: other seeds give other samples with the same division of wordings and values.

    Yields:
        Every sample with its split. Tags: `intent`, `kind` (answer, refusal or clarify: a sample that ends in the
        assistant's question), `seen` (no: the intent is only in the test split), `turns` (assistant turns), `typo`,
        and `slot.<name>` for every value that the last answer needs.

    Raises:
        DataError: there is no such grammar, it is wrong, or it has not enough to say for so many rows (code
            `data.grammar_exhausted`).
    """
    yield from samples_of(load_grammar(name, language), rows, seed)


def samples_of(grammar: Grammar, rows: int, seed: int) -> Iterator[tuple[Sample, Split]]:
    """Make samples with a grammar that was read already; see `make_samples`."""
    conversations: set[str] = set()
    questions: dict[str, Split] = {}
    for row, task in enumerate(schedule(grammar, rows, seed), start=1):
        conversation = _new_conversation(grammar, task, seed, row, conversations, questions)
        conversations.add(conversation.key)
        questions[conversation.question] = task.split
        yield _sample(grammar, task, conversation, seed, row), task.split


def _new_conversation(
    grammar: Grammar, task: Task, seed: int, row: int, conversations: set[str], questions: dict[str, Split]
) -> _Conversation:
    """Write a conversation that the stream does not have, whose question no other split has."""
    # Decided once a row: rows that are drawn again must not have typos more often.
    wants_typo = generator(seed, grammar.source, str(row), "typo").random() < grammar.typos.share
    for attempt in range(ATTEMPTS):
        random_ = generator(seed, grammar.source, str(row), str(attempt))
        # A short wording without slots is soon used up; a typo makes it new.
        author = _Author(grammar, task.split == "test", random_, wants_typo or attempt > ATTEMPTS // 4)
        conversation = author.conversation(task)
        new = conversation.key not in conversations
        if new and questions.get(conversation.question, task.split) == task.split:
            return conversation
    raise DataError("data.grammar_exhausted", name=grammar.source, what=task.intent)


def _sample(grammar: Grammar, task: Task, conversation: _Conversation, seed: int, row: int) -> Sample:
    seen = task.kind == "refusal" or grammar.intents[task.intent].seen
    tags = {
        "intent": task.intent,
        "kind": task.kind,
        "seen": "yes" if seen else "no",
        "turns": str(sum(message.role == "assistant" for message in conversation.messages)),
        "typo": "yes" if conversation.typo else "no",
    }
    if task.kind == "answer":
        tags |= {f"slot.{name}": value for name, value in conversation.values.items()}
    return Sample(
        id=hash_value([grammar.source, seed, row])[:16],
        messages=conversation.messages,
        meta=Meta(source=grammar.source, row=row, lang=grammar.language, tags=tags),
    )


def _with_start(start: str, pieces: tuple[Piece, ...], language: DataLanguage) -> tuple[Piece, ...]:
    """Put a greeting before a text: `Hi,` before `My card …` makes `Hi, my card …`."""
    if language == "zh":
        return (Piece(start), *pieces)
    head = pieces[0]
    goes_on = not start.endswith((".", "!", "?"))
    keeps_capital = re.match(r"(I|[A-Z]{2,})\b", head.text)
    if goes_on and not head.is_value and not keeps_capital:
        head = Piece(head.text[0].lower() + head.text[1:])
    return (Piece(f"{start} "), head, *pieces[1:])


def _with_end(pieces: tuple[Piece, ...], end: str, language: DataLanguage) -> tuple[Piece, ...]:
    """Put a thank-you after a text, as a sentence of its own where the text ends in a full stop."""
    finished = pieces[-1].text.endswith((".", "!", "?", "。", "！", "？", "~", "…"))
    if language == "zh":
        return (*pieces, Piece(end if finished else f"，{end}"))
    return (*pieces, Piece(f" {end}" if finished else f", {end[0].lower()}{end[1:]}"))


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
