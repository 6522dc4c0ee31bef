"""`tuneloop serve`: OpenAI's API over the workspace's adapters."""

from __future__ import annotations

from typing import Annotated

import typer

from tuneloop.cli.options import AcceptLicenseOption
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.signals import stops_calmly
from tuneloop.cli.verbs import verb
from tuneloop.core.messages import text
from tuneloop.serving.config import EngineName, parse_settings


def add_to(application: typer.Typer) -> None:
    verb(application, "serve")(serve)


def serve(
    session: Session,
    model: Annotated[str | None, typer.Option("--model", help=text("cli.option.serve_model"))] = None,
    host: Annotated[str, typer.Option("--host", help=text("cli.option.host"))] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help=text("cli.option.port"))] = 8000,
    engine: Annotated[EngineName, typer.Option("--engine", help=text("cli.option.engine"))] = "torch",
    engine_url: Annotated[
        str | None, typer.Option("--engine-url", metavar="URL", help=text("cli.option.engine_url"))
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help=text("cli.option.serve_set"))
    ] = None,
    accept_license: AcceptLicenseOption = None,
) -> Reply | None:
    from tuneloop import api

    def ready(url: str, adapters: int) -> None:
        base = model or api.base_of(session.workspace)
        session.progress.note(text("serving.ready", base=base, url=url, adapters=adapters))

    settings = {"host": host, "port": port, "engine": engine, "engine_url": engine_url, **parse_settings(set_ or [])}
    with stops_calmly("serving.stopped"):
        api.serve(
            session.workspace,
            model=model,
            accept_license=accept_license,
            ready=ready,
            progress=session.progress,
            **settings,
        )
    return None
