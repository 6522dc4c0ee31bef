"""A judge by URL: an opinion counts only when it survives a swap of places, and the verdict does not rest on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tuneloop.core.errors import TryAgainError
from tuneloop.core.records import Evaluation, Message, Meta, Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.config import EvaluationConfig, JudgeConfig
from tuneloop.evaluation.judge import judge_answers
from tuneloop.evaluation.report import render_report
from tuneloop.evaluation.results import Probe, read_results
from tuneloop.evaluation.scoring import Rows

from .conftest import Server

CONFIG = JudgeConfig(url="http://judge/v1#x", rows=50)


def row(number: int) -> Sample:
    messages = (Message(role="user", content=f"Where is card {number}?"), Message(role="assistant", content="Here."))
    return Sample(id=f"s{number}", messages=messages, meta=Meta(source="made.csv", row=number, lang="en"))


def answer(text: str) -> Answer:
    return Answer(key=text, text=text, tokens=1, finish_reason="stop", first_token_seconds=0.0, seconds=0.0)


def judged(says: Callable[[str], str], count: int = 20, rows: int = 50) -> tuple[Probe, list[str]]:
    samples = [row(number) for number in range(count)]
    asked: list[str] = []

    def consult(url: str, messages: Mapping[str, Sequence[Message]], label: str) -> dict[str, str]:
        asked.extend(message[-1].content for message in messages.values())
        return {key: says(shown[-1].content) for key, shown in messages.items()}

    whole = Rows(samples=samples, units=[s.id for s in samples], metrics=(), script=None, language="en", seed=1)
    baseline, tuned = ([answer(f"{name} {n}") for n in range(count)] for name in ("weak", "strong"))
    return judge_answers(whole, baseline, tuned, CONFIG.model_copy(update={"rows": rows}), consult, "en"), asked


def values(probe: Probe) -> dict[str, float]:
    return {name: figure.value for name, figure in probe.arms["tuned"].items()}


def strong(shown: str) -> str:
    return "A" if shown.index("strong") < shown.index("weak") else "B"


def test_a_judge_that_knows_the_better_answer_finds_it_in_both_places() -> None:
    probe, asked = judged(strong)
    assert values(probe) == {"won": 1, "lost": 0, "tied": 0, "agreed": 1, "first": 0.5, "unread": 0}
    assert len(asked) == 40
    (difference,) = probe.comparisons
    assert difference.difference == 1
    assert difference.low > 0.7
    assert difference.p < 0.001
    assert probe.loss is None


def test_a_judge_that_loves_a_place_proves_nothing() -> None:
    probe, _ = judged(lambda shown: "A")
    assert values(probe) == {"won": 0, "lost": 0, "tied": 1, "agreed": 0, "first": 1, "unread": 0}
    assert probe.comparisons[0].p == 1


def test_ties_and_what_cannot_be_read_are_told_apart() -> None:
    tied, _ = judged(lambda shown: "C")
    unread, _ = judged(lambda shown: "Both have their merits.")
    assert (values(tied)["agreed"], values(tied)["unread"]) == (1, 0)
    assert (values(unread)["agreed"], values(unread)["unread"]) == (0, 1)
    assert values(unread)["tied"] == 1


def test_no_more_rows_are_asked_than_the_recipe_says() -> None:
    probe, asked = judged(strong, rows=5)
    assert (probe.details["rows"], len(asked)) == (5, 10)


def test_a_judge_stands_in_the_report_and_not_in_the_verdict_and_is_asked_once(
    evaluate: Callable[..., Evaluation],
    write_dataset: Callable[..., Path],
    server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def says(body: Any) -> str:
        return "B" if "card 1" in body["messages"][-1]["content"] else "C"

    monkeypatch.setattr(Server, "says", staticmethod(says))
    dataset = write_dataset([row(number) for number in range(3)])
    config = EvaluationConfig(judge=JudgeConfig(url=f"{server}#judge"))
    evaluation = evaluate(dataset, config)
    results = read_results(evaluation.path)
    assert results.probes["judge"].arms["tuned"]["tied"].value == 1
    assert results.headline.metric == "rouge_l"
    assert results.verdict == read_results(evaluate(dataset).path).verdict
    assert "judge" not in {one.metric for one in results.comparisons}
    for language, title in (("en", "Opinion of a judge"), ("zh", "评审模型的意见")):
        assert title in render_report(evaluation.path, language=language)  # type: ignore[arg-type]
    asked = len(Server.asked)
    evaluate(dataset, config.model_copy(update={"metrics": ("exact_match",)}))
    assert len(Server.asked) == asked == 6


def test_a_judge_that_is_away_is_named(evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path]) -> None:
    with pytest.raises(TryAgainError, match=r"127\.0\.0\.1:9"):
        evaluate(write_dataset([row(1)]), EvaluationConfig(judge=JudgeConfig(url="http://127.0.0.1:9/v1#judge")))
