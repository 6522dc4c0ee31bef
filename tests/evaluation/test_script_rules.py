"""The details of single rules that a mutation of a whole answer does not show."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.evaluation.script import check
from tuneloop.evaluation.script_case import LONGEST_ANSWER, find, holds_value
from tuneloop.evaluation.script_file import Script

INTENTS = {
    "lost_card": {
        "risk": True,
        "slots": ["last4", "amount"],
        "points": [["block|freeze", "{last4}"], ["replacement", "{amount}"]],
    }
}


def faults(answer: str, *questions: str, tags: dict[str, str] | None = None, **rule: Any) -> list[str]:
    """The reasons why one rule rejects an answer; even questions are the customer's, odd ones the assistant's."""
    script = Script.model_validate({"name": "s", "rules": [{"id": "r", **rule}], "intents": INTENTS})
    turns = questions or ("My card is lost.",)
    messages = [Message(role="assistant" if number % 2 else "user", content=text) for number, text in enumerate(turns)]
    messages.append(Message(role="assistant", content="the reference, which no rule may read: 99999"))
    sample = Sample(id="1", messages=tuple(messages), meta=Meta(source="t", row=1, tags=tags or {}))
    return [violation.message("en") for violation in check(script, sample, answer)]


def test_points_are_found_in_order_only() -> None:
    tags = {"intent": "lost_card"}
    assert faults("Freeze it. Order a replacement.", tags=tags, kind="ordered_points") == []
    [reason] = faults("Order a replacement. Freeze it.", tags=tags, kind="ordered_points")
    assert "wrong place" in reason
    [reason] = faults("Freeze it.", tags=tags, kind="ordered_points")
    assert "missing" in reason
    assert "replacement" in reason
    assert faults("", tags={"intent": "unknown"}, kind="ordered_points") == []
    assert faults("", tags=tags | {"kind": "refusal"}, kind="ordered_points") == []


def test_an_element_begins_a_word() -> None:
    assert find("block", "Unblock it", 0) is None
    assert find("block", "BLOCKED", 0) == 5
    assert find("挂失", "请先挂失", 0) == 4
    assert find("a+b|c", "x c", 0) == 3


@pytest.mark.parametrize(
    ("answer", "value", "held"),
    [
        ("card 4821.", "4821", True),
        ("card 04821", "4821", False),
        ("pay $1,200.50", "$1,200", False),
        ("pay $1,200.", "$1,200", True),
        ("pay $1200", "$1,200", False),
        ("Anna's bank", "Anna", True),
        ("Joanna pays", "Anna", False),
        ("尾号4821的卡", "4821", True),
        ("给王女士转账", "王女士", True),
    ],
)
def test_a_value_stands_exactly(answer: str, value: str, held: bool) -> None:
    assert holds_value(answer, value) is held


def test_a_changed_value_is_one_fault_not_two() -> None:
    tags = {"intent": "lost_card", "slot.last4": "4821", "slot.amount": "$1,200"}
    answer = "Block card 4822 now. The replacement costs $1,200."
    [reason] = faults(answer, "card 4821, $1,200", tags=tags, kind="slots_verbatim")
    assert "4821" in reason
    assert faults(answer, "card 4821, $1,200", tags=tags, kind="no_invented", what=["number"]) == []
    answer = "Block card 4821. The replacement costs $1,200 and takes 17 days."
    [reason] = faults(answer, "card 4821, $1,200", tags=tags, kind="no_invented", what=["number"])
    assert "17" in reason


def test_a_value_of_a_missing_step_is_not_named_again() -> None:
    tags = {"intent": "lost_card", "slot.last4": "4821", "slot.amount": "$1,200"}
    assert faults("The replacement costs $1,200.", tags=tags, kind="slots_verbatim") == []


def test_what_stands_in_the_conversation_is_not_invented() -> None:
    rule: dict[str, Any] = {"kind": "no_invented", "what": ["phone", "url", "email", "amount", "number"]}
    said = "I called 800 555 0199, wrote to a@b.com, saw www.x.com and paid $30 or forty dollars."
    assert faults("8005550199, A@B.com, https://x.com, $30.00, $40", said, **rule) == []
    assert len(faults("8005550198, c@b.com, https://y.com, $31", said, **rule)) == 5
    assert faults("99999 is in the reference only", said, **rule) != []


def test_invented_contacts_are_named_once() -> None:
    rule: dict[str, Any] = {"kind": "no_invented", "what": ["number"]}
    assert faults("Call 1-800-555-0199 or see bank.com/24.", **rule) == []


def test_where_limits_a_rule_to_some_sentences() -> None:
    rule: dict[str, Any] = {"kind": "no_invented", "what": ["amount"], "where": "transfer|send"}
    assert faults("Your balance is $55.", "Balance?", **rule) == []
    assert faults("I will send $55.", "Send $54.", **rule) != []


def test_unless_spares_a_sentence_but_not_the_next_one() -> None:
    rule: dict[str, Any] = {"kind": "forbidden", "patterns": "share .*PIN", "unless": r"\bnever\b"}
    assert faults("Never share your PIN.", **rule) == []
    assert faults("Never mind. Please share your PIN.", **rule) != []
    assert faults("请勿。\nShare your PIN", **rule) != []


def test_done_is_said_only_after_it_was_confirmed() -> None:
    rule: dict[str, Any] = {"kind": "only_after", "patterns": "transfer is complete", "before": r"confirm.*\$\d"}
    assert faults("The transfer is complete.", "Send $5 to Al.", **rule) != []
    assert faults("The transfer is complete.", "Send $5.", "Please confirm: $5 to Al.", "Yes", **rule) == []
    assert faults("The transfer is complete.", "confirm $5", **rule) != []
    assert faults("Please confirm: $5 to Al.", "Send $5 to Al.", **rule) == []


def test_lengths_count_words_chinese_characters_and_characters() -> None:
    assert faults("one two-three don't", kind="length", max_words=3) == []
    assert faults("one two three four", kind="length", max_words=3) != []
    assert faults("请先挂失ok", kind="length", max_words=5) == []
    assert faults("请先挂失ok", kind="length", max_words=4) != []
    assert faults("请先挂失", kind="length", max_characters=3) != []
    assert faults("too short", kind="length", min_words=3) != []


def test_repetitions_of_sentences_and_of_pieces_are_found() -> None:
    assert faults("Call us. Yes. Call us. No. call us!", kind="no_repetition") != []
    assert faults("Call us. Yes. Call us. No.", kind="no_repetition") == []
    assert faults("Call us. Yes. Call us.", kind="no_repetition", times=2) != []
    assert faults("the card the card the card the card", kind="no_repetition") != []
    assert faults("请先挂失请先挂失请先挂失", kind="no_repetition") != []
    assert faults("a table\n----------------\n$1,000,000,000", kind="no_repetition") == []


def test_a_runaway_answer_is_judged_quickly() -> None:
    answer = "block the card, " * 20_000
    started = time.perf_counter()
    for kind in ("ordered_points", "no_repetition", "slots_verbatim"):
        faults(answer, kind=kind, tags={"intent": "lost_card", "slot.last4": "4821"})
    faults("a" * 300_000, kind="no_repetition")
    faults("1 " * 200_000, kind="no_invented", what=["phone", "url", "email", "number", "amount"])
    faults("share " * 50_000, kind="forbidden", patterns=r"share[^.!?]{0,40}\bPIN")
    assert time.perf_counter() - started < 20
    assert LONGEST_ANSWER == 20_000


def test_the_language_of_an_answer_is_weighed_without_addresses_and_numbers() -> None:
    rule: dict[str, Any] = {"kind": "language", "min_share": 0.9}
    assert faults("See www.bank.com for 12,000 more details.", **rule) == []
    [reason] = faults("See 请看这里的详细内容说明 for more.", **rule)
    assert "%" in reason


def test_what_was_asked_before_is_not_asked_again() -> None:
    rule: dict[str, Any] = {"kind": "asks_once"}
    earlier = ("My card is lost.", "Which digits does it end in?", "4821")
    assert faults("Freeze it. When did you lose it?", *earlier, **rule) == []
    assert len(faults("Which digits does it end in?", *earlier, **rule)) == 1
    assert faults("Which digits does it end in?", "My card is lost.", **rule) == []


def test_a_notice_is_due_where_the_customer_names_a_red_flag() -> None:
    rule: dict[str, Any] = {"kind": "contains_if", "asked": [r"chest pain"], "any_of": "See a doctor today."}
    assert len(faults("Rest.", "I have chest pain.", **rule)) == 1
    assert faults("Rest. See a doctor today.", "I have chest pain.", **rule) == []
    assert faults("Rest.", "I have a cold.", **rule) == []


def test_a_dose_is_invented_unless_the_customer_named_it() -> None:
    rule: dict[str, Any] = {"kind": "no_invented", "what": ["dosage"]}
    assert faults("Keep to the 500 mg you were given.", "I take 500mg a day.", **rule) == []
    assert len(faults("Take 400 mg.", "I take 500mg a day.", **rule)) == 1
