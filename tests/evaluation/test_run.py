"""The whole stage on the tiny model: what it writes, what it repeats, what it refuses, and how it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tuneloop.core.errors import (
    CorruptError,
    DataError,
    IncompatibleError,
    NotFoundError,
    RecipeError,
    RefusedError,
    TryAgainError,
)
from tuneloop.core.records import Evaluation, Message, Meta, Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.results import read_predictions, read_results
from tuneloop.evaluation.run import _warnings
from tuneloop.evaluation.scoring import Rows, score_arm
from tuneloop.store.artifacts import verify
from tuneloop.store.workspace import Workspace

Evaluate = Callable[..., Evaluation]
WriteDataset = Callable[..., Path]


def make_sample(number: int, *turns: str, **tags: str) -> Sample:
    """A sample whose turns are said by user and assistant in turn."""
    roles = ("user", "assistant") * len(turns)
    messages = tuple(Message(role=role, content=said) for role, said in zip(roles, turns, strict=False))  # type: ignore[arg-type]
    return Sample(
        id=f"s{number:03d}", messages=messages, meta=Meta(source="made.csv", row=number, lang="en", tags=tags)
    )


def make_test_rows(count: int = 8) -> list[Sample]:
    return [
        make_sample(
            number,
            f"Question number {number}?",
            f"Hello, answer {number}.",
            intent="card" if number % 2 else "limit",
            seen="no" if number % 4 == 0 else "yes",
        )
        for number in range(1, count + 1)
    ]


class Listener:
    """Keeps what is reported; stops the work after `stop_after` answers."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.labels: list[tuple[str, float | None]] = []
        self.notes: list[str] = []
        self.left = stop_after

    @contextmanager
    def track(self, label: str, total: float | None, unit: str) -> Iterator[Listener]:
        self.labels.append((label, total))
        yield self

    def advance(self, amount: float = 1, **figures: float | str) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    def note(self, text: str) -> None:
        self.notes.append(text)


def generated(evaluation: Evaluation) -> dict[str, int]:
    arms = json.loads((evaluation.path / "timings.json").read_text())["arms"]
    return {arm: cost["generated"] for arm, cost in arms.items()}


def test_an_evaluation_is_a_finished_folder_with_every_file(
    evaluate: Evaluate, write_dataset: WriteDataset, script: str
) -> None:
    evaluation = evaluate(write_dataset(make_test_rows()), EvaluationConfig(script=script))
    manifest = verify(evaluation.path)
    assert set(manifest.files) == {"predictions.jsonl", "results.json", "timings.json", "report.html", "README.md"}
    assert set(manifest.inputs) >= {"dataset", "model", "adapter", "template", "script"}
    assert list(evaluation.arms) == ["base", "base+script", "tuned"]
    assert not evaluation.reused
    figures = evaluation.arms["tuned"]
    assert list(figures) == [
        "script_compliance",
        "exact_match",
        "rouge_l",
        "bleu",
        "ended",
        "answer_tokens",
        "repetition",
    ]
    assert all(figure.n == 8 for figure in figures.values())
    assert {"all", "seen", "unseen", "intent=card", "intent=limit"} == set(evaluation.slices)
    assert evaluation.slices["unseen"]["base"]["rouge_l"].n == 2
    assert [(c.a, c.b) for c in evaluation.comparisons[:2]] == [("base", "tuned"), ("base+script", "tuned")]
    assert evaluation.verdict.status == "not proven"


def test_results_hold_what_programs_read(evaluate: Evaluate, write_dataset: WriteDataset, script: str) -> None:
    evaluation = evaluate(write_dataset(make_test_rows()), EvaluationConfig(script=script))
    results = json.loads((evaluation.path / "results.json").read_text())
    assert set(results["arms"]["tuned"]["script_compliance"]) == {"value", "low", "high", "n"}
    assert set(results["slices"]["seen"]) == {"base", "base+script", "tuned"}
    assert set(results["comparisons"][0]) == {"a", "b", "metric", "difference", "low", "high", "p"}
    assert set(results["verdict"]) == {"status", "text"}
    assert set(results["rules"]) == {"opening", "short"}
    assert results["signatures"]["bleu"].startswith("nrefs:1|")
    assert "seconds" not in json.dumps(results)


