"""Which version serves: the alias `production` moves on a gate's decision, and back again.

Each step is one transaction that moves the alias and adds a row to the history, refusals included: running servers see
the old version or the new one, and afterwards anybody can see why.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from tuneloop.core.errors import NotFoundError, RefusedError
from tuneloop.core.records import Adapter, Decision, Record
from tuneloop.registry.names import check_alias, check_name
from tuneloop.registry.versions import point, resolve
from tuneloop.store.database import ALIASES, PROMOTIONS, database_exists, now, open_database
from tuneloop.store.workspace import Workspace

PRODUCTION = "production"


class Promotion(Record):
    """One row of the history."""

    version: int
    previous: int | None
    """Where the alias pointed before; None: nowhere."""
    action: str
    """`promoted`, `refused` or `rolled back`."""
    decision: str
    """As JSON; empty for a roll-back."""
    created_at: str


def promote(workspace: Workspace, adapter: Adapter, decision: Decision, *, alias: str = PRODUCTION) -> Adapter:
    """Point `alias` at a version, if the gate's decision allows it.

    Args:
        workspace: where the version is registered.
        adapter: the version.
        decision: about this version.
        alias: the movable name.

    Raises:
        RefusedError: the decision does not allow it (code `registry.gate_refused`, with the reasons).
        UsageError: `alias` can't be used (code `registry.alias_invalid`).
    """
    check_alias(alias)
    with open_database(workspace) as database, database.write() as connection:
        current = _current(connection, adapter.name, alias)
        action = "promoted" if decision.allowed else "refused"
        _add(connection, adapter.name, alias, adapter.version, current, action, decision.model_dump_json())
        if decision.allowed:
            point(connection, adapter.name, alias, adapter.version)
    if not decision.allowed:
        reasons = "\n".join(f"✗ {reason.text}" for reason in decision.reasons if not reason.passed)
        raise RefusedError("registry.gate_refused", label=adapter.label, alias=alias, reasons=reasons)
    return resolve(workspace, adapter.label)


def roll_back(workspace: Workspace, name: str, *, alias: str = PRODUCTION) -> Adapter:
    """Point `alias` at the version that it pointed to before; a second call goes one step further back.

    Raises:
        NotFoundError: there is no such adapter, or nothing before (code `registry.nothing_before`).
        UsageError: the name or the alias can't be used.
    """
    check_name(name)
    check_alias(alias)
    resolve(workspace, name)
    with open_database(workspace) as database, database.write() as connection:
        rows = connection.execute(_history(name, alias)).all()
        stack = _stack([(row.action, row.version) for row in rows])
        if len(stack) < 2:
            raise NotFoundError("registry.nothing_before", name=name, alias=alias)
        current, version = _current(connection, name, alias), stack[-2]
        _add(connection, name, alias, version, current, "rolled back", "")
        point(connection, name, alias, version)
    return resolve(workspace, f"{name}@v{version}")


def history(workspace: Workspace, name: str, *, alias: str = PRODUCTION) -> list[Promotion]:
    """Everything that was done and refused, oldest first."""
    if not database_exists(workspace):
        return []
    with open_database(workspace) as database, database.read() as connection:
        rows = connection.execute(_history(name, alias)).all()
    return [
        Promotion(
            version=row.version,
            previous=row.previous,
            action=row.action,
            decision=row.decision,
            created_at=row.created_at,
        )
        for row in rows
    ]


def _history(name: str, alias: str) -> sa.Select[tuple[object, ...]]:
    here = (PROMOTIONS.c.name == name) & (PROMOTIONS.c.alias == alias)
    return sa.select(PROMOTIONS).where(here).order_by(PROMOTIONS.c.id)


def _stack(steps: Sequence[tuple[str, int]]) -> list[int]:
    """The versions below the current one, which is last: a promotion puts one on top, a roll-back takes one off.

    >>> _stack([("promoted", 1), ("promoted", 2), ("refused", 3), ("rolled back", 1), ("promoted", 4)])
    [1, 4]
    """
    stack: list[int] = []
    for action, version in steps:
        if action == "promoted" and stack[-1:] != [version]:
            stack.append(version)
        elif action == "rolled back":
            stack.pop()
    return stack


def _current(connection: sa.Connection, name: str, alias: str) -> int | None:
    here = (ALIASES.c.name == name) & (ALIASES.c.alias == alias)
    version = connection.scalar(sa.select(ALIASES.c.version).where(here))
    return None if version is None else int(version)


def _add(
    connection: sa.Connection,
    name: str,
    alias: str,
    version: int,
    previous: int | None,
    action: str,
    decision: str,
) -> None:
    row = {"name": name, "alias": alias, "version": version, "previous": previous, "action": action}
    connection.execute(PROMOTIONS.insert().values(**row, decision=decision, created_at=now()))
