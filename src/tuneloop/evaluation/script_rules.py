"""The kinds of rules that a script is made of: each a function that looks at one answer and names what is wrong.

Pure: no files, no models. To add a kind, write a function, put it into `RULES` with the fields it reads, give it a line
for the system prompt in `script_prompt.py`, and a sample that breaks it in `tests/contracts/test_script_rules.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from tuneloop.core.messages import text
from tuneloop.core.records import Sample
from tuneloop.evaluation.script_facts import FACTS, Fact, numbers, shape, spelled_numbers
from tuneloop.evaluation.script_file import IntentRules, Rule, Script

LONGEST_ANSWER = 20_000
"""Characters of an answer that the patterns look at, so that no pattern keeps an evaluation busy for long."""

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n+")
LOOP = re.compile(r"(.{4,120}?)\1{2,}", re.DOTALL)
HAN = r"\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+(?:['’\-][^\W_{HAN}]+)*")


class Fault(NamedTuple):
    """What is wrong, in words, and the text that shows it (empty when something is missing)."""

    reason: str
    span: str = ""


@dataclass(frozen=True)
class Case:
    """One answer to judge, with everything that a rule may look at."""

    script: Script
    sample: Sample
    answer: str

    @property
    def kind(self) -> str:
        return self.sample.meta.tags.get("kind", "answer")

    @cached_property
    def intent(self) -> IntentRules | None:
        return self.script.intents.get(self.sample.meta.tags.get("intent", ""))

    @cached_property
    def scanned(self) -> str:
        return self.answer[:LONGEST_ANSWER]

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        return tuple(part.strip() for part in SENTENCE_END.split(self.scanned) if part and part.strip())

    @cached_property
    def conversation(self) -> str:
        return "\n".join(message.content for message in self.sample.prompt)

    @cached_property
    def slots(self) -> dict[str, str]:
        """The values that the answer must repeat."""
        names = self.intent.slots if self.intent and self.kind == "answer" else ()
        tags = self.sample.meta.tags
        return {name: tags[f"slot.{name}"] for name in names if f"slot.{name}" in tags}

    @cached_property
    def missing_slots(self) -> dict[str, str]:
        return {name: value for name, value in self.slots.items() if not holds_value(self.scanned, value)}


def starts_with(rule: Rule, case: Case) -> Iterator[Fault]:
    """The answer begins with one of the texts, to the letter."""
    if not case.answer.lstrip().startswith(rule.text):
        yield Fault(text("evaluation.rule_starts_with", text=rule.text[0]), case.answer.strip()[:60])


def ends_with(rule: Rule, case: Case) -> Iterator[Fault]:
    """The answer ends with one of the texts, to the letter."""
    if not case.answer.rstrip().endswith(rule.text):
        yield Fault(text("evaluation.rule_ends_with", text=rule.text[0]), case.answer.strip()[-60:])


def ordered_points(rule: Rule, case: Case) -> Iterator[Fault]:
    """The steps of the intent stand in the answer, each with all its elements, in the script's order."""
    if case.intent is None or case.kind != "answer":
        return
    start = 0
    for point in case.intent.points:
        ends = [find(element, case.scanned, start) for element in point.words]
        if all(end is not None for end in ends):
            start = max((end for end in ends if end is not None), default=start)
            continue
        lost = next(element for element, end in zip(point.words, ends, strict=True) if end is None)
        early = find(lost, case.scanned, 0) is not None
        yield Fault(text("evaluation.rule_point_order" if early else "evaluation.rule_point_missing", text=lost))


def contains_if(rule: Rule, case: Case) -> Iterator[Fault]:
    """Answers to risky intents hold the safety notice: the intent's own one, or one of the rule's."""
    if case.intent is None or case.kind != "answer" or not case.intent.risk:
        return
    notices = case.intent.notice or rule.any_of
    if not any(notice.casefold() in case.scanned.casefold() for notice in notices):
        yield Fault(text("evaluation.rule_notice_missing", text=notices[0]))


