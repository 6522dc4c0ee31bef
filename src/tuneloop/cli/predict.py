"""`tuneloop predict`: a spreadsheet of questions in, a spreadsheet of answers out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuneloop.cli.options import AcceptLicenseOption, AdapterArgument
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import verb
from tuneloop.core.messages import text


def add_to(application: typer.Typer) -> None:
    verb(application, "predict")(predict)


def predict(
    session: Session,
    adapter: AdapterArgument,
    data: Annotated[Path, typer.Option("--data", help=text("cli.option.questions"))],
    out: Annotated[Path, typer.Option("--out", help=text("cli.option.answers"))],
    question: Annotated[str | None, typer.Option("--question", help=text("cli.option.question_column"))] = None,
    max_new_tokens: Annotated[
        int | None, typer.Option("--max-new-tokens", min=1, help=text("cli.option.max_new_tokens"))
    ] = None,
    force: Annotated[bool, typer.Option("--force", help=text("cli.option.replace"))] = False,
    accept_license: AcceptLicenseOption = None,
) -> Reply:
    from tuneloop import api

    made = api.predict(
        adapter,
        data,
        out,
        session.workspace,
        question=question,
        max_new_tokens=max_new_tokens,
        accept_license=accept_license,
        force=force,
        progress=session.progress,
    )
    shown = [text("cli.predicted", count=made.answered, column=made.column, path=made.path)]
    if made.cut:
        shown.append(text("cli.answers_cut", count=made.cut, limit=made.max_new_tokens))
    return Reply(made, shown)
