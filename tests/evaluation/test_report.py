"""The report holds the verdict, the tables and the answers, in both languages, and nothing of it is fetched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneloop.core.records import Comparison, Figure, Message, Meta, Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.comparison import compare_all
from tuneloop.evaluation.report import render_report
from tuneloop.evaluation.results import (
    Carried,
    Headline,
    Results,
    Warned,
    judged,
    read_predictions,
    read_results,
    write_predictions,
    write_results,
)
from tuneloop.evaluation.scoring import Rows, figures, rule_table, score_arm, slices
from tuneloop.evaluation.script import load_script

SCRIPT = "name: house\nrules:\n  - {id: opening, kind: starts_with, text: Hello}\n"
ATTACK = "<script>alert('x')</script>"


def answer(said: str) -> Answer:
    return Answer(key=said, text=said, tokens=3, finish_reason="stop", first_token_seconds=0.1, seconds=0.2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished evaluation of 30 rows: the tuned model is right except for two rows, which the base got right."""
    (tmp_path / "house.yaml").write_text(SCRIPT, encoding="utf-8")
    samples = [
        Sample(
            id=f"s{n:02d}",
            messages=(
                Message(role="user", content=f"q{n} {ATTACK}"),
                Message(role="assistant", content=f"Hello, {n}."),
            ),
            meta=Meta(source="made", row=n, tags={"seen": "no" if n % 3 == 0 else "yes", "intent": f"i{n % 2}"}),
        )
        for n in range(30)
    ]
    rows = Rows(
        samples=samples,
        units=[s.id for s in samples],
        metrics=("rouge_l",),
        script=load_script("house.yaml", tmp_path),
        language="en",
        seed=1,
    )
    arms = {
        "base": score_arm(rows, [answer(s.answer if n < 2 else f"what {ATTACK}") for n, s in enumerate(samples)]),
        "tuned": score_arm(rows, [answer(s.answer if n >= 2 else "") for n, s in enumerate(samples)]),
    }
    compared = compare_all(rows, arms, "script_compliance")
    results = Results(
        name="bank",
        rows=30,
        arms={arm: figures(rows, one, range(30)) for arm, one in arms.items()},
        slices={
            cut: {arm: figures(rows, one, places) for arm, one in arms.items()}
            for cut, places in slices(samples).items()
        },
        comparisons=tuple(item.comparison for item in compared),
        headline=Headline(metric="script_compliance", detectable={"base": compared[0].detectable}),
        rules=rule_table(rows, arms),
        hard_rules=("opening",),
        signatures={"rouge_l": "rougeL|f"},
        warnings=(Warned(code="evaluation.warn_empty_answers", values={"arm": "tuned", "count": 2, "rows": 30}),),
        made_of={"dataset": "d1", "seed": 1, "rows": [30, 30], "versions": {"tuneloop": "0.1.0"}},
    )
    write_predictions(tmp_path, rows, arms)
    write_results(tmp_path, judged(results))
    cost = {"seconds": 2.0, "generated": 30, "reused": 0, "tokens_per_second": 45.0}
    cost |= {"first_token_p50": 0.1, "first_token_p95": 0.2}
    timings = {"format": 1, "arms": {"base": cost, "tuned": cost | {"generated": 0, "tokens_per_second": None}}}
    (tmp_path / "timings.json").write_text(json.dumps(timings))
    return tmp_path


def test_the_report_says_everything_in_both_languages(folder: Path) -> None:
    english, chinese = render_report(folder, language="en"), render_report(folder, language="zh")
    for wanted in ("Better: on 30 test rows", "opening (hard)", "unseen intents", "intent: i0", "rougeL|f", "(empty)"):
        assert wanted in english
    for wanted in ("更好：在 30 行测试数据上", "opening (硬性)", "未见过的意图", "意图：i0", "2 个为空", "（空）"):
        assert wanted in chinese


def test_the_most_changed_answers_stand_apart_with_their_broken_rules(folder: Path) -> None:
    page = render_report(folder, language="en")
    improved, worsened = page.index("28 answers have a higher"), page.index("2 answers have a lower")
    assert improved < worsened
    assert page[worsened:].count("✗ opening:") == 2
    assert page[improved:worsened].count("✗ opening:") == 10


def test_why_a_rule_was_broken_is_told_in_the_readers_language(folder: Path) -> None:
    assert "opening: does not begin with “Hello”" in render_report(folder, language="en")
    chinese = render_report(folder, language="zh")
    assert "opening: 开头不是“Hello”" in chinese
    assert "does not begin" not in chinese


def test_reasons_of_an_evaluation_from_before_they_were_messages_are_read_as_they_stand(folder: Path) -> None:
    file = folder / "predictions.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    old = {"rule": "opening", "hard": True, "reason": "no {Hello}", "span": "what"}
    lines[5]["arms"]["base"]["violations"] = [old]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert list(read_predictions(folder))[5].arms["base"].violations[0].message("zh") == "no {Hello}"


def test_what_was_carried_over_is_shown_by_turn_with_intervals(folder: Path) -> None:
    half = Figure(value=0.5, low=0.25, high=0.75, n=10)
    compared = Comparison(a="base", b="tuned", metric="carried", difference=0.1, low=-0.2, high=0.4, p=0.5)
    one = Carried(arms={"base": half, "tuned": half}, comparisons=(compared,))
    results = read_results(folder).model_copy(update={"carried": {"turn=2": one, "ago=0": one, "ago=6": one}})
    write_results(folder, results)
    english, chinese = render_report(folder, language="en"), render_report(folder, language="zh")
    for said in ("turn 2", "said in the question itself", "said 6 or more turns back", "50.0% (25.0–75.0)", "+10.0"):
        assert said in english
    assert "对前文信息的沿用" in chinese
    assert "6 轮及更早之前提到" in chinese


def test_a_proven_loss_beside_the_headline_stands_under_the_verdict(folder: Path) -> None:
    worse = Comparison(a="base", b="tuned", metric="grounded", difference=-0.36, low=-0.5, high=-0.2, p=0.001)
    results = read_results(folder)
    write_results(folder, results.model_copy(update={"comparisons": (*results.comparisons, worse)}))
    assert "no invented fact, -36.0 points against base" in render_report(folder, language="en")
    assert "已证明变差：无编造事实" in render_report(folder, language="zh")


def test_what_people_and_models_wrote_is_shown_never_run(folder: Path) -> None:
    page = render_report(folder, language="en")
    assert ATTACK not in page
    assert "&lt;script&gt;alert" in page


def test_a_report_fetches_nothing_and_repeats_its_bytes(folder: Path) -> None:
    page = render_report(folder, language="en")
    assert "<link" not in page
    assert "<script src" not in page
    assert page == render_report(folder, language="en")


def test_the_training_curve_is_shown_where_the_log_is(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    assert "validation loss" not in render_report(folder, language="en", run_folder=run)
    (run / "metrics.jsonl").write_text(
        '{"step": 1, "loss": 3.0}\n{"step": 2, "loss": 2.0, "validation_loss": 2.5}\n{"step": 3, "lo', encoding="utf-8"
    )
    page = render_report(folder, language="en", run_folder=run)
    assert "validation loss" in page
    assert '"x":[1,2]' in page
