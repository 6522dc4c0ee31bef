"""Rules about what an answer says: its steps, its notices, the customer's values, nothing invented, nothing forbidden."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from tuneloop.evaluation.script_case import Case, Fault, fault, find, search
from tuneloop.evaluation.script_facts import FACTS, Fact, numbers, shape, spelled_numbers
from tuneloop.evaluation.script_file import Rule


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
        yield fault("rule_point_order" if early else "rule_point_missing", text=lost)


def contains_if(rule: Rule, case: Case) -> Iterator[Fault]:
    """Answers to risky intents, or to questions that match a pattern of `asked`, hold the notice."""
    if not is_due(rule, case):
        return
    notices = (case.intent.notice if case.intent and not rule.asked else ()) or rule.any_of
    if not any(notice.casefold() in case.scanned.casefold() for notice in notices):
        yield fault("rule_notice_missing", text=notices[0])


def is_due(rule: Rule, case: Case) -> bool:
    """Say whether a notice is required here."""
    if case.kind != "answer":
        return False
    if rule.asked:
        return any(search(rule, pattern, case.sample.question) for pattern in rule.asked)
    return case.intent is not None and case.intent.risk


def slots_verbatim(rule: Rule, case: Case) -> Iterator[Fault]:
    """The values the customer gave stand in the answer as they were given.

    A value whose step is missing as a whole is not named again: one fault is one violation.
    """
    for name, value in case.missing_slots.items():
        steps = [point for point in case.intent.points if name in point.slots] if case.intent else []
        if not steps or any(all(find(element, case.scanned, 0) for element in step.words) for step in steps):
            yield fault("rule_slot_changed", slot=name, value=value)


def no_invented(rule: Rule, case: Case) -> Iterator[Fault]:
    """What looks like a contact, a number or an amount stands in the conversation or in the script itself."""
    sentences = case.sentences if rule.where else (case.scanned,)
    for what in rule.what:
        allowed = _known(what, case.script.texts) | _known(what, case.conversation)
        for sentence in sentences:
            if rule.where and not search(rule, rule.where, sentence):
                continue
            for fact in FACTS[what](sentence):
                if fact.value not in allowed and not _is_wrong_slot(fact, case):
                    yield fault(f"rule_invented_{what}", fact.span, text=fact.span)


def forbidden(rule: Rule, case: Case) -> Iterator[Fault]:
    """No sentence matches one of the patterns, unless it also matches `unless` (for example `never`)."""
    for sentence in case.sentences:
        if rule.unless and search(rule, rule.unless, sentence):
            continue
        for pattern in rule.patterns:
            if match := search(rule, pattern, sentence):
                yield fault("rule_forbidden", sentence[:200], text=match[0])
                break


@lru_cache(maxsize=1024)
def _known(what: str, source: str) -> frozenset[str]:
    """The facts that stand in a text; what looks like a phone number or an amount may stand there as a number."""
    also = {"phone": (numbers,), "number": (spelled_numbers,), "amount": (numbers, spelled_numbers)}.get(what, ())
    return frozenset(fact.value for find_facts in (FACTS[what], *also) for fact in find_facts(source))


def _is_wrong_slot(fact: Fact, case: Case) -> bool:
    """A number in the place of a slot's value that is missing: `slots_verbatim` reports it already."""
    missing = {shape(number.span) for value in case.missing_slots.values() for number in numbers(value)}
    return any(shape(number.span) in missing for number in numbers(fact.span))
