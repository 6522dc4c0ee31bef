"""An alias moves on an allowing decision only, goes back step by step, and everything stands in the history."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.errors import NotFoundError, RefusedError, UsageError
from tuneloop.core.records import Adapter, Decision, Reason
from tuneloop.registry.promotion import history, promote, roll_back
from tuneloop.registry.versions import register, resolve
from tuneloop.store.artifacts import new_artifact
from tuneloop.store.workspace import Workspace

YES = Decision(allowed=True, reasons=(Reason(rule="headline", passed=True, text="proven"),))
NO = Decision(allowed=False, reasons=(Reason(rule="leak", passed=False, text="2 rows leaked"),))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w")


def version(workspace: Workspace, number: int) -> Adapter:
    run = workspace.runs / f"r{number}"
    with new_artifact(run / "adapter", kind="adapter", config={"n": number}) as folder:
        (folder / "adapter_config.json").write_text(f'{{"n": {number}}}', encoding="utf-8")
    return register(workspace, name="bank", run_folder=run, base_model="tiny", run_id=f"r{number}")


def test_an_allowing_decision_moves_the_alias(workspace: Workspace) -> None:
    first = version(workspace, 1)
    assert "production" in promote(workspace, first, YES).aliases
    second = version(workspace, 2)
    assert resolve(workspace, "bank").version == 1
    promote(workspace, second, YES)
    assert resolve(workspace, "bank").version == 2


def test_a_refusal_moves_nothing_names_its_reasons_and_is_kept(workspace: Workspace) -> None:
    promote(workspace, version(workspace, 1), YES)
    with pytest.raises(RefusedError) as refused:
        promote(workspace, version(workspace, 2), NO)
    assert refused.value.code == "registry.gate_refused"
    assert "2 rows leaked" in refused.value.message("en")
    assert refused.value.status.exit == 4
    assert resolve(workspace, "bank@production").version == 1
    assert [(step.version, step.action) for step in history(workspace, "bank")] == [(1, "promoted"), (2, "refused")]
    assert Decision.model_validate_json(history(workspace, "bank")[1].decision) == NO


def test_roll_back_goes_back_step_by_step(workspace: Workspace) -> None:
    for number in (1, 2, 3):
        promote(workspace, version(workspace, number), YES)
    assert roll_back(workspace, "bank").version == 2
    assert roll_back(workspace, "bank").version == 1
    with pytest.raises(NotFoundError) as nothing:
        roll_back(workspace, "bank")
    assert nothing.value.code == "registry.nothing_before"
    assert resolve(workspace, "bank@production").version == 1
    steps = history(workspace, "bank")
    assert [(step.version, step.previous) for step in steps][-2:] == [(2, 3), (1, 2)]


def test_the_same_version_promoted_twice_is_one_step(workspace: Workspace) -> None:
    first = version(workspace, 1)
    promote(workspace, first, YES)
    second = version(workspace, 2)
    promote(workspace, second, YES)
    promote(workspace, second, YES)
    assert roll_back(workspace, "bank").version == 1


def test_what_was_never_promoted_can_not_be_rolled_back(workspace: Workspace) -> None:
    version(workspace, 1)
    with pytest.raises(NotFoundError):
        roll_back(workspace, "bank")
    with pytest.raises(NotFoundError):
        roll_back(workspace, "unknown")
    with pytest.raises(UsageError):
        promote(workspace, resolve(workspace, "bank"), YES, alias="v3")


def test_a_workspace_without_a_database_has_no_history(workspace: Workspace) -> None:
    assert history(workspace, "bank") == []
