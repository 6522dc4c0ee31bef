"""Who may do what: API keys and roles, one table for command line, API and page.

A key is shown once; the database holds its hash. `tl_<id>_<secret><checksum>`: the id is public and names the key in
lists and logs, the checksum lets a mistyped key be refused without a look into the database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from tuneloop.core.errors import NotAllowedError, NotFoundError, UsageError
from tuneloop.core.records import Record
from tuneloop.store.database import API_KEYS, database_exists, now, open_database
from tuneloop.store.workspace import Workspace

Role = Literal["viewer", "annotator", "operator", "admin"]

VERBS = ("models", "generate", "feedback", "annotate", "metrics", "adapters", "run", "keys", "audit")
"""What can be allowed: list models, ask, give feedback, review others' feedback, read metrics, load and promote adapters,
prepare, train and evaluate, manage keys, read the audit log."""

ROLES: dict[Role, frozenset[str]] = {
    "viewer": frozenset({"models", "generate", "feedback"}),
    "annotator": frozenset({"models", "generate", "feedback", "annotate"}),
    "operator": frozenset({"models", "generate", "feedback", "annotate", "metrics", "adapters", "run"}),
    "admin": frozenset(VERBS),
}
"""The one table of roles."""

_KEY = re.compile(r"tl_([0-9a-f]{8})_([A-Za-z0-9_-]{43})([0-9a-f]{8})")


class Key(Record):
    """What a key is allowed to do; the key itself is not in it.

    >>> key = Key(id="0a1b2c3d", role="viewer", adapters=("bank",))
    >>> key.may("generate"), key.may("adapters"), key.may_use("bank"), key.may_use("legal")
    (True, False, True, False)
    """

    id: str
    role: Role
    label: str = ""
    verbs: tuple[str, ...] | None = None
    """Only these of the role's; None: all of them."""
    adapters: tuple[str, ...] | None = None
    """Only these (`base` is one of them); None: all. Nothing else exists for this key."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    created_at: str = ""
    expires_at: str | None = None
    revoked_at: str | None = None

    def may(self, verb: str) -> bool:
        """Whether the key is allowed to do this."""
        return verb in ROLES[self.role] and (self.verbs is None or verb in self.verbs)

    def may_use(self, adapter: str) -> bool:
        """Whether the adapter of this name, or `base`, exists for this key."""
        return self.adapters is None or adapter in self.adapters

    def is_valid(self, at: str | None = None) -> bool:
        """Whether it is neither revoked nor expired; `at` is a time as in `created_at`."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > (at or now()))


LOCAL = Key(id="", role="admin", label="this machine")
"""Whoever sits at this machine, where no keys were made."""


def create_key(
    workspace: Workspace,
    *,
    role: Role = "viewer",
    label: str = "",
    verbs: Sequence[str] | None = None,
    adapters: Sequence[str] | None = None,
    days: float | None = None,
    requests_per_minute: int | None = None,
    tokens_per_minute: int | None = None,
) -> tuple[Key, str]:
    """Make a key.

    Args:
        workspace: whose servers know it.
        role: what it may do.
        label: whose it is, for people.
        verbs: only these of the role's.
        adapters: only these exist for it.
        days: it expires after so many; None: never.
        requests_per_minute: more are answered with 429.
        tokens_per_minute: read and written; more are answered with 429.

    Returns:
        What it may do, and the key. The key can't be had again.

    Raises:
        UsageError: a verb is none of the role's (code `access.verb_unknown`), or a number is not positive
            (`access.not_positive`).
    """
    if unknown := sorted(set(verbs or ()) - ROLES[role]):
        known = ", ".join(verb for verb in VERBS if verb in ROLES[role])
        raise UsageError("access.verb_unknown", verb=unknown[0], role=role, known=known)
    for name, number in {"days": days, "requests": requests_per_minute, "tokens": tokens_per_minute}.items():
        if number is not None and number <= 0:
            raise UsageError("access.not_positive", name=name, value=number)
    expires = None if days is None else (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
    key = Key(
        id=secrets.token_hex(4),
        role=role,
        label=label[:200],
        verbs=None if verbs is None else tuple(verbs),
        adapters=None if adapters is None else tuple(adapters),
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        created_at=now(),
        expires_at=expires,
    )
    secret = _with_checksum(f"tl_{key.id}_{secrets.token_urlsafe(32)}")
    row = key.model_dump() | {"sha256": _hash(secret)}
    row |= {name: None if row[name] is None else json.dumps(row[name]) for name in ("verbs", "adapters")}
    with open_database(workspace) as database, database.write() as connection:
        connection.execute(API_KEYS.insert().values(row))
    return key, secret


def list_keys(workspace: Workspace) -> list[Key]:
    """All keys, revoked and expired ones too, oldest first."""
    return list(hashed_keys(workspace).values())


def hashed_keys(workspace: Workspace) -> dict[str, Key]:
    """All keys by the hash of what was shown."""
    if not database_exists(workspace):
        return {}
    query = sa.select(API_KEYS).order_by(API_KEYS.c.created_at, API_KEYS.c.id)
    with open_database(workspace) as database, database.read() as connection:
        return {row.sha256: _read(row) for row in connection.execute(query)}


def revoke_key(workspace: Workspace, key_id: str) -> Key:
    """Let a key be refused from now on; running servers follow within a second. A second call changes nothing.

    Raises:
        NotFoundError: there is no key with this id (code `access.key_unknown`).
    """
    here = API_KEYS.c.id == key_id
    with open_database(workspace) as database, database.write() as connection:
        connection.execute(API_KEYS.update().where(here & API_KEYS.c.revoked_at.is_(None)).values(revoked_at=now()))
        row = connection.execute(sa.select(API_KEYS).where(here)).one_or_none()
    if row is None:
        raise NotFoundError("access.key_unknown", id=key_id[:40])
    return _read(row)


def check_form(secret: str) -> str:
    """Return the hash of a key that is written right, without a look into the database.

    Raises:
        NotAllowedError: it is not (code `access.key_invalid`).
    """
    if not _KEY.fullmatch(secret) or not hmac.compare_digest(_with_checksum(secret[:-8]), secret):
        raise NotAllowedError("access.key_invalid")
    return _hash(secret)


def _with_checksum(text: str) -> str:
    return f"{text}{zlib.crc32(text.encode()):08x}"


def _hash(secret: str) -> str:
    """The secret part has 256 random bits: a plain hash can't be searched."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _read(row: sa.Row[Any]) -> Key:
    values = {name: value for name, value in row._mapping.items() if name != "sha256"}
    values |= {
        name: None if values[name] is None else tuple(json.loads(values[name])) for name in ("verbs", "adapters")
    }
    return Key.model_validate(values)
