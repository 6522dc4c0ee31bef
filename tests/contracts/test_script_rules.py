"""Every kind of rule: it passes a good answer, finds a bad one, can be said in a prompt, and speaks two languages."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.evaluation.script import Violation, check, script_prompt
from tuneloop.evaluation.script_file import Rule, Script
from tuneloop.evaluation.script_prompt import LINES
from tuneloop.evaluation.script_rules import RULES

ANSWER = {"intent": "lost_card", "kind": "answer", "slot.last4": "4821"}
PARTS: dict[str, Any] = {
    "intents": {"lost_card": {"risk": True, "slots": ["last4"], "points": [["block", "{last4}"]], "ask": [["digits"]]}},
    "refusals": {"secrets": [["cannot"]]},
}
CASES: dict[str, tuple[dict[str, Any], dict[str, str], str, str]] = {
    "starts_with": ({"text": "Hello"}, ANSWER, "Hello there", "Hi"),
    "ends_with": ({"text": "Bye."}, ANSWER, "So: Bye.", "So"),
    "ordered_points": ({}, ANSWER, "Block it", "Wait"),
    "contains_if": ({"when": "risk", "any_of": "Take care"}, ANSWER, "And take care.", "And"),
    "slots_verbatim": ({}, ANSWER, "Block 4821", "Block 4822"),
    "no_invented": ({"what": ["phone"]}, ANSWER, "Call us", "Call 800-555-0199"),
    "forbidden": ({"patterns": "as an AI"}, ANSWER, "I help", "As an AI I help"),
    "only_after": ({"patterns": "done", "before": "sure\\?"}, ANSWER, "Are you sure?", "It is done"),
    "refusal": ({}, {"intent": "secrets", "kind": "refusal"}, "We cannot do it", "Sure: 1234"),
    "asks": ({}, {"intent": "lost_card", "kind": "clarify"}, "Which digits?", "Sure"),
    "asks_once": ({}, ANSWER | {"kind": "answer"}, "Where is it?", "Which digits, please?"),
    "language": ({"min_share": 0.9}, ANSWER, "Yes, at once", "Yes, 好的，马上"),
    "length": ({"max_words": 2}, ANSWER, "two words", "three words here"),
    "ended": ({}, ANSWER, "It is so.", "It is s"),
    "no_repetition": ({}, ANSWER, "Once. Twice.", "Once. Once. Once."),
}
"""For each kind: its fields, the tags of a sample, an answer that keeps the rule, and one that breaks it."""


FINISHED = {"ended": "length"}
"""How the bad answer's generation ended, where that is what is wrong."""


def script_of(kind: str, fields: dict[str, Any]) -> Script:
    return Script.model_validate({"name": "s", "rules": [{"id": "rule", "kind": kind, **fields}], **PARTS})


def sample_of(tags: dict[str, str]) -> Sample:
    turns = ("I lost my card", "Which digits, please?", "My card 4821 is lost", "reference")
    roles: tuple[Literal["user", "assistant"], ...] = ("user", "assistant", "user", "assistant")
    messages = tuple(Message(role=role, content=text) for role, text in zip(roles, turns, strict=True))
    return Sample(id="1", messages=messages, meta=Meta(source="test", row=1, tags=tags))


def test_every_kind_has_a_case_and_a_line_for_the_prompt() -> None:
    assert set(CASES) == set(RULES) == set(LINES)


@pytest.mark.parametrize("kind", RULES)
def test_a_good_answer_passes_and_a_bad_one_fails(kind: str) -> None:
    fields, tags, good, bad = CASES[kind]
    script, sample = script_of(kind, fields), sample_of(tags)
    assert check(script, sample, good) == ()
    violations = check(script, sample, bad, FINISHED.get(kind, "stop"))
    assert violations
    assert {(violation.rule, violation.hard) for violation in violations} == {("rule", True)}
    assert all(violation.span in bad for violation in violations)


@pytest.mark.parametrize("kind", RULES)
def test_a_reason_is_given_in_both_languages(kind: str) -> None:
    """Whoever evaluated, in whatever language: the reader decides."""
    fields, tags, _, bad = CASES[kind]
    violation, *_ = check(script_of(kind, fields), sample_of(tags), bad, FINISHED.get(kind, "stop"))
    stored = Violation.model_validate_json(violation.model_dump_json())
    english, chinese = stored.message("en"), stored.message("zh")
    assert english != chinese
    assert english.isascii() or "“" in english


@pytest.mark.parametrize("kind", RULES)
def test_an_empty_answer_and_a_sample_without_tags_are_no_accident(kind: str) -> None:
    fields, tags, _, bad = CASES[kind]
    check(script_of(kind, fields), sample_of(tags), "")
    check(script_of(kind, fields), sample_of({}), bad)


@pytest.mark.parametrize("kind", RULES)
def test_a_rule_judges_only_the_kinds_of_samples_it_names(kind: str) -> None:
    fields, tags, _, bad = CASES[kind]
    other = "refusal" if tags["kind"] != "refusal" else "answer"
    assert check(script_of(kind, {**fields, "kinds": [other]}), sample_of(tags), bad) == ()


@pytest.mark.parametrize("kind", RULES)
def test_a_soft_rule_is_soft_and_has_its_say_in_the_prompt(kind: str) -> None:
    fields, tags, _, bad = CASES[kind]
    script = script_of(kind, {**fields, "hard": False, "say": "Mind this."})
    assert not any(violation.hard for violation in check(script, sample_of(tags), bad, FINISHED.get(kind, "stop")))
    assert "- Mind this." in script_prompt(script)


@pytest.mark.parametrize("kind", RULES)
def test_the_fields_it_names_exist(kind: str) -> None:
    entry = RULES[kind]
    assert {*entry.needs, *entry.reads, *entry.one_of} <= set(Rule.model_fields)
