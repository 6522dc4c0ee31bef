"""Rules about the conversation: ask for what is missing, once; confirm before reporting done; refuse what must be."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from tuneloop.evaluation.script_case import Case, Fault, fault, find, search, sentences_of
from tuneloop.evaluation.script_file import Rule

QUESTION_MARKS = ("?", "？")
ALIKE = 0.55
"""Two questions with so much in common, and the words for one missing value, are one question."""


def only_after(rule: Rule, case: Case) -> Iterator[Fault]:
    """What the first pattern reports as done was asked or confirmed (`before`) earlier in the conversation."""
    if any(search(rule, pattern, turn) for turn in case.earlier for pattern in rule.before):
        return
    for pattern in rule.patterns:
        if match := search(rule, pattern, case.scanned):
            yield fault("rule_only_after", match[0], text=match[0])


def refusal(rule: Rule, case: Case) -> Iterator[Fault]:
    """A request that must be refused is refused: of every group of words one stands in the answer."""
    if case.kind != "refusal":
        return
    for group in case.script.refusals.get(case.sample.meta.tags.get("intent", ""), ()):
        if not any(find(element, case.scanned, 0) for element in group):
            yield fault("rule_not_refused", text=group[0])


def asks(rule: Rule, case: Case) -> Iterator[Fault]:
    """Where the customer left something out, the answer is a question for it."""
    if case.kind != "clarify":
        return
    for group in case.intent.ask if case.intent else ():
        if not any(find(element, case.scanned, 0) for element in group):
            yield fault("rule_not_asked", text=group[0])
    if not case.answer.rstrip().endswith(("?", "？")):
        yield fault("rule_no_question", case.answer.strip()[-60:])


def asks_once(rule: Rule, case: Case) -> Iterator[Fault]:
    """What was asked in an earlier turn is not asked again; the house's own closing question is none."""
    house = _bare("\n".join(line for other in case.script.rules for line in other.text))
    asked = {
        _bare(sentence): sentence
        for turn in case.earlier
        for sentence in sentences_of(turn)
        if sentence.endswith(QUESTION_MARKS) and _bare(sentence) not in house
    }
    if not asked:
        return
    groups = case.intent.ask if case.intent else ()
    for sentence in case.sentences:
        if not sentence.endswith(QUESTION_MARKS) or _bare(sentence) in house:
            continue
        again = next(
            (old for bare, old in asked.items() if bare == _bare(sentence) or _same(old, sentence, groups)), ""
        )
        if again:
            yield fault("rule_asked_twice", sentence, text=again)


def _same(first: str, second: str, groups: tuple[tuple[str, ...], ...]) -> bool:
    """Say whether two questions ask for the same missing value of the intent, in much the same words."""
    asks_for = bool(groups) and all(
        any(find(element, first, 0) and find(element, second, 0) for element in group) for group in groups
    )
    return asks_for and SequenceMatcher(None, _bare(first), _bare(second)).ratio() >= ALIKE


def _bare(words: str) -> str:
    return "".join(character for character in words.casefold() if character.isalnum())
