"""Cleaning rules: what they repair, and what they must leave alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.messages import text as say
from tuneloop.data.clean import CLEANERS, active_cleaners, clean, control_characters, unicode_repair, whitespace
from tuneloop.data.config import CleanConfig

CLEAN = [
    "“全角引号”，保留！（括号）《书名》",
    "ＡＢＣ１２３",
    "I can’t — “really”…",
    "def f(x):\n    return x",
    "1. 第一步\n2. 第二步\n\n完成。",
    "👩‍👩‍👧 ❤️ 🏳️‍🌈",
    "&lt;b&gt; stays &amp; so do ﬁ ligatures",
    "{{Customer Support Phone Number}}",
    "10² ≠ 10₂",
]


@pytest.mark.parametrize("rule", CLEANERS)
@pytest.mark.parametrize("text", CLEAN)
def test_clean_text_stays_as_it_is(rule: str, text: str) -> None:
    assert CLEANERS[rule](text) == text


@pytest.mark.parametrize("rule", CLEANERS)
@given(text=st.text())
def test_a_rule_applied_twice_is_applied_once(rule: str, text: str) -> None:
    once = CLEANERS[rule](text)
    assert CLEANERS[rule](once) == once


@pytest.mark.parametrize("rule", CLEANERS)
def test_every_rule_has_a_switch_and_words_for_the_report(rule: str) -> None:
    assert isinstance(getattr(CleanConfig(), rule), bool)
    for language in ("en", "zh"):
        assert say(f"data.report.rule_{rule}", language)
        assert say(f"data.report.rule_{rule}_does", language)


@pytest.mark.parametrize(
    ("before", "after"), [("schÃ¶n", "schön"), ("æ\x88\x91ä»¬", "我们"), ("e\u0301", "é"), ("fiancÃ©", "fiancé")]
)
def test_wrongly_decoded_text_is_repaired(before: str, after: str) -> None:
    assert unicode_repair(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [("a\u200bb", "ab"), ("\ufeffa", "a"), ("a\x00b\x07", "ab"), ("\u202eabc\u202c", "abc"), ("a\u200db", "ab")],
)
def test_characters_that_can_not_be_seen_are_removed(before: str, after: str) -> None:
    assert control_characters(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  a  b  ", "a b"),
        ("a\u3000\u3000b", "a b"),
        ("a\xa0b", "a b"),
        ("\u3000\u3000段落", "段落"),
        ("a  \nb", "a\nb"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("a\r\n\r\n\r\nb", "a\n\nb"),
        ("x\n    indented  twice", "x\n    indented twice"),
    ],
)
def test_spaces_are_tidied(before: str, after: str) -> None:
    assert whitespace(before) == after


def test_code_blocks_keep_their_spaces() -> None:
    code = "Do:\n```\na   =  1\n\n\n\nb = 2\n```\nend"
    assert whitespace(code) == code


def test_a_rule_can_be_switched_off() -> None:
    assert list(active_cleaners(CleanConfig(whitespace=False))) == ["unicode_repair", "control_characters"]


def test_changes_are_told_rule_by_rule() -> None:
    after, changes = clean(" schÃ¶n\u200b ", active_cleaners(CleanConfig()))
    assert after == "schön"
    assert [rule for rule, _, _ in changes] == ["unicode_repair", "control_characters", "whitespace"]
