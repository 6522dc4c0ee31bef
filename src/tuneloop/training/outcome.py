"""How a run ends on disk: its summary, its report and its manifest, or the page of one that was given up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneloop.core.errors import DivergedError, NotFoundError
from tuneloop.core.messages import current_language
from tuneloop.core.records import Plan, Run
from tuneloop.store.artifacts import read_manifest, write_manifest, write_text_atomically
from tuneloop.training.identity import FILE, read_forced
from tuneloop.training.journal import read_metrics
from tuneloop.training.recovery import read_recovery
from tuneloop.training.report import training_report
from tuneloop.training.state import State


@dataclass(frozen=True, slots=True)
class Place:
    """Which run it is."""

    folder: Path
    name: str
    identity: dict[str, Any]
    seed: int


def finish(place: Place, plan: Plan, state: State) -> None:
    """Write the summary, the report and, last, the manifest that makes the run finished."""
    folder = place.folder
    recovery = read_recovery(folder)
    _write_summary(place, state, forced=read_forced(folder), **recovery.model_dump(mode="json"))
    metrics = read_metrics(folder / "metrics.jsonl")
    page = training_report(place.name, plan, state, metrics, recovery, current_language())
    write_text_atomically(folder / "report.html", page)
    inputs = {"dataset": place.identity["dataset"]}
    write_manifest(folder, kind="run", config=place.identity, inputs=inputs, seeds={"training": place.seed})


def give_up(place: Place, plan: Plan, error: DivergedError) -> None:
    """A page and a summary of a run that diverged; without a manifest it stays unfinished."""
    metrics = read_metrics(place.folder / "metrics.jsonl")
    history = [line for line in metrics if "validation_loss" in line]
    best = min(history, key=lambda line: float(line["validation_loss"]), default=None)
    state = State(
        step=max((line["step"] for line in metrics), default=0),
        tokens=max((line.get("tokens", 0) for line in metrics), default=0),
        peak_memory=max((line.get("memory_bytes", 0) for line in metrics), default=0),
        best_step=best["step"] if best else 0,
        best_loss=best["validation_loss"] if best else float("inf"),
        history=history,
    )
    recovery = read_recovery(place.folder)
    _write_summary(place, state, diverged=error.message("en"), **recovery.model_dump(mode="json"))
    page = training_report(place.name, plan, state, metrics, recovery, current_language(), str(error))
    write_text_atomically(place.folder / "report.html", page)


def _write_summary(place: Place, state: State, **more: Any) -> None:
    summary = {
        "name": place.name,
        "global_step": state.step,
        "best_global_step": state.best_step,
        "best_metric": state.best_loss if state.history else None,
        "log_history": state.history,
        "train_runtime": round(state.seconds, 2),
        "tokens": state.tokens,
        "tokens_per_second": round(state.tokens / max(state.seconds, 1e-9), 1),
        "memory_bytes": state.peak_memory,
        "stopped_early": state.stopped_early,
        "left_out": state.left_out,
    }
    write_text_atomically(place.folder / "trainer_state.json", json.dumps(summary | more, indent=2) + "\n")


def read_plan(folder: Path) -> Plan | None:
    """The plan of an unfinished run: on another day, free memory or a new version would plan another training."""
    path = folder / "plan.json"
    return Plan.model_validate_json(path.read_bytes()) if path.exists() and (folder / FILE).exists() else None


def read_run(folder: Path) -> Run:
    """Read a finished run.

    Raises:
        NotFoundError: there is none, or it was never finished.
    """
    read_manifest(folder)
    try:
        summary = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError("store.not_found", file=folder) from error
    return Run(
        id=folder.name,
        name=summary["name"],
        path=folder,
        steps=summary["global_step"],
        best_step=summary["best_global_step"],
        best_validation_loss=summary["best_metric"],
        seconds=summary["train_runtime"],
        tokens_per_second=summary["tokens_per_second"],
        memory_bytes=summary["memory_bytes"],
    )
