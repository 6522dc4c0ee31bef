"""Tables and answers as people see them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.errors import CorruptError, NotFoundError
from tuneloop.core.messages import set_language
from tuneloop.core.records import Evaluation, Figure, Message, Verdict
from tuneloop.evaluation.results import Prediction, Said
from tuneloop.evaluation.summary import side_by_side, verdict_table
from tuneloop.evaluation.wording import arm_label, show_difference, show_figure, slice_label


def write_predictions(folder: Path, count: int) -> None:
    lines = [
        Prediction(
            id=f"s{n}",
            messages=(Message(role="user", content=f"question {n}"),),
            reference=f"reference {n}",
            arms={
                arm: Said(answer=f"{arm} {n}", finish_reason="stop", tokens=2, scores={}) for arm in ("base", "tuned")
            },
        ).model_dump_json()
        for n in range(count)
    ]
    (folder / "predictions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_the_verdict_table_has_arms_across_and_metrics_down() -> None:
    figures = {"script_compliance": Figure(value=0.5, low=0.4, high=0.6, n=9), "bleu": Figure(value=12.34, n=9)}
    evaluation = Evaluation(
        id="e",
        name="bank",
        path=Path("e"),
        arms={"base": figures, "tuned": figures},
        slices={},
        comparisons=(),
        verdict=Verdict(status="better", text=""),
    )
    assert verdict_table(evaluation, "en") == [
        ("metric", "base", "tuned"),
        ("script compliance", "50.0% (40.0–60.0)", "50.0% (40.0–60.0)"),
        ("BLEU", "12.3", "12.3"),
    ]
    assert verdict_table(evaluation, "zh")[0] == ("指标", "基础模型", "微调后")


@pytest.mark.parametrize(("rows", "asked", "shown"), [(9, 3, [1, 4, 7]), (2, 3, [0, 1]), (1, 1, [0])])
def test_answers_side_by_side_are_spread_not_picked(tmp_path: Path, rows: int, asked: int, shown: list[int]) -> None:
    write_predictions(tmp_path, rows)
    assert side_by_side(tmp_path, asked) == [
        (f"question {n}", f"reference {n}", {"base": f"base {n}", "tuned": f"tuned {n}"}) for n in shown
    ]


def test_missing_or_damaged_predictions_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        side_by_side(tmp_path, 3)
    write_predictions(tmp_path, 2)
    path = tmp_path / "predictions.jsonl"
    path.write_text(path.read_text()[:-30], encoding="utf-8")
    with pytest.raises(CorruptError) as raised:
        side_by_side(tmp_path, 3)
    assert raised.value.row == 2


def test_names_that_the_catalogue_does_not_know_are_shown_as_they_are() -> None:
    assert arm_label("bank@v0003", "en") == "bank@v0003"
    assert slice_label("intent=挂失", "zh") == "意图：挂失"


def test_numbers_are_shown_in_their_own_unit() -> None:
    assert show_figure("rouge_l", Figure(value=0.41238, low=0.4, high=0.42, n=3)) == "0.412 (0.400–0.420)"
    assert show_difference("exact_match", -0.05, "zh") == "-5.0 个百分点"
    set_language("en")
    assert show_difference("exact_match", 0.05) == "+5.0 points"
    set_language(None)
