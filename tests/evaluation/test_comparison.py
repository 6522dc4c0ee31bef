"""What is called better, worse or not proven, and in which words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tuneloop.core.records import Comparison, Message, Meta, Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.comparison import compare_all, headline_of, judge, reading
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.scoring import Rows, Scored, figures, score_arm
from tuneloop.evaluation.wording import verdict_text


def answer(said: str) -> Answer:
    return Answer(key=said, text=said, tokens=len(said), finish_reason="stop", first_token_seconds=0.1, seconds=0.2)


def rows_of(count: int, units: Sequence[str] = (), metrics: Sequence[str] = ("exact_match", "rouge_l", "bleu")) -> Rows:
    samples = [
        Sample(
            id=f"s{n}",
            messages=(Message(role="user", content=f"q{n}"), Message(role="assistant", content=f"the answer is {n}")),
            meta=Meta(source="made", row=n),
        )
        for n in range(count)
    ]
    units = units or [sample.id for sample in samples]
    return Rows(samples=samples, units=units, metrics=metrics, script=None, language="en", seed=1)


def scored(rows: Rows, right: int) -> Scored:
    """An arm that gives the first `right` answers right."""
    return score_arm(rows, [answer(s.answer if n < right else "nobody knows") for n, s in enumerate(rows.samples)])


def comparison(low: float, high: float, p: float, a: str = "base") -> Comparison:
    return Comparison(a=a, b="tuned", metric="rouge_l", difference=(low + high) / 2, low=low, high=high, p=p)


def test_a_comparison_proves_something_only_where_interval_and_test_agree() -> None:
    assert reading(comparison(0.1, 0.3, 0.001)) == "better"
    assert reading(comparison(-0.3, -0.1, 0.001)) == "worse"
    assert reading(comparison(0.1, 0.3, 0.2)) == "not proven"
    assert reading(comparison(-0.1, 0.3, 0.01)) == "not proven"


@pytest.mark.parametrize(
    ("against_base", "against_script", "verdict"),
    [
        ((0.1, 0.3, 0.001), (0.1, 0.3, 0.001), "better"),
        ((0.1, 0.3, 0.001), (-0.1, 0.3, 0.4), "not proven"),
        ((0.1, 0.3, 0.001), (-0.3, -0.1, 0.001), "worse"),
        ((-0.1, 0.1, 0.9), (-0.1, 0.1, 0.9), "not proven"),
    ],
)
def test_better_means_better_than_every_baseline(
    against_base: tuple[float, float, float], against_script: tuple[float, float, float], verdict: str
) -> None:
    pairs = [comparison(*against_base), comparison(*against_script, a="base+script")]
    assert judge(pairs, "rouge_l") == verdict


def test_other_metrics_do_not_decide() -> None:
    assert judge([comparison(0.1, 0.3, 0.001)], "bleu") == "not proven"


def test_a_clear_gain_is_better_and_its_mirror_image_is_worse() -> None:
    rows = rows_of(40)
    low, high = scored(rows, 5), scored(rows, 35)
    up = [item.comparison for item in compare_all(rows, {"base": low, "tuned": high}, "rouge_l")]
    down = [item.comparison for item in compare_all(rows, {"base": high, "tuned": low}, "rouge_l")]
    assert judge(up, "rouge_l") == "better"
    assert judge(down, "rouge_l") == "worse"
    for there, back in zip(up, down, strict=True):
        assert there.difference == pytest.approx(-back.difference)
        assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-6)
        assert there.p == pytest.approx(back.p)


def test_equal_arms_prove_nothing_however_equal_they_are() -> None:
    rows = rows_of(20)
    same = compare_all(rows, {"base": scored(rows, 10), "tuned": scored(rows, 10)}, "exact_match")
    assert judge([item.comparison for item in same], "exact_match") == "not proven"
    assert all(item.comparison.p == 1 for item in same)
    exact = same[0].comparison
    assert exact.low < -0.05 < 0.05 < exact.high
    assert all(item.detectable is not None and item.detectable > 0 for item in same)


def test_turns_of_one_conversation_prove_less_than_as_many_conversations() -> None:
    apart, together = rows_of(20), rows_of(20, units=[str(n // 10) for n in range(20)])
    wide, narrow = (
        compare_all(rows, {"base": scored(rows, 4), "tuned": scored(rows, 16)}, "exact_match")[0]
        for rows in (together, apart)
    )
    assert narrow.comparison.p < 0.05 < wide.comparison.p
    assert narrow.detectable is not None
    assert wide.detectable is None, "two conversations prove nothing, however many turns they have"


@pytest.mark.parametrize(("rows", "detectable"), [(5, False), (6, True)])
def test_five_rows_can_detect_no_difference(rows: int, detectable: bool) -> None:
    few = rows_of(rows)
    headline = compare_all(few, {"base": scored(few, 0), "tuned": scored(few, rows)}, "exact_match")[0]
    assert (headline.detectable is not None) == detectable
    assert (headline.comparison.p < 0.05) == detectable


def test_a_further_metric_does_not_make_the_headline_less_certain() -> None:
    few, more = rows_of(15, metrics=("rouge_l",)), rows_of(15, metrics=("rouge_l", "bleu", "token_f1", "exact_match"))
    p_values = [
        compare_all(rows, {"base": scored(rows, 5), "tuned": scored(rows, 11)}, "rouge_l")[0].comparison.p
        for rows in (few, more)
    ]
    assert p_values[0] == p_values[1]


def test_corpus_bleu_is_reported_and_compared_as_one_value() -> None:
    rows = rows_of(12)
    base, tuned = scored(rows, 3), scored(rows, 9)
    places = range(12)
    values = [figures(rows, arm, places)["bleu"].value for arm in (base, tuned)]
    item = next(
        i for i in compare_all(rows, {"base": base, "tuned": tuned}, "rouge_l") if i.comparison.metric == "bleu"
    )
    assert item.comparison.difference == pytest.approx(values[1] - values[0])


def test_the_headline_is_compliance_where_there_is_a_script() -> None:
    assert headline_of(EvaluationConfig(), True) == "script_compliance"
    assert headline_of(EvaluationConfig(), False) == "rouge_l"
    assert headline_of(EvaluationConfig(headline="bleu"), True) == "bleu"


def test_the_verdict_tells_its_numbers_in_both_languages() -> None:
    values = {"base": 0.034, "base+script": 0.12, "tuned": 0.92}
    told = [
        Comparison(a="base", b="tuned", metric="script_compliance", difference=0.886, low=0.82, high=0.93, p=0.0001),
        Comparison(
            a="base+script", b="tuned", metric="script_compliance", difference=0.8, low=0.7, high=0.88, p=0.0001
        ),
    ]
    english = verdict_text("better", "script_compliance", 150, values, told, {}, "en")
    assert english == (
        "Better: on 150 test rows the tuned model reaches script compliance 92.0%. Against base (3.4%) that is "
        "+88.6 points (95% interval +82.0 to +93.0, p < 0.001). Against base + script (12.0%) that is +80.0 points "
        "(95% interval +70.0 to +88.0, p < 0.001)."
    )
    chinese = verdict_text("better", "script_compliance", 150, values, told, {}, "zh")
    assert chinese.startswith(
        "更好：在 150 行测试数据上，微调后模型的话术合规率为 92.0%。与基础模型（3.4%）相比为 +88.6 个百分点"
    )


def test_a_verdict_on_too_few_rows_says_how_many_it_takes() -> None:
    told = [comparison(-0.02, 0.05, 0.3)]
    given = ("not proven", "rouge_l", 5, {"base": 0.3, "tuned": 0.315}, told, {})
    english, chinese = (verdict_text(*given, language, too_few=(5, 6)) for language in ("en", "zh"))
    assert "No difference can be proven with 5 independent test rows" in english
    assert "at least 6 are needed" in english
    assert "power" not in english
    assert "至少需要 6 行" in chinese


def test_an_unproven_verdict_says_what_would_have_been_seen() -> None:
    told = [comparison(-0.02, 0.05, 0.3)]
    sentence = verdict_text("not proven", "rouge_l", 80, {"base": 0.3, "tuned": 0.315}, told, {"base": 0.061}, "en")
    assert sentence.startswith("Not proven: on 80 test rows")
    assert "found reliably (power 80%) from 0.061 (against base) on" in sentence
