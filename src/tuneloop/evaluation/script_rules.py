"""The kinds of rules that a script is made of: each a function that looks at one answer and names what is wrong.

Pure: no files, no models. To add a kind, write a function (`script_content.py`, `script_form.py`, `script_turns.py`), put
it into `RULES` with the fields it reads, give it a line for the system prompt in `script_prompt.py`, a mutation that breaks
it in `script_mutations.py`, and a sample that breaks it in `tests/contracts/test_script_rules.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tuneloop.evaluation.script_case import Case, Fault
from tuneloop.evaluation.script_content import (
    contains_if,
    forbidden,
    is_due,
    no_invented,
    ordered_points,
    slots_verbatim,
)
from tuneloop.evaluation.script_file import Rule
from tuneloop.evaluation.script_form import ended, ends_with, language, length, no_repetition, starts_with
from tuneloop.evaluation.script_turns import asks, asks_once, only_after, refusal


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
    "contains_if": RuleKind(contains_if, needs=("any_of",), one_of=("when", "asked")),
    "slots_verbatim": RuleKind(slots_verbatim),
    "no_invented": RuleKind(no_invented, needs=("what",), reads=("where",)),
    "forbidden": RuleKind(forbidden, needs=("patterns",), reads=("unless",)),
    "only_after": RuleKind(only_after, needs=("patterns", "before")),
    "refusal": RuleKind(refusal),
    "asks": RuleKind(asks),
    "asks_once": RuleKind(asks_once),
    "length": RuleKind(length, one_of=("max_words", "max_characters", "min_words")),
    "language": RuleKind(language, needs=("min_share",)),
    "no_repetition": RuleKind(no_repetition, reads=("times",)),
    "ended": RuleKind(ended),
}

_JUDGES_ONLY = {"refusal": "refusal", "asks": "clarify", "ordered_points": "answer"}
"""Kinds of rules that say nothing about samples of another kind, whatever the rule's `kinds`."""


def applies(rule: Rule, case: Case) -> bool:
    """Say whether a rule has anything to say about answers to this sample."""
    if case.kind not in rule.kinds or _JUDGES_ONLY.get(rule.kind, case.kind) != case.kind:
        return False
    return rule.kind != "contains_if" or is_due(rule, case)
