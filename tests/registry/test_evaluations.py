"""The link between a training and the evaluations that judged it."""

from __future__ import annotations

from pathlib import Path

from tuneloop.core.records import Evaluation, Verdict
from tuneloop.registry.evaluations import evaluations_of, record_evaluation
from tuneloop.store.workspace import Workspace


def _evaluation(workspace: Workspace, status: str = "better") -> Evaluation:
    return Evaluation(
        id="e1",
        name="bank",
        path=workspace.evaluations / "e1",
        arms={},
        slices={},
        comparisons=(),
        verdict=Verdict(status=status, text=""),  # type: ignore[arg-type]
    )


def test_an_evaluation_is_found_by_its_run_and_noted_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    assert evaluations_of(workspace, "run-1") == []
    record_evaluation(workspace, _evaluation(workspace), run_id="run-1")
    record_evaluation(workspace, _evaluation(workspace, "worse"), run_id="run-1")
    (found,) = evaluations_of(workspace, "run-1")
    assert (found.evaluation_id, found.verdict, found.path) == ("e1", "worse", workspace.evaluations / "e1")
    assert evaluations_of(workspace, "run-2") == []
