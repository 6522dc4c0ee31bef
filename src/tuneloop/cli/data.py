"""`tuneloop data`: prepare, list, show, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tuneloop.cli.options import AcceptLicenseOption, ForceOption, RecipeArgument, SetOption, read_recipe
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import group, verb
from tuneloop.core.messages import text

DatasetArgument = Annotated[str, typer.Argument(metavar="DATASET", help=text("cli.option.dataset"))]
Form = Literal["input_target", "alpaca", "sharegpt", "messages", "preference", "csv", "parquet"]


def add_to(application: typer.Typer) -> None:
    data = group(application, "data")
    verb(data, "data.prepare")(prepare)
    verb(data, "data.list")(list_)
    verb(data, "data.show")(show)
    verb(data, "data.export")(export)


def prepare(
    session: Session,
    recipe: RecipeArgument,
    set_: SetOption = None,
    force: ForceOption = False,
    accept_license: AcceptLicenseOption = None,
) -> Reply:
    from tuneloop import api
    from tuneloop.cli.dataset import dataset_shown

    chosen = read_recipe(recipe, set_, accept_license)
    dataset = api.prepare(chosen, session.workspace, force=force, progress=session.progress)
    report = text("cli.report", path=dataset.path / "report.html")
    return Reply(dataset, [*dataset_shown(dataset), report])


def list_(session: Session) -> Reply:
    from tuneloop.cli import found
    from tuneloop.cli.tables import table

    items = []
    for name, folder in found.datasets(session.workspace).items():
        report = found.read_json(folder / "report.json")
        items.append(
            {
                "dataset": name,
                "rows": report["splits"],
                "quarantined": report["rows_quarantined"],
                "made_at": found.made_at(folder),
                "path": folder,
            }
        )
    if not items:
        return Reply([], [text("cli.none", place=session.workspace.datasets)])
    columns = [text(f"cli.column.{name}") for name in ("name", "rows", "quarantined", "made_at")]
    rows = [(i["dataset"], _sizes(i["rows"]), str(i["quarantined"]), i["made_at"]) for i in items]
    return Reply(items, [table(text("cli.datasets"), columns, rows)])


def show(session: Session, dataset: DatasetArgument) -> Reply:
    from tuneloop.cli import found
    from tuneloop.cli.tables import draw, result_tables
    from tuneloop.core.records import Dataset
    from tuneloop.data.report_text import dataset_grids
    from tuneloop.store.artifacts import verify

    path = _find(session, dataset)
    verify(path)
    report = found.read_json(path / "report.json")
    record = Dataset(name=path.parent.name, id=path.name, path=path, rows=report["splits"], report=report)
    described = [draw(grid) for grid in dataset_grids(path, report)]
    return Reply(record, [*result_tables(record), *described, text("cli.report", path=path / "report.html")])


def export(
    session: Session,
    dataset: DatasetArgument,
    form: Annotated[Form, typer.Option("--format", help=text("cli.option.format"))] = "input_target",
    out: Annotated[Path | None, typer.Option("--out", help=text("cli.option.out_dataset"))] = None,
    force: Annotated[bool, typer.Option("--force", help=text("cli.option.replace"))] = False,
) -> Reply:
    from tuneloop.data.export import EXPORTERS
    from tuneloop.data.export import export as write

    path = _find(session, dataset)
    out = out or Path(f"{path.parent.name}-{path.name}-{form}{EXPORTERS[form].extensions[0]}")
    rows = write(path, form, out, force=force)
    value = {"dataset": f"{path.parent.name}/{path.name}", "format": form, "rows": rows, "path": out.absolute()}
    return Reply(value, [text("cli.exported_rows", count=rows, path=out)])


def _find(session: Session, dataset: str) -> Path:
    from tuneloop.cli import found

    return found.pick(found.datasets(session.workspace), dataset, "dataset", session.workspace.datasets)


def _sizes(rows: dict[str, int]) -> str:
    return " / ".join(f"{count:,}" for count in rows.values())
