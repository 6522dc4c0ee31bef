"""Finding in whole texts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.data.grammar import make_samples
from tuneloop.text.personal.find import find


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_demo_holds_no_personal_data(language: str) -> None:
    samples = [sample for sample, _ in make_samples("bank-service", language, 300, 7)]  # type: ignore[arg-type]
    texts = [message.content for sample in samples for message in sample.messages]
    assert [(item, text) for text in texts for item in find(text, language, possible=False)] == []


@given(st.text(st.sampled_from("1234567890 -.@a京A密码是路号：，x*#<_>"), max_size=120), st.sampled_from(["en", "zh"]))
def test_what_is_found_is_in_order_and_does_not_overlap(text: str, language: str) -> None:
    found = find(text, language)
    assert all(0 <= item.start < item.end <= len(text) for item in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


def test_a_number_belongs_to_one_type() -> None:
    found = find("微信和手机都是13812345678", "zh", possible=False)
    assert [item.type for item in found] == ["mobile"]


def test_an_id_card_beside_its_name_is_found_with_a_wrong_check_digit() -> None:
    assert [item.type for item in find("身份证号110105194912310021", "zh")] == ["id_card"]
    assert find("物流单号110105194912310021", "zh") == []


def test_types_can_be_left_out() -> None:
    assert find("IP 10.2.3.4", "zh", without={"ip"}) == []


def test_a_list_of_numbers_is_many_numbers() -> None:
    text = "13812345678，13912345678,13712345678、13612345678"
    assert len(find(text, "zh", possible=False)) == 4
