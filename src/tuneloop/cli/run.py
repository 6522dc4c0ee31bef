"""`tuneloop run`: the whole loop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tuneloop.cli.options import AcceptLicenseOption, ForceOption, RecipeArgument, SetOption, read_recipe
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import verb
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
    return Reply(outcome, _ending(outcome, recipe, session))


def _shown(stage: str, result: Result) -> list[Any]:
    """A stage's result, as soon as it is there; the last two wait for the end."""
    from tuneloop.cli.tables import plan_tables, result_tables
    from tuneloop.core.records import Plan

    if isinstance(result, Plan):
        return plan_tables(result)
    return result_tables(result) if stage in ("prepare", "train") else []


def _ending(outcome: Outcome, recipe: Path, session: Session) -> list[Any]:
    from tuneloop.cli.tables import commands
    from tuneloop.cli.verdict import evaluation_shown

    shown: list[Any] = list(evaluation_shown(outcome.evaluation)) if outcome.evaluation is not None else []
    if outcome.smoke:
        return [*shown, text("cli.smoke_end"), commands(text("cli.next"), [f"tuneloop run {recipe}"])]
    if outcome.adapter is None:
        return [*shown, commands(text("cli.next"), [f"tuneloop run {recipe}"])]
    label, place = outcome.adapter.label, _place(session)
    steps = [
        f"tuneloop chat --adapter {label}{place}",
        f"tuneloop predict {label} --data questions.xlsx --out answers.xlsx{place}",
        f"tuneloop adapters export {label} --format merged --out {outcome.adapter.name}-merged{place}",
    ]
    return [*shown, text("cli.registered", label=label), commands(text("cli.next"), steps)]


def _place(session: Session) -> str:
    """The option that finds this workspace again, where the current folder does not."""
    from tuneloop.store.workspace import find_workspace

    return "" if find_workspace() == session.workspace else f" --workspace {session.workspace.root}"
