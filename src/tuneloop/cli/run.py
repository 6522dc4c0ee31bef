"""`tuneloop run`: the whole loop."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tuneloop.cli.following import Following
from tuneloop.cli.options import AcceptLicenseOption, ForceOption, RecipeArgument, SetOption, read_recipe
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import verb
from tuneloop.core.errors import UsageError
from tuneloop.core.messages import text

if TYPE_CHECKING:
    from tuneloop.core.records import Result
    from tuneloop.pipeline.loop import Outcome

Stage = Literal["prepare", "check", "train", "evaluate", "register"]


def add_to(application: typer.Typer) -> None:
    verb(application, "run")(run)


def run(
    session: Session,
    recipe: RecipeArgument,
    until: Annotated[Stage, typer.Option("--until", help=text("cli.option.until"))] = "register",
    set_: SetOption = None,
    force: ForceOption = False,
    smoke: Annotated[bool, typer.Option("--smoke", help=text("cli.option.smoke"))] = False,
    accept_license: AcceptLicenseOption = None,
) -> Reply:
    from tuneloop import api

    if int(os.environ.get("WORLD_SIZE") or 1) > 1:
        raise UsageError("cli.run_processes")
    chosen = read_recipe(recipe, set_, accept_license)
    if smoke:
        from tuneloop.pipeline.loop import SMOKE_ROWS

        session.show(text("cli.smoke_begin", rows=SMOKE_ROWS))
    outcome = api.run(
        chosen,
        session.workspace,
        until=until,
        smoke=smoke,
        force=force,
        progress=session.progress,
        tell=lambda stage, result: session.show(*_shown(stage, result)),
    )
    return Reply(
        outcome, _ending(outcome, recipe, Following(session.workspace, set_ or (), chosen.model.accept_license))
    )


def _shown(stage: str, result: Result) -> list[Any]:
    """A stage's result, as soon as it is there; the last two wait for the end."""
    from tuneloop.cli.dataset import dataset_shown
    from tuneloop.cli.tables import plan_tables, result_tables
    from tuneloop.core.records import Dataset, Plan

    if isinstance(result, Plan):
        return plan_tables(result)
    if isinstance(result, Dataset):
        return list(dataset_shown(result))
    return result_tables(result) if stage == "train" else []


def _ending(outcome: Outcome, recipe: Path, following: Following) -> list[Any]:
    from tuneloop.cli.tables import commands
    from tuneloop.cli.verdict import evaluation_shown

    shown: list[Any] = list(evaluation_shown(outcome.evaluation)) if outcome.evaluation is not None else []
    if outcome.smoke:
        shown.append(text("cli.smoke_end"))
    if outcome.adapter is None:
        return [*shown, commands(text("cli.next"), [following.with_recipe("run", recipe)])]
    label = outcome.adapter.label
    steps = [
        following.with_adapter("chat", "--adapter", label),
        following.with_adapter("predict", label, "--data", "questions.xlsx", "--out", "answers.xlsx"),
        following.with_adapter(
            "adapters export", label, "--format", "merged", "--out", f"{outcome.adapter.name}-merged"
        ),
    ]
    return [*shown, text("cli.registered", label=label), commands(text("cli.next"), steps)]
