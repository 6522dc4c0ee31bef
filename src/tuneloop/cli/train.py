"""`tuneloop check`, `tuneloop train` and `tuneloop runs`."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from tuneloop.cli.options import AcceptLicenseOption, ForceOption, RecipeArgument, SetOption, read_recipe
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import group, verb
from tuneloop.core.errors import RefusedError
from tuneloop.core.messages import text

ResumeOption = Annotated[bool | None, typer.Option("--resume/--no-resume", help=text("cli.option.resume"))]
DeviceOption = Annotated[
    str | None, typer.Option("--device", metavar="t4|a10|4090|h100", help=text("cli.option.plan_device"))
]
MeasureOption = Annotated[bool, typer.Option("--measure", help=text("cli.option.measure"))]
FindRateOption = Annotated[bool, typer.Option("--find-learning-rate", help=text("cli.option.find_learning_rate"))]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help=text("cli.option.run"))]


def add_to(application: typer.Typer) -> None:
    verb(application, "check")(check)
    verb(application, "train")(train)
    runs = group(application, "runs")
    verb(runs, "runs.list")(list_)
    verb(runs, "runs.show")(show)


def check(
    session: Session,
    recipe: RecipeArgument,
    set_: SetOption = None,
    device: DeviceOption = None,
    measure: MeasureOption = False,
    accept_license: AcceptLicenseOption = None,
) -> Reply:
    from tuneloop import api
    from tuneloop.cli.tables import plan_tables

    chosen = read_recipe(recipe, set_, accept_license)
    plan = api.check(chosen, session.workspace, device=device, measure=measure, progress=session.progress)
    if plan.refused:
        session.show(*plan_tables(plan))
        refused = [finding for finding in plan.findings if finding.status == "refuse"]
        reasons, fixes = ("; ".join(getattr(f, field) for f in refused) for field in ("message", "fix"))
        raise RefusedError("training.refused", reasons=reasons, fixes=fixes)
    return Reply(plan, plan_tables(plan))


def train(
    session: Session,
    recipe: RecipeArgument,
    set_: SetOption = None,
    resume: ResumeOption = None,
    force: ForceOption = False,
    find_learning_rate: FindRateOption = False,
    accept_license: AcceptLicenseOption = None,
) -> Reply | None:
    from tuneloop import api
    from tuneloop.cli.following import Following
    from tuneloop.cli.tables import commands, result_tables

    also = ["training.find_learning_rate=true"] if find_learning_rate else []
    chosen = read_recipe(recipe, [*(set_ or ()), *also], accept_license)
    if os.environ.get("RANK", "0") != "0":  # started by torchrun: process 0 leads, reports and writes
        api.follow(chosen, session.workspace)
        return None
    run = api.train(chosen, session.workspace, force=force, resume=resume, progress=session.progress)
    report = text("cli.report", path=run.path / "report.html")
    following = Following(session.workspace, set_ or (), chosen.model.accept_license)
    steps = [following.with_recipe("evaluate", recipe)]
    return Reply(run, [*result_tables(run), report, commands(text("cli.next"), steps)])


def list_(session: Session) -> Reply:
    from tuneloop.cli import found
    from tuneloop.cli.tables import table

    items = [_summary(name, folder) for name, folder in found.runs(session.workspace).items()]
    if not items:
        return Reply([], [text("cli.none", place=session.workspace.runs)])
    columns = [text(f"cli.column.{name}") for name in ("id", "state", "steps", "loss", "made_at")]
    rows = [
        (
            item["id"],
            text("general.finished" if item["finished"] else "general.unfinished"),
            str(item["steps"]),
            "" if item["best_validation_loss"] is None else f"{item['best_validation_loss']:.4f}",
            item["made_at"],
        )
        for item in items
    ]
    return Reply(items, [table(text("cli.runs"), columns, rows)])


def show(session: Session, run: RunArgument) -> Reply:
    from tuneloop.cli import found
    from tuneloop.cli.tables import draw, plan_tables
    from tuneloop.core.records import Plan
    from tuneloop.core.show import facts, show_bytes, show_duration

    path = found.pick(found.runs(session.workspace), run, "run", session.workspace.runs)
    summary = _summary(path.name, path)
    plan = Plan.model_validate(found.read_json(path / "plan.json")) if (path / "plan.json").exists() else None
    loss = summary["best_validation_loss"]
    shown = {
        "steps": f"{summary['steps']:,}",
        "best_step": f"{summary['best_step']:,}" if summary["finished"] else "",
        "best_validation_loss": "" if loss is None else f"{loss:.4f}",
        "time": show_duration(summary["seconds"]) if summary["seconds"] else "",
        "memory_used": show_bytes(summary["memory_bytes"]) if summary["memory_bytes"] else "",
        "state": text("general.finished" if summary["finished"] else "general.unfinished"),
        "folder": str(path),
    }
    tables: list[Any] = [draw(facts(f"{text('general.run')} {path.name}", shown))]
    tables += plan_tables(plan) if plan is not None else []
    if (path / "report.html").exists():
        tables.append(text("cli.report", path=path / "report.html"))
    return Reply({**summary, "plan": plan}, tables)


def _summary(name: str, folder: Any) -> dict[str, Any]:
    """What `trainer_state.json` says; for an unfinished training, how far it is."""
    from tuneloop.cli import found

    made_at = found.made_at(folder)
    state = found.read_json(folder / "trainer_state.json") if made_at else {}
    return {
        "id": name,
        "finished": bool(made_at),
        "steps": state.get("global_step", found.steps_done(folder)),
        "best_step": state.get("best_global_step"),
        "best_validation_loss": state.get("best_metric"),
        "seconds": state.get("train_runtime"),
        "tokens_per_second": state.get("tokens_per_second"),
        "memory_bytes": state.get("memory_bytes"),
        "made_at": made_at,
        "path": folder,
    }
