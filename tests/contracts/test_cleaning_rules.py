"""Every cleaning rule keeps the promises of its kind: clean text stays, twice is once, a switch and words in two languages."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneloop.core.messages import Language
from tuneloop.core.messages import text as say
from tuneloop.data.clean import ANSWERS_ONLY, CHANGES, FINDINGS, OWN_CHANGES_BEFORE, active_rules, clean_turns
from tuneloop.data.cleaning.config import AnswerFormat, CleanConfig

ON = CleanConfig(
    width=True,
    chinese_variant="simplified",
    answer_format=AnswerFormat(quotes="curly", opening="Hello.", closing="Bye."),
)
"""Every rule that changes text, switched on."""

CLEAN = [
    "“全角引号”，保留！（括号）《书名》",
    "I can’t — “really”…",
    "def f(x):\n    return x",
    "1. 第一步\n2. 第二步\n\n完成。",
    "👩‍👩‍👧 ❤️ 🏳️‍🌈",
    "Use &lt;b&gt; for bold; R&D; ﬁ ligatures",
    "{{Customer Support Phone Number}}",
    "10² ≠ 10₂, if a < b and c > d",
    "```html\n<div>kept   as it is!!!!</div>\n```",
    "How do I write <br> in HTML?",
    "#### Fees\n\n* * *\n\n| a | b |",
    "Send £1,200.50 by 3:30 p.m., please?!",
    "客服热线：95588，周一至周五 9:00-17:00。",
]
SWITCHED_OFF = {"width", "chinese_variant", "advertising", "masks", "answer_format"}
"""Changes that are not on by default: those may have opinions."""

MARKUP = [
    "<b>",
    "</b>",
    "<p>",
    "&amp;",
    "&lt;",
    "&#8203;",
    "lt;",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<li>",
    "`",
    "```",
]
MARKS = [
    "!!!",
    "。。",
    "…",
    "...",
    "?",
    "\u3000",
    "\u200b",
    "  ",
    "\n\n\n",
    ". ",
    '"',
    "####",
    "****",
    "e\u0301",
    "Ã¶",
    "Ａ１",
]
WORDS = [
    "1、",
    "①",
    "2) ",
    "第一步：",
    "餘額",
    "加微信：abc12345",
    "www.x.com",
    "click here ",
    "卡",
    "card",
    "后",
    "乾隆",
]
PIECES = st.sampled_from([*MARKUP, *MARKS, *WORDS])
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join))


@pytest.mark.parametrize("rule", [name for name in CHANGES if name not in SWITCHED_OFF])
@pytest.mark.parametrize("text", CLEAN)
def test_clean_text_stays_as_it_is(rule: str, text: str) -> None:
    assert CHANGES[rule](ON, "zh")(text) == text


@pytest.mark.parametrize("rule", CHANGES)
@pytest.mark.parametrize("language", ["en", "zh"])
@settings(max_examples=80, deadline=None)
@given(text=TEXTS)
def test_a_change_applied_twice_is_applied_once(rule: str, language: str, text: str) -> None:
    change = CHANGES[rule](ON, language)
    once = change(text)
    assert change(once) == once


@pytest.mark.parametrize("rule", FINDINGS)
@given(text=TEXTS)
@settings(max_examples=50, deadline=None)
def test_a_finding_shows_what_it_found_and_ordinary_text_holds_nothing(rule: str, text: str) -> None:
    find = FINDINGS[rule](CleanConfig(), "en")
    found = find([("user", text), ("assistant", text)])
    assert found is None or (found and found in f"{text}\n{text}")
    ordinary = "Please open the app and tap Cards to see your limit."
    assert find([("user", "Where do I see my limit?"), ("assistant", ordinary)]) is None


@pytest.mark.parametrize("rule", sorted({*CHANGES, *FINDINGS}))
def test_every_rule_has_a_setting_and_words_for_the_report(rule: str) -> None:
    assert rule in CleanConfig.model_fields
    assert CleanConfig.model_fields[rule].description
    for language in get_args(Language):
        assert say(f"data.report.rule_{rule}", language)
        assert say(f"data.report.rule_{rule}_does", language)


def test_the_tables_name_only_rules_that_exist() -> None:
    assert OWN_CHANGES_BEFORE in CHANGES
    assert set(CHANGES) >= ANSWERS_ONLY
    order = [name for name in CleanConfig.model_fields if name in CHANGES]
    assert order == list(CHANGES), "the recipe shows the rules in the order in which they run"


@pytest.mark.parametrize("rule", CHANGES)
@pytest.mark.parametrize(
    "piece", ["<a ", "<script>", "&amp", "`", "```", "<!--", "!?", "a b", "微信", "#*", '"', "1、\n", "\u200b"]
)
def test_no_text_makes_a_change_slow(rule: str, piece: str) -> None:
    change = CHANGES[rule](ON, "zh")
    text = piece * (100_000 // len(piece))
    started = time.process_time()
    change(text)
    assert time.process_time() - started < 2.0


def _answers(path: Path) -> list[str]:
    if path.suffix == ".jsonl":
        return [json.loads(line)["output"] for line in path.read_text(encoding="utf-8").splitlines()]
    return [row[0]["output"] for row in json.loads(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(
    ("file", "language"), [("bank_en/questions_answers.jsonl", "en"), ("legal_zh/legal_advice.json", "zh")]
)
def test_answers_of_real_data_stay_as_they_are(file: str, language: str, real_data: Callable[[str], Path]) -> None:
    """Answers of the two sets are clean but for spaces at line ends; nothing else may change, and none is removed."""
    rules = active_rules(CleanConfig(), language)
    for answer in _answers(real_data(file))[:500]:
        cleaned = clean_turns([("user", "?a"), ("assistant", answer)], rules)
        assert cleaned.removed is None
        assert set(cleaned.changes) <= {"whitespace"}


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    """Files of the folder that the environment's TUNELOOP_DATA names."""
    folder = os.environ.get("TUNELOOP_DATA")
    if not folder:
        pytest.skip("TUNELOOP_DATA names no folder with the real data sets")
    return lambda name: Path(folder) / name