def test_a_prediction_holds_every_arms_answer_with_its_scores_and_broken_rules(
    evaluate: Evaluate, write_dataset: WriteDataset, script: str
) -> None:
    rows = make_test_rows()
    evaluation = evaluate(write_dataset(rows), EvaluationConfig(script=script))
    predictions = list(read_predictions(evaluation.path))
    assert [p.id for p in predictions] == [row.id for row in rows]
    said = predictions[0].arms["tuned"]
    assert predictions[0].question == rows[0].question
    assert predictions[0].reference == rows[0].answer
    assert {"script_compliance", "rouge_l", "bleu", "ended"} <= set(said.scores)
    assert any(fault.rule == "opening" and fault.hard for fault in said.violations)
    mean = sum(p.arms["tuned"].scores["rouge_l"] for p in predictions) / len(predictions)
    assert evaluation.arms["tuned"]["rouge_l"].value == pytest.approx(mean, abs=1e-5)


def test_the_same_input_gives_the_same_bytes(evaluate: Evaluate, write_dataset: WriteDataset, tmp_path: Path) -> None:
    dataset = write_dataset(make_test_rows())
    first = evaluate(dataset, workspace=Workspace(tmp_path / "one"))
    second = evaluate(dataset, workspace=Workspace(tmp_path / "two"))
    for name in ("results.json", "predictions.jsonl"):
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes()


