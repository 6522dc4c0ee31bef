"""`tuneloop serve`: OpenAI's API over the workspace's adapters."""

from __future__ import annotations

from typing import Annotated

import typer

from tuneloop.cli.options import AcceptLicenseOption
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import verb
from tuneloop.core.messages import text


def add_to(application: typer.Typer) -> None:
    verb(application, "serve")(serve)


def serve(
    session: Session,
    model: Annotated[str | None, typer.Option("--model", help=text("cli.option.serve_model"))] = None,
    host: Annotated[str, typer.Option("--host", help=text("cli.option.host"))] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help=text("cli.option.port"))] = 8000,
    accept_license: AcceptLicenseOption = None,
) -> Reply | None:
    from tuneloop import api

    def ready(url: str, adapters: int) -> None:
        base = model or api.base_of(session.workspace)
        session.progress.note(text("serving.ready", base=base, url=url, adapters=adapters))

    api.serve(
        session.workspace,
        model=model,
        host=host,
        port=port,
        accept_license=accept_license,
        ready=ready,
        progress=session.progress,
    )
    return None
