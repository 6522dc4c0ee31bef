"""From a registered version to the alias that serves: its newest evaluation, the recipe's gate, the registry."""

from __future__ import annotations

import json
from typing import Any

import yaml
from pydantic import ValidationError

from tuneloop.core.errors import CorruptError
from tuneloop.core.messages import text
from tuneloop.core.records import Adapter, Decision, Reason
from tuneloop.registry.config import GateConfig
from tuneloop.registry.evaluations import Judgement, evaluations_of
from tuneloop.registry.versions import resolve
from tuneloop.store.workspace import Workspace


def judge_version(workspace: Workspace, reference: str, evaluation: str | None = None) -> tuple[Adapter, Decision]:
    """Ask the gate about a version.

    Args:
        workspace: where it is registered.
        reference: `NAME`, `NAME@v0003` or `NAME@alias`.
        evaluation: id of the evaluation to rest on; the newest one of its training by default.

    Returns:
        The version and the decision; a version that was never evaluated is not allowed.

    Raises:
        NotFoundError: there is no such version.
        CorruptError: the evaluation's files or the recipe of the run are damaged.
    """
    from tuneloop.evaluation.arms import adapter_hash
    from tuneloop.evaluation.gate import decide
    from tuneloop.evaluation.results import read_results

    adapter = resolve(workspace, reference)
    judged = _judgement(evaluations_of(workspace, adapter.run_id), evaluation)
    if judged is None or not (judged.path / "results.json").exists():
        told = text("evaluation.gate_evaluated_failed", label=adapter.label)
        return adapter, Decision(allowed=False, reasons=(Reason(rule="evaluated", passed=False, text=told),))
    timings = judged.path / "timings.json"
    decision = decide(
        read_results(judged.path),
        json.loads(timings.read_text(encoding="utf-8")) if timings.exists() else {},
        gate_of(workspace, adapter.run_id),
        adapter_sha256=adapter_hash(adapter.path),
        evaluation=judged.evaluation_id,
    )
    return adapter, decision


def gate_of(workspace: Workspace, run_id: str) -> GateConfig:
    """The gate of the recipe that a run was trained by; the default one where the run's folder is gone.

    Raises:
        CorruptError: the recipe in the run's folder can't be read (code `store.file_differs`).
    """
    path = workspace.runs / run_id / "recipe.yaml"
    if not path.is_file():
        return GateConfig()
    try:
        recipe: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return GateConfig.model_validate((recipe.get("register") or {}).get("gate") or {})
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError, AttributeError) as error:
        raise CorruptError("store.file_differs", file=path) from error


def _judgement(judged: list[Judgement], evaluation: str | None) -> Judgement | None:
    fitting = [item for item in judged if evaluation in (None, item.evaluation_id)]
    return fitting[-1] if fitting else None