def slots_verbatim(rule: Rule, case: Case) -> Iterator[Fault]:
    """The values the customer gave stand in the answer as they were given.

    A value whose step is missing as a whole is not named again: one fault is one violation.
    """
    for name, value in case.missing_slots.items():
        steps = [point for point in case.intent.points if name in point.slots] if case.intent else []
        if not steps or any(all(find(element, case.scanned, 0) for element in step.words) for step in steps):
            yield Fault(text("evaluation.rule_slot_changed", slot=name, value=value))


def no_invented(rule: Rule, case: Case) -> Iterator[Fault]:
    """What looks like a contact, a number or an amount stands in the conversation or in the script itself."""
    sentences = case.sentences if rule.where else (case.scanned,)
    for what in rule.what:
        allowed = _known(what, case.script.texts) | _known(what, case.conversation)
        for sentence in sentences:
            if rule.where and not _search(rule.where, sentence):
                continue
            for fact in FACTS[what](sentence):
                if fact.value not in allowed and not _is_wrong_slot(fact, case):
                    yield Fault(text(f"evaluation.rule_invented_{what}", text=fact.span), fact.span)


def forbidden(rule: Rule, case: Case) -> Iterator[Fault]:
    """No sentence matches one of the patterns, unless it also matches `unless` (for example `never`)."""
    for sentence in case.sentences:
        if rule.unless and _search(rule.unless, sentence):
            continue
        for pattern in rule.patterns:
            if match := _search(pattern, sentence):
                yield Fault(text("evaluation.rule_forbidden", text=match[0]), sentence[:200])
                break


def only_after(rule: Rule, case: Case) -> Iterator[Fault]:
    """What the first pattern reports as done was asked or confirmed (`before`) earlier in the conversation."""
    earlier = [message.content[:LONGEST_ANSWER] for message in case.sample.prompt if message.role == "assistant"]
    if any(_search(pattern, turn) for turn in earlier for pattern in rule.before):
        return
    for pattern in rule.patterns:
        if match := _search(pattern, case.scanned):
            yield Fault(text("evaluation.rule_only_after", text=match[0]), match[0])


def refusal(rule: Rule, case: Case) -> Iterator[Fault]:
    """A request that must be refused is refused: of every group of words one stands in the answer."""
    if case.kind != "refusal":
        return
    for group in case.script.refusals.get(case.sample.meta.tags.get("intent", ""), ()):
        if not any(find(element, case.scanned, 0) for element in group):
            yield Fault(text("evaluation.rule_not_refused", text=group[0]))


def asks(rule: Rule, case: Case) -> Iterator[Fault]:
    """Where the customer left something out, the answer is a question for it."""
    if case.kind != "clarify":
        return
    for group in case.intent.ask if case.intent else ():
        if not any(find(element, case.scanned, 0) for element in group):
            yield Fault(text("evaluation.rule_not_asked", text=group[0]))
    if not case.answer.rstrip().endswith(("?", "？")):
        yield Fault(text("evaluation.rule_no_question"), case.answer.strip()[-60:])


def length(rule: Rule, case: Case) -> Iterator[Fault]:
    """The answer keeps within the length: words (a Chinese character is one), or characters."""
    words, characters = len(WORD.findall(case.answer)), len(case.answer.strip())
    if rule.max_words and words > rule.max_words:
        yield Fault(text("evaluation.rule_too_many_words", count=words, limit=rule.max_words))
    if rule.max_characters and characters > rule.max_characters:
        yield Fault(text("evaluation.rule_too_many_characters", count=characters, limit=rule.max_characters))
    if rule.min_words and words < rule.min_words:
        yield Fault(text("evaluation.rule_too_few_words", count=words, limit=rule.min_words))


