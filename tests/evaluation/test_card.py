"""The evaluation's card: figures with intervals, what was not measured, and a head that hubs can read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from tuneloop.core.records import Evaluation, Message, Meta, Sample
from tuneloop.evaluation.card import render_card
from tuneloop.evaluation.config import EvaluationConfig, ForgettingConfig
from tuneloop.evaluation.results import read_results
from tuneloop.evaluation.wording import show_figure


def row(number: int) -> Sample:
    messages = (Message(role="user", content=f"Where is {number}?"), Message(role="assistant", content="Hello, here."))
    return Sample(id=f"s{number}", messages=messages, meta=Meta(source="made.csv", row=number, lang="en"))


def test_a_card_tells_verdict_figures_and_limits_in_both_languages(
    evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path], script: str
) -> None:
    config = EvaluationConfig(script=script, forgetting=ForgettingConfig(), max_rows=4)
    evaluation = evaluate(write_dataset([row(number) for number in range(6)]), config)
    results = read_results(evaluation.path)
    card = (evaluation.path / "README.md").read_text(encoding="utf-8")
    assert card == render_card(results, "en")
    head, body = card.removeprefix("---\n").split("\n---\n", 1)
    (found,) = yaml.safe_load(head)["model-index"][0]["results"]
    assert {metric["type"]: metric["value"] for metric in found["metrics"]}["ended"] == results.arms["tuned"][
        "ended"
    ].value
    assert f"**{results.verdict.text}**" in body
    for metric, figure in results.arms["tuned"].items():
        assert show_figure(metric, figure) in body
    assert "4 / 6" in body
    assert "Not measured: Robustness, Attacks and secrets, Privacy." in body
    assert "| General abilities |" in body
    chinese = render_card(results, "zh")
    assert "本评估不能说明什么" in chinese
    assert "未测量" in chinese
