"""An evaluation judges the adapter that was trained: it answers as it did then, or the evaluation is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tuneloop.adapters.replay import Replay
from tuneloop.core.errors import IncompatibleError
from tuneloop.core.records import Evaluation, Message, Meta, Sample
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.report import render_report
from tuneloop.evaluation.results import read_results

from .conftest import write_adapter

MESSAGES = (Message(role="user", content="Where?"), Message(role="assistant", content="Here."))
ROW = Sample(id="s1", messages=MESSAGES, meta=Meta(source="made.csv", row=1, lang="en"))


def other_answers(replay: Replay) -> Replay:
    """The same prompts with answers that the adapter does not give."""
    answers = [
        one.model_copy(update={"answer_ids": tuple((token + 7) % 64 for token in one.answer_ids)})
        for one in replay.answers
    ]
    return replay.model_copy(update={"answers": tuple(answers)})


def test_an_adapter_that_gives_its_stored_answers_is_evaluated(
    evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    adapter = write_adapter(tmp_path / "run" / "adapter", 0.5, said=lambda replay: replay)
    evaluation = evaluate(write_dataset([ROW]), adapter=adapter)
    assert "tuned" in evaluation.arms
    assert "evaluation.warn_no_replay" not in {warned.code for warned in read_results(evaluation.path).warnings}


def test_an_adapter_from_before_answers_were_stored_is_evaluated_and_named(
    evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    evaluation = evaluate(write_dataset([ROW]), adapter=write_adapter(tmp_path / "run" / "adapter", 0.5))
    found = {warned.code: warned for warned in read_results(evaluation.path).warnings}
    assert found["evaluation.warn_no_replay"].values == {"arm": "tuned"}
    assert "could not be checked" in render_report(evaluation.path, language="en")
    assert "无法核对" in render_report(evaluation.path, language="zh")


def test_an_adapter_that_answers_otherwise_than_after_its_training_is_refused(
    evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    adapter = write_adapter(tmp_path / "run" / "adapter", 0.5, said=other_answers)
    with pytest.raises(IncompatibleError) as refused:
        evaluate(write_dataset([ROW]), adapter=adapter)
    assert refused.value.code == "adapters.replay_differs"


def test_an_adapter_of_another_base_is_refused_before_anything_is_answered(
    evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    adapter = write_adapter(tmp_path / "run" / "adapter", 0.5)
    manifest = json.loads((adapter / "manifest.json").read_text(encoding="utf-8"))
    manifest["config"]["base_sha256"], manifest["manifest_sha256"] = "0" * 64, ""  # other weights or vocabulary
    (adapter / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    dataset = write_dataset([ROW])
    for change in ({"adapter": adapter}, {"others": {"other@v0001": adapter}}):
        config = EvaluationConfig(against=tuple(change.get("others", {})))
        with pytest.raises(IncompatibleError) as refused:
            evaluate(dataset, config, **change)
        assert refused.value.code == "adapters.base_differs"
    assert list(tmp_path.glob("evaluations/.cache/*.jsonl")) == []
