"""`tuneloop keys`: create, list, revoke."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import group, verb
from tuneloop.core.messages import text

Role = Literal["viewer", "annotator", "operator", "admin"]
NamesOption = Annotated[list[str] | None, typer.Option("--adapter", help=text("cli.option.key_adapter"))]
VerbsOption = Annotated[list[str] | None, typer.Option("--scope", help=text("cli.option.key_scope"))]


def add_to(application: typer.Typer) -> None:
    keys = group(application, "keys")
    verb(keys, "keys.create")(create)
    verb(keys, "keys.list")(list_)
    verb(keys, "keys.revoke")(revoke)


def create(
    session: Session,
    role: Annotated[Role, typer.Option("--role", help=text("cli.option.key_role"))] = "viewer",
    label: Annotated[str, typer.Option("--label", help=text("cli.option.key_label"))] = "",
    adapter: NamesOption = None,
    scope: VerbsOption = None,
    days: Annotated[float | None, typer.Option("--days", help=text("cli.option.key_days"))] = None,
    requests: Annotated[int | None, typer.Option("--requests-per-minute", help=text("cli.option.key_requests"))] = None,
    tokens: Annotated[int | None, typer.Option("--tokens-per-minute", help=text("cli.option.key_tokens"))] = None,
) -> Reply:
    from tuneloop.store.access import create_key

    key, secret = create_key(
        session.workspace,
        role=role,
        label=label,
        verbs=scope or None,
        adapters=adapter or None,
        days=days,
        requests_per_minute=requests,
        tokens_per_minute=tokens,
    )
    shown = text("access.created", id=key.id, role=key.role)
    return Reply({**key.model_dump(), "key": secret}, [shown], plain=secret)


def list_(session: Session) -> Reply:
    from tuneloop.cli.tables import table
    from tuneloop.store.access import Key, list_keys

    def state(key: Key) -> str:
        return "revoked" if key.revoked_at else "valid" if key.is_valid() else "expired"

    found = list_keys(session.workspace)
    if not found:
        return Reply([], [text("cli.none", place=session.workspace.root)])
    columns = [text(f"cli.column.{name}") for name in ("id", "role", "label", "adapters", "state", "made_at")]
    rows = [
        (
            key.id,
            key.role,
            key.label,
            ", ".join(key.adapters or ("*",)),
            text(f"access.state.{state(key)}"),
            key.created_at,
        )
        for key in found
    ]
    value = [{**key.model_dump(), "state": state(key)} for key in found]
    return Reply(value, [table(text("cli.keys"), columns, rows)])


def revoke(
    session: Session, key: Annotated[str, typer.Argument(metavar="ID", help=text("cli.option.key_id"))]
) -> Reply:
    from tuneloop.store.access import revoke_key

    revoked = revoke_key(session.workspace, key)
    return Reply(revoked, [text("access.revoked", id=revoked.id)])