def no_repetition(rule: Rule, case: Case) -> Iterator[Fault]:
    """The answer does not go round in circles: a sentence three times, or a piece of text three times in a row."""
    counts: dict[str, int] = {}
    for sentence in case.sentences:
        bare = " ".join(WORD.findall(sentence.casefold()))
        counts[bare] = counts.get(bare, 0) + 1
        if bare and counts[bare] == rule.times:
            yield Fault(text("evaluation.rule_repeated", times=rule.times, text=sentence[:80]), sentence[:200])
            return
    for match in LOOP.finditer(case.scanned):
        if any(character.isalpha() for character in match[1]):
            yield Fault(text("evaluation.rule_repeated", times=3, text=match[1].strip()[:80]), match[0][:200])
            return


class RuleKind(NamedTuple):
    """A kind of rule: its function, the fields that it needs, and those that it also reads."""

    check: Callable[[Rule, Case], Iterator[Fault]]
    needs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    """At least one of these must be given."""


RULES: dict[str, RuleKind] = {
    "starts_with": RuleKind(starts_with, needs=("text",)),
    "ends_with": RuleKind(ends_with, needs=("text",)),
    "ordered_points": RuleKind(ordered_points),
    "contains_if": RuleKind(contains_if, needs=("when", "any_of")),
    "slots_verbatim": RuleKind(slots_verbatim),
    "no_invented": RuleKind(no_invented, needs=("what",), reads=("where",)),
    "forbidden": RuleKind(forbidden, needs=("patterns",), reads=("unless",)),
    "only_after": RuleKind(only_after, needs=("patterns", "before")),
    "refusal": RuleKind(refusal),
    "asks": RuleKind(asks),
    "length": RuleKind(length, one_of=("max_words", "max_characters", "min_words")),
    "no_repetition": RuleKind(no_repetition, reads=("times",)),
}


def find(element: str, answer: str, start: int) -> int | None:
    """Find an element (`a|b`: one of them) at the beginning of a word, whatever its case.

    Returns:
        Where the earliest match ends; None when there is none at or after `start`.

    >>> find("block|freeze", "Please Freeze the card.", 0), find("lock", "Please block it.", 0)
    (13, None)
    """
    options = "|".join(re.escape(option) for option in element.split("|"))
    match = re.compile(rf"(?<![A-Za-z0-9])(?:{options})", re.IGNORECASE).search(answer, start)
    return match.end() if match else None


def holds_value(answer: str, value: str) -> bool:
    """Say whether a value stands in the answer exactly, not as a part of a longer number or word.

    >>> holds_value("ending in 4821.", "4821"), holds_value("ending in 48210", "4821"), holds_value("$1,200", "$1")
    (True, False, False)
    """
    before = r"(?<![0-9])(?<![0-9][.,])" if value[:1].isdigit() else r"(?<![A-Za-z])" if _is_latin(value[:1]) else ""
    after = r"(?![0-9]|[.,][0-9])" if value[-1:].isdigit() else r"(?![A-Za-z])" if _is_latin(value[-1:]) else ""
    return re.search(before + re.escape(value) + after, answer) is not None


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _search(pattern: str, sentence: str) -> re.Match[str] | None:
    return re.search(pattern, sentence, re.IGNORECASE)


@lru_cache(maxsize=1024)
def _known(what: str, source: str) -> frozenset[str]:
    """The facts that stand in a text; what looks like a phone number or an amount may stand there as a number."""
    also = {"phone": (numbers,), "number": (spelled_numbers,), "amount": (numbers, spelled_numbers)}.get(what, ())
    return frozenset(fact.value for find_facts in (FACTS[what], *also) for fact in find_facts(source))


def _is_wrong_slot(fact: Fact, case: Case) -> bool:
    """A number in the place of a slot's value that is missing: `slots_verbatim` reports it already."""
    missing = {shape(number.span) for value in case.missing_slots.values() for number in numbers(value)}
    return any(shape(number.span) in missing for number in numbers(fact.span))
