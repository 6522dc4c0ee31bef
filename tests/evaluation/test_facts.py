"""Facts are the same however they are written, and what nobody said is an invention."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneloop.evaluation.facts import claims, han_number, invented, points
from tuneloop.evaluation.metrics import fact_recall

SAME = [
    ("根据《中华人民共和国刑法》第二百三十四条", "《刑法》第234条规定"),
    ("在三十日内提出申请", "30日内提出"),
    ("2024年3月15日", "2024-03-15"),
    ("on March 15, 2024", "on 15 Mar 2024"),
    ("within thirty days", "within 30 days"),
    ("pay $1,200.00", "pay 1200"),
    ("Section 12", "§ 12"),
    ("致电95588", "请拨打95588。"),
    ("三万五千元", "35000元"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_fact_written_in_another_way_is_the_same_fact(one: str, other: str) -> None:
    assert claims(one)
    assert claims(one) == claims(other)


@pytest.mark.parametrize("text", ["一个人", "万一丢失了怎么办", "1. First\n2. Second", "one of us", "第一次来"])
def test_what_only_looks_like_a_number_is_no_fact(text: str) -> None:
    assert claims(text) == set()


def test_recall_falls_with_each_fact_and_point_that_is_missing() -> None:
    reference = "根据《劳动合同法》第三十八条，您可以解除合同。请在30日内申请仲裁。"
    whole = fact_recall(reference, reference, "zh")
    without_article = fact_recall(reference.replace("第三十八条", ""), reference, "zh")
    without_point = fact_recall(reference.split("。")[0], reference, "zh")
    assert whole == 1.0
    assert without_point < without_article < whole


def test_facts_of_the_question_and_the_reference_are_not_invented() -> None:
    assert invented("您的30天期限从2024年3月1日起算", "我有三十日吗？从2024-03-01起") == set()
    assert {claim.value for claim in invented("请在15日内致电400-820-8888", "请在30日内致电95588")} == {
        "15",
        "4008208888",
    }


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=60)
def test_any_text_has_facts_and_points_and_invents_nothing_against_itself(text: str) -> None:
    assert invented(text, text) == set()
    assert all(point.strip() for point in points(text))


@given(st.integers(1, 99_999))
@settings(deadline=None, max_examples=60)
def test_chinese_numerals_are_read_as_they_are_written(number: int) -> None:
    digits, units = "零一二三四五六七八九", ["", "十", "百", "千", "万"]
    text, gap = "", False
    for place, digit in enumerate(reversed(str(number))):
        if digit == "0":
            gap = bool(text)
            continue
        text = digits[int(digit)] + units[place] + ("零" if gap and text else "") + text
        gap = False
    assert han_number(text) == number


def test_a_law_is_the_same_with_and_without_its_brackets() -> None:
    assert (
        fact_recall("请按继承法办理。", "按《中华人民共和国继承法》办理。", "zh")
        > fact_recall("请按规定办理。", "按《中华人民共和国继承法》办理。", "zh") + 0.4
    )
    assert invented("按《继承法》办理。", "根据中国的继承法。") == set()
