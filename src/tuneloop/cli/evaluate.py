"""`tuneloop evaluate` and `tuneloop evaluations`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tuneloop.cli.options import AcceptLicenseOption, AdapterOption, ForceOption, SetOption, read_recipe
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import group, verb
from tuneloop.core.errors import UsageError
from tuneloop.core.messages import text

EvaluationArgument = Annotated[str, typer.Argument(metavar="EVALUATION", help=text("cli.option.evaluation"))]


def add_to(application: typer.Typer) -> None:
    verb(application, "evaluate")(evaluate)
    evaluations = group(application, "evaluations")
    verb(evaluations, "evaluations.list")(list_)
    verb(evaluations, "evaluations.show")(show)
    verb(evaluations, "evaluations.compare")(compare)


def evaluate(
    session: Session,
    recipe: Annotated[Path | None, typer.Argument(metavar="[RECIPE]", help=text("cli.option.evaluate_recipe"))] = None,
    set_: SetOption = None,
    adapter: AdapterOption = None,
    data: Annotated[Path | None, typer.Option("--data", help=text("cli.option.evaluate_data"))] = None,
    script: Annotated[str | None, typer.Option("--script", help=text("cli.option.script"))] = None,
    data_language: Annotated[
        Literal["en", "zh"], typer.Option("--data-language", help=text("cli.option.data_language"))
    ] = "en",
    learning_curve: Annotated[bool, typer.Option("--learning-curve", help=text("cli.option.learning_curve"))] = False,
    force: ForceOption = False,
    accept_license: AcceptLicenseOption = None,
) -> Reply:
    from tuneloop import api
    from tuneloop.cli.verdict import curve_shown, evaluation_shown

    if (recipe is None) == (adapter is None and data is None) or (adapter is None) != (data is None):
        raise UsageError(
            "cli.either", first="RECIPE", second="--adapter NAME --data FILE", help="tuneloop evaluate --help"
        )
    if recipe is not None:
        chosen = read_recipe(
            recipe, [*(set_ or []), *([f"evaluation.script={script}"] if script else [])], accept_license
        )
        if learning_curve:
            curve = api.learning_curve(chosen, session.workspace, progress=session.progress)
            return Reply(curve, curve_shown(curve))
        result = api.evaluate(chosen, session.workspace, force=force, progress=session.progress)
    else:
        assert adapter is not None
        assert data is not None
        result = api.evaluate_file(
            adapter,
            data,
            session.workspace,
            script=script,
            language=data_language,
            accept_license=accept_license,
            force=force,
            progress=session.progress,
        )
    return Reply(result, evaluation_shown(result))


def list_(session: Session) -> Reply:
    from rich.text import Text

    from tuneloop.cli import found
    from tuneloop.cli.tables import VERDICT_STYLES, table

    items = []
    for name, folder in found.evaluations(session.workspace).items():
        results = found.read_json(folder / "results.json")
        headline = results["headline"]["metric"]
        values = {arm: figures.get(headline, {}).get("value") for arm, figures in results["arms"].items()}
        items.append(
            {
                "id": name,
                "verdict": results["verdict"]["status"],
                "headline": headline,
                "values": values,
                "rows": results["rows"],
                "made_at": found.made_at(folder),
                "path": folder,
            }
        )
    if not items:
        return Reply([], [text("cli.none", place=session.workspace.evaluations)])
    columns = [text(f"cli.column.{name}") for name in ("id", "verdict", "headline", "made_at")]
    rows = [
        (
            item["id"],
            Text(text(f"cli.verdict.{item['verdict']}"), style=VERDICT_STYLES[item["verdict"]]),
            f"{item['headline']}: " + ", ".join(f"{arm} {value:.3f}" for arm, value in item["values"].items()),
            item["made_at"],
        )
        for item in items
    ]
    return Reply(items, [table(text("cli.evaluations"), columns, rows)])


def show(session: Session, evaluation: EvaluationArgument) -> Reply:
    from tuneloop.cli import found
    from tuneloop.cli.verdict import evaluation_shown
    from tuneloop.evaluation.results import read_evaluation

    place = session.workspace.evaluations
    record = read_evaluation(found.pick(found.evaluations(session.workspace), evaluation, "evaluation", place))
    return Reply(record, evaluation_shown(record))


def compare(session: Session, first: EvaluationArgument, second: EvaluationArgument) -> Reply:
    from tuneloop.cli import found
    from tuneloop.cli.tables import table
    from tuneloop.evaluation.rematch import compare_evaluations
    from tuneloop.evaluation.summary import comparison_table

    place, known = session.workspace.evaluations, found.evaluations(session.workspace)
    a, b = (found.pick(known, name, "evaluation", place) for name in (first, second))
    rematch = compare_evaluations(a, b)
    head, *rows = comparison_table(rematch.comparisons)
    title = text("cli.rematch", a=rematch.a, b=rematch.b, rows=rematch.rows)
    return Reply(rematch, [table(title, head, rows)])
