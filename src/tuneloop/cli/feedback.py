"""`tuneloop feedback`: list, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import group, verb
from tuneloop.core.messages import text

ModelOption = Annotated[str | None, typer.Option("--adapter", help=text("cli.option.feedback_adapter"))]
KindOption = Annotated[
    Literal["thumbs", "choice", "correction"] | None, typer.Option("--kind", help=text("cli.option.feedback_kind"))
]


def add_to(application: typer.Typer) -> None:
    feedback = group(application, "feedback")
    verb(feedback, "feedback.list")(list_)
    verb(feedback, "feedback.export")(export)


def list_(
    session: Session,
    adapter: ModelOption = None,
    kind: KindOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help=text("cli.option.feedback_limit"))] = 50,
) -> Reply:
    from tuneloop.cli.tables import table
    from tuneloop.store.feedback import list_feedback

    found = list_feedback(session.workspace, model=adapter, kind=kind, limit=limit)
    if not found:
        return Reply([], [text("cli.none", place=session.workspace.root)])
    columns = [text(f"cli.column.{name}") for name in ("made_at", "name", "kind", "value", "question", "answer")]
    rows = [
        (f.created_at[:19], f.model, f.kind, f.value, f.messages[-1].content[:60], (f.corrected or f.answer)[:60])
        for f in found
    ]
    return Reply(found, [table(text("cli.feedback"), columns, rows)])


def export(
    session: Session,
    out: Annotated[Path, typer.Option("--out", help=text("cli.option.out_feedback"))] = Path("feedback.jsonl"),
    adapter: ModelOption = None,
    kind: KindOption = None,
    force: Annotated[bool, typer.Option("--force", help=text("cli.option.replace"))] = False,
) -> Reply:
    from tuneloop.data.tables import check_out, write_json_lines, write_whole
    from tuneloop.store.feedback import list_feedback, training_row

    check_out(out, [".jsonl"], force=force)
    found = [training_row(said) for said in list_feedback(session.workspace, model=adapter, kind=kind)]
    rows = [row for row in found if row is not None]
    write_whole(out, lambda path: write_json_lines(path, rows))
    value = {"path": out.absolute(), "rows": len(rows)}
    return Reply(value, [text("cli.exported_rows", count=len(rows), path=out)])
