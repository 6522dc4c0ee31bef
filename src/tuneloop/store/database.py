"""The workspace's database: what must be found quickly or changed by several processes at once.

SQLite in WAL mode, or another database by URL in `tuneloop.yaml`. Its schema is the sum of the alembic revisions
in `migrations/`; opening a database applies those that are missing. Folders remain the truth about datasets, runs,
evaluations and adapter files; the database holds names, versions, aliases and links.

A new table: write a revision in `migrations/versions/`, raise `HEAD`, and describe the table here for queries.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from tuneloop.core.errors import (
    CorruptError,
    IncompatibleError,
    NotAllowedError,
    ResourceError,
    TryAgainError,
    TuneloopError,
    UsageError,
)
from tuneloop.store.workspace import Workspace

HEAD = "0004"
"""The newest revision in `migrations/versions/`."""

BUSY_SECONDS = 20.0
"""How long a statement waits for another process that holds the database, before `TryAgainError`."""

METADATA = sa.MetaData()

ADAPTERS = sa.Table(
    "adapters",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("path", sa.String(1024), nullable=False),
    sa.Column("run_id", sa.String(128), nullable=False),
    sa.Column("base_model", sa.String(512), nullable=False),
    sa.Column("manifest_sha256", sa.String(64), nullable=False),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.UniqueConstraint("name", "manifest_sha256", name="one_version_per_training"),
)
"""Registered versions. Paths are relative to the workspace, so that a workspace can move."""

ALIASES = sa.Table(
    "aliases",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("alias", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.String(32), nullable=False),
    sa.ForeignKeyConstraint(["name", "version"], ["adapters.name", "adapters.version"], name="alias_of_a_version"),
)
"""Movable names that point to a version."""

EVALUATIONS = sa.Table(
    "evaluations",
    METADATA,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("run_id", sa.String(128), nullable=False, index=True),
    sa.Column("verdict", sa.String(32), nullable=False),
    sa.Column("path", sa.String(1024), nullable=False),
    sa.Column("created_at", sa.String(32), nullable=False),
)
"""Which evaluation judged the adapter of which run."""

PROMOTIONS = sa.Table(
    "promotions",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, index=True),
    sa.Column("alias", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("previous", sa.Integer),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("created_at", sa.String(32), nullable=False),
)
"""Every promotion that was asked for, refused ones too, and every roll-back; rows are only added."""

FEEDBACK = sa.Table(
    "feedback",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("response_id", sa.String(64), nullable=False, index=True),
    sa.Column("model", sa.String(160), nullable=False, index=True),
    sa.Column("messages", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("value", sa.String(16), nullable=False),
    sa.Column("corrected", sa.Text),
    sa.Column("other_response_id", sa.String(64)),
    sa.Column("other_model", sa.String(160)),
    sa.Column("other_answer", sa.Text),
    sa.Column("user", sa.String(200), nullable=False),
    sa.Column("created_at", sa.String(32), nullable=False),
)
"""What people say about answers, masked; rows are only added."""

API_KEYS = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("label", sa.String(200), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("verbs", sa.Text),
    sa.Column("adapters", sa.Text),
    sa.Column("requests_per_minute", sa.Integer),
    sa.Column("tokens_per_minute", sa.Integer),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("expires_at", sa.String(32)),
    sa.Column("revoked_at", sa.String(32)),
)
"""API keys; only their hashes."""


@dataclass(frozen=True, slots=True)
class Database:
    """An open database whose schema is current."""

    engine: sa.Engine
    place: str
    """File or URL (without password), for messages."""

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees one consistent state."""
        with _translated(self.place), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A connection in a transaction: all of the block's changes happen, or none.

        On SQLite the lock is taken at once, so that nobody else can write between the block's reads and its writes.
        """
        with (
            _translated(self.place),
            self.engine.connect().execution_options(immediate=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()


@contextmanager
def open_database(workspace: Workspace) -> Iterator[Database]:
    """Open the workspace's database, made or brought up to date when it has to be.

    Raises:
        TryAgainError: another process holds it (code `store.database_busy`).
        CorruptError: the file is damaged or no database (code `store.database_damaged`).
        IncompatibleError: a newer tuneloop wrote it (code `store.database_newer`).
        NotAllowedError: the file or folder can't be written (code `store.not_writable`).
        ResourceError: the disk has no room (code `store.disk_full`).
        UsageError: the URL in `tuneloop.yaml` can't be used (code `store.database_url`).
    """
    if workspace.database_url.startswith("sqlite"):
        _make_writable_root(workspace)
    database = _connect(workspace.database_url)
    try:
        _bring_up_to_date(database)
        yield database
    finally:
        database.close()


def database_exists(workspace: Workspace) -> bool:
    """False only when it is SQLite and its file is not there: then there is nothing to read and no need to make one."""
    path = sa.make_url(workspace.database_url).database if workspace.database_url.startswith("sqlite") else None
    return path is None or Path(path).exists()


def now() -> str:
    """The time in UTC, as rows hold it.

    >>> len(now())
    25
    """
    return datetime.now(UTC).isoformat(timespec="seconds")


def _make_writable_root(workspace: Workspace) -> None:
    try:
        workspace.ensure()
    except PermissionError as error:
        raise NotAllowedError("store.not_writable", file=workspace.root) from error


def _connect(url: str) -> Database:
    """Make the engine; nothing is read yet."""
    try:
        parsed = sa.make_url(url)
        lite = parsed.get_backend_name() == "sqlite"
        # isolation_level None: Python's driver must not open transactions on its own; `_begin` does.
        arguments: dict[str, Any] = {"timeout": BUSY_SECONDS, "isolation_level": None} if lite else {}
        engine = sa.create_engine(parsed, connect_args=arguments)
    except (exc.ArgumentError, exc.NoSuchModuleError, ModuleNotFoundError) as error:
        shown = re.sub(r"(?<=:)[^:/@]+(?=@)", "***", url)  # a password is nobody's business
        raise UsageError("store.database_url", url=shown, problem=str(error).replace(url, shown)) from error
    if lite:
        sa.event.listen(engine, "connect", _set_up)
        sa.event.listen(engine, "begin", _begin)
    return Database(engine, parsed.database or "" if lite else parsed.render_as_string(hide_password=True))


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    """Settings that SQLite forgets with every connection."""
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")  # readers and one writer at the same time
    connection.execute("PRAGMA synchronous = FULL")  # what was committed survives a power cut; writes are rare


def _begin(connection: sa.Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _bring_up_to_date(database: Database) -> None:
    """Apply the missing revisions in one transaction. Alembic is slow to import: look at the version first."""
    with database.read() as connection:
        if _revision(connection, database.place) == HEAD:
            return
    with database.write() as connection:
        if _revision(connection, database.place) != HEAD:  # another process may have been quicker
            _upgrade(connection)


def _revision(connection: sa.Connection, place: str) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if revision is not None and str(revision) > HEAD:
        raise IncompatibleError("store.database_newer", file=place, found=revision, known=HEAD)
    return None if revision is None else str(revision)


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _translated(place: str) -> Iterator[None]:
    """Turn the database's errors into ours."""
    try:
        yield
    except exc.DBAPIError as error:
        ours = _translate(error, place)
        if ours is None:
            raise
        raise ours from error


def _translate(error: exc.DBAPIError, place: str) -> TuneloopError | None:
    """The error of the tree for SQLite's result code; None when it is a bug, such as a wrong statement."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is None:
        return None if not error.connection_invalidated else TryAgainError("store.database_away", place=place)
    primary = code & 0xFF  # the rest is the extended code
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return TryAgainError("store.database_busy", file=place, seconds=f"{BUSY_SECONDS:.0f}")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return CorruptError("store.database_damaged", file=place)
    if primary == sqlite3.SQLITE_FULL:
        return ResourceError("store.disk_full", file=place)
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return NotAllowedError("store.not_writable", file=place)
    return None