def test_a_finished_evaluation_is_not_done_again(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    dataset = write_dataset(make_test_rows())
    first = evaluate(dataset)
    listener = Listener()
    second = evaluate(dataset, progress=listener)
    assert second == first.model_copy(update={"reused": True})
    assert listener.labels == []


def test_force_does_everything_again_under_a_new_id(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    dataset = write_dataset(make_test_rows())
    first = evaluate(dataset)
    again = evaluate(dataset, force=True)
    assert again.id == f"{first.id}-2"
    assert generated(again) == {"base": 8, "tuned": 8}
    assert evaluate(dataset, force=True).id == f"{first.id}-3"
    assert evaluate(dataset).id == first.id


def test_the_next_evaluation_pays_for_the_new_arm_only(
    evaluate: Evaluate, write_dataset: WriteDataset, untrained_adapter: Path, adapter: Path
) -> None:
    dataset = write_dataset(make_test_rows())
    assert generated(evaluate(dataset, adapter=None)) == {"base": 8}
    listener = Listener()
    assert generated(evaluate(dataset, progress=listener)) == {"base": 0, "tuned": 8}
    assert any("8" in note for note in listener.notes)


def test_an_interrupted_evaluation_goes_on_where_it_stopped(
    evaluate: Evaluate, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    dataset = write_dataset(make_test_rows())
    whole = evaluate(dataset, workspace=Workspace(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        evaluate(dataset, progress=Listener(stop_after=11))
    (unfinished,) = (path for path in (tmp_path / "evaluations").iterdir() if path.name.startswith("bank"))
    with pytest.raises(NotFoundError):
        verify(unfinished)
    # The last line was being written when the power went.
    (last,) = (
        file for file in (tmp_path / "evaluations/.cache").glob("*.jsonl") if len(file.read_bytes().splitlines()) == 3
    )
    last.write_bytes(last.read_bytes()[:-20])
    evaluation = evaluate(dataset)
    assert evaluation.path == unfinished
    assert generated(evaluation) == {"base": 0, "tuned": 6}
    assert (evaluation.path / "results.json").read_bytes() == (whole.path / "results.json").read_bytes()


def test_two_processes_do_not_write_the_same_evaluation(
    evaluate: Evaluate, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    from filelock import FileLock

    dataset = write_dataset(make_test_rows(2))
    with pytest.raises(KeyboardInterrupt):
        evaluate(dataset, progress=Listener(stop_after=1))
    (lock,) = (tmp_path / "evaluations/.cache").glob("*.lock")
    with FileLock(lock), pytest.raises(TryAgainError) as raised:
        evaluate(dataset)
    assert raised.value.code == "evaluation.busy"


def test_an_adapter_that_changes_nothing_is_found_out(
    evaluate: Evaluate, write_dataset: WriteDataset, untrained_adapter: Path
) -> None:
    with pytest.raises(IncompatibleError) as raised:
        evaluate(write_dataset(make_test_rows()), adapter=untrained_adapter)
    assert raised.value.code == "evaluation.adapter_inactive"
    assert str(untrained_adapter) in str(raised.value)


def test_an_empty_test_split_is_refused_with_what_to_do(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    with pytest.raises(DataError) as raised:
        evaluate(write_dataset([]))
    assert raised.value.code == "evaluation.no_test_rows"
    assert "data.split.test" in raised.value.hint("en")


def test_a_blank_reference_is_named_by_its_row(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    rows = make_test_rows(3)
    rows[1] = make_sample(2, "Question number 2?", "  ")
    with pytest.raises(DataError) as raised:
        evaluate(write_dataset(rows))
    assert (raised.value.code, raised.value.row) == ("evaluation.reference_empty", 2)


def test_one_row_proves_nothing_and_says_so(evaluate: Evaluate, write_dataset: WriteDataset, script: str) -> None:
    listener = Listener()
    evaluation = evaluate(write_dataset(make_test_rows(1)), EvaluationConfig(script=script), progress=listener)
    assert evaluation.verdict.status == "not proven"
    assert any("only one test row" in note for note in listener.notes)
    assert all(comparison.p == 1 for comparison in evaluation.comparisons)
    rouge = next(comparison for comparison in evaluation.comparisons if comparison.metric == "rouge_l")
    assert (rouge.low, rouge.high) == (-1, 1)
    assert evaluation.arms["base"]["rouge_l"].low is None


def test_test_rows_that_were_trained_on_are_refused(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    rows = make_test_rows(4)
    dataset = write_dataset(rows, train=[make_sample(77, " question NUMBER 3 ?".replace(" ?", ""), "Something else.")])
    with pytest.raises(RefusedError) as raised:
        evaluate(dataset)
    assert (raised.value.code, raised.value.row) == ("evaluation.leak", 3)


def test_trained_rows_can_be_forced_and_are_marked(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    rows = make_test_rows(4)
    dataset = write_dataset(rows, train=rows[:2])
    evaluation = evaluate(dataset, force=True)
    assert next(warned.code for warned in read_results(evaluation.path).warnings) == "evaluation.warn_leak"
    assert "MARKED: 2 test questions" in (evaluation.path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(RefusedError):
        evaluate(dataset)


def test_a_missing_script_names_what_exists(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    with pytest.raises(RecipeError) as raised:
        evaluate(write_dataset(make_test_rows(2)), EvaluationConfig(script="nowhere.yaml"))
    assert "nowhere.yaml" in str(raised.value)


def test_compliance_as_headline_needs_a_script(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    with pytest.raises(RecipeError) as raised:
        evaluate(write_dataset(make_test_rows(2)), EvaluationConfig(headline="script_compliance"))
    assert raised.value.code == "evaluation.headline_without_script"


def test_a_missing_adapter_is_not_found(evaluate: Evaluate, write_dataset: WriteDataset, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        evaluate(write_dataset(make_test_rows(2)), adapter=tmp_path / "nothing")


def test_a_changed_dataset_is_found_out(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    dataset = write_dataset(make_test_rows(2))
    (dataset / "validation.jsonl").write_text("changed", encoding="utf-8")
    with pytest.raises(CorruptError):
        evaluate(dataset)


def test_a_script_that_does_not_fit_leaves_its_arm_out_with_a_warning(
    evaluate: Evaluate, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    (tmp_path / "long.yaml").write_text(
        "name: long\nrules:\n  - {id: opening, kind: starts_with, text: Hello, say: '" + "be kind " * 300 + "'}\n"
    )
    listener = Listener()
    evaluation = evaluate(write_dataset(make_test_rows(2)), EvaluationConfig(script="long.yaml"), progress=listener)
    assert list(evaluation.arms) == ["base", "tuned"]
    assert any("left out" in note for note in listener.notes)


def test_a_prompt_that_fills_the_context_is_named(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    with pytest.raises(DataError) as raised:
        evaluate(write_dataset([make_sample(1, "word " * 500, "Hello.")]))
    assert raised.value.code == "evaluation.prompt_too_long"


def test_every_turn_can_be_a_row_and_is_drawn_with_its_conversation(
    evaluate: Evaluate, write_dataset: WriteDataset
) -> None:
    talks = [make_sample(n, f"Hi {n}", f"Hello {n}, which card?", "The blue one", f"Done, {n}.") for n in range(3)]
    evaluation = evaluate(write_dataset(talks), EvaluationConfig(turns="all"))
    predictions = list(read_predictions(evaluation.path))
    assert [p.id for p in predictions] == [f"s00{n}#{turn}" for n in range(3) for turn in (1, 2)]
    assert [len(p.messages) for p in predictions[:2]] == [1, 3]
    assert set(evaluation.slices) == {"all", "single-turn", "multi-turn", "turn=2"}
    last = evaluate(write_dataset(talks))
    assert last.arms["base"]["rouge_l"].n == 3


def test_without_an_adapter_the_base_arms_are_scored_and_nothing_is_claimed(
    evaluate: Evaluate, write_dataset: WriteDataset, script: str
) -> None:
    evaluation = evaluate(write_dataset(make_test_rows()), EvaluationConfig(script=script), adapter=None)
    assert list(evaluation.arms) == ["base", "base+script"]
    assert evaluation.verdict.text.startswith("No adapter was evaluated")
    assert {(c.a, c.b) for c in evaluation.comparisons} == {("base", "base+script")}


def test_the_verdict_is_worded_in_the_readers_language_and_results_stay_the_same(
    evaluate: Evaluate, write_dataset: WriteDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = write_dataset(make_test_rows())
    english = evaluate(dataset)
    monkeypatch.setenv("TUNELOOP_LANGUAGE", "zh")
    chinese = evaluate(dataset, workspace=Workspace(tmp_path / "zh"))
    assert english.verdict.text.startswith("Not proven: on 8 test rows")
    assert chinese.verdict.text.startswith("未能证明：")
    assert (english.path / "results.json").read_bytes() == (chinese.path / "results.json").read_bytes()


def test_answers_without_a_token_and_without_an_end_are_scored_and_named() -> None:
    rows = make_test_rows(3)
    kept = {"key": "k", "first_token_seconds": 0.0, "seconds": 0.0}
    answers = [
        Answer(text="", tokens=0, finish_reason="stop", **kept),
        Answer(text="more " * 4000, tokens=4000, finish_reason="length", **kept),
        Answer(text="Right.", tokens=2, finish_reason="stop", **kept),
    ]
    made = Rows(samples=rows, units=["a", "b", "c"], metrics=("rouge_l", "bleu"), script=None, language="en", seed=1)
    scored = score_arm(made, answers)
    assert scored.scores["ended"] == [1.0, 0.0, 1.0]
    assert scored.scores["rouge_l"][0] == 0.0
    found = {warned.code: warned.values for warned in _warnings({"tuned": scored}, [])}
    assert found["evaluation.warn_empty_answers"] == {"arm": "tuned", "rows": 3, "count": 1}
    assert found["evaluation.warn_answers_cut"] == {"arm": "tuned", "rows": 3, "count": 1}
