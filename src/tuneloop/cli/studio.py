"""`tuneloop studio`: the page in the browser, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from tuneloop.cli.options import AcceptLicenseOption
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.signals import stops_calmly
from tuneloop.cli.verbs import verb
from tuneloop.core.messages import text


def add_to(application: typer.Typer) -> None:
    verb(application, "studio")(studio)


def studio(
    session: Session,
    model: Annotated[str | None, typer.Option("--model", help=text("cli.option.serve_model"))] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help=text("cli.option.port"))] = 7860,
    accept_license: AcceptLicenseOption = None,
) -> Reply | None:
    from tuneloop import api

    with stops_calmly("studio.ended"):
        api.serve(
            session.workspace,
            model=model,
            port=port,
            accept_license=accept_license,
            ready=lambda url, adapters: session.progress.note(text("studio.ready", url=f"{url}/studio")),
            progress=session.progress,
        )
    return None
