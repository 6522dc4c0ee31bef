"""The driver of the cleaning rules: order, switches, own rules, and what happens to a whole sample."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tuneloop.core.errors import DataError
from tuneloop.data.clean import active_rules, clean, clean_turns
from tuneloop.data.cleaning.config import CleanConfig, CustomRule
from tuneloop.data.cleaning.custom import SLOW_TEXTS, TooSlow, changing
from tuneloop.data.turns import Turn


def turns(question: str, answer: str) -> list[Turn]:
    return [("user", question), ("assistant", answer)]


def test_changes_are_told_rule_by_rule() -> None:
    after, changes = clean(" schÃ¶n\u200b ", active_rules(CleanConfig(), "en").changes)
    assert after == "schön"
    assert [rule for rule, _, _ in changes] == ["unicode_repair", "control_characters", "whitespace"]


def test_every_rule_can_be_switched_off() -> None:
    off = dict.fromkeys(("advertising", "masks", "too_short", "too_long", "wrong_language"))
    off |= {"template_leftovers": None, "profanity": None}
    switches = dict.fromkeys(
        ("unicode_repair", "html", "control_characters", "repeated_punctuation", "whitespace"), False
    )
    assert active_rules(CleanConfig.model_validate({**off, **switches}), "en").names == ()


def test_only_answers_get_the_form_of_answers() -> None:
    rules = active_rules(CleanConfig.model_validate({"answer_format": {"opening": "Hello."}}), "en")
    assert clean_turns(turns("Hi", "Open the app."), rules).turns == turns("Hi", "Hello.\nOpen the app.")


def test_what_is_flagged_stays_and_says_why() -> None:
    cleaned = clean_turns(turns("where is my fucking card", "Call {{Phone}}."), active_rules(CleanConfig(), "en"))
    assert cleaned.flags == {"template_leftovers": "{{Phone}}", "profanity": "fucking"}
    assert cleaned.removed is None


def test_a_finding_can_remove_the_sample() -> None:
    rules = active_rules(CleanConfig(profanity="remove"), "en")
    assert clean_turns(turns("where is my fucking card", "Here it is."), rules).removed == ("profanity", "fucking")


def test_advertising_is_flagged_cut_or_removed() -> None:
    answer = "先挂失。加微信：abc12345 领取资料！"
    flagged = clean_turns(turns("怎么办", answer), active_rules(CleanConfig(), "zh"))
    assert (flagged.turns[1][1], list(flagged.flags)) == (answer, ["advertising"])
    cut = clean_turns(turns("怎么办", answer), active_rules(CleanConfig(advertising="cut"), "zh"))
    assert (cut.turns[1][1], cut.flags) == ("先挂失。", {})
    removed = clean_turns(turns("怎么办", answer), active_rules(CleanConfig(advertising="remove"), "zh"))
    assert removed.removed == ("advertising", "加微信：abc12345 领取资料！")


def own(**values: object) -> CustomRule:
    return CustomRule.model_validate({"name": "ticket", **values})


def test_an_own_rule_changes_flags_or_removes() -> None:
    change = own(pattern=r"\s*\[ticket \d+\]", test="Hi [ticket 12]", expected="Hi")
    flag = own(name="legacy", pattern="HB1", test="use HB1", action="flag")
    remove = own(name="draft", pattern="^DRAFT", test="DRAFT: x", action="remove")
    rules = active_rules(CleanConfig(custom=(change, flag, remove)), "en")
    cleaned = clean_turns(turns("Hello [ticket 7]", "Use HB1"), rules)
    assert cleaned.turns[0] == ("user", "Hello")
    assert cleaned.changes["custom:ticket"] == ("Hello [ticket 7]", "Hello")
    assert cleaned.flags == {"custom:legacy": "HB1"}
    assert clean_turns(turns("Hello", "DRAFT: no"), rules).removed == ("custom:draft", "DRAFT")


@pytest.mark.parametrize(
    ("values", "mistake"),
    [
        ({"pattern": "(", "test": "(", "expected": ""}, "is wrong"),
        ({"pattern": "a", "test": "b", "expected": "b"}, "does not match its test line"),
        ({"pattern": "a", "test": "a"}, "say under expected"),
        ({"pattern": "a", "test": "a", "expected": "b"}, "expected was 'b'"),
        ({"pattern": "a", "replacement": "aa", "test": "a", "expected": "aa"}, "applied twice"),
        ({"pattern": "a", "replacement": r"\2", "test": "a", "expected": ""}, "is wrong"),
        ({"pattern": r"(a|a)+$", "test": "a", "expected": ""}, "takes too long"),
    ],
)
def test_an_own_rule_with_a_mistake_is_refused(values: dict[str, str], mistake: str) -> None:
    with pytest.raises(ValidationError, match=mistake):
        own(**values)


def test_a_slow_rule_is_stopped_and_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneloop.data.cleaning.custom.SECONDS", 0.01)
    rule = CustomRule.model_construct(name="slow", pattern="(b|b)+$", replacement="", action="change")
    change = changing(rule)
    for _ in range(SLOW_TEXTS - 1):
        with pytest.raises(TooSlow):
            change("b" * 200 + "!")
    with pytest.raises(DataError, match="slow"):
        change("b" * 200 + "!")
    assert change("x") == "x"
