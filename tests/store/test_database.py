"""The database: made on first use, current, shared by processes, and clear about what is wrong."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tuneloop.core.errors import (
    CorruptError,
    IncompatibleError,
    NotAllowedError,
    ResourceError,
    TryAgainError,
    UsageError,
)
from tuneloop.store import database as module
from tuneloop.store.database import ADAPTERS, HEAD, METADATA, database_exists, open_database
from tuneloop.store.workspace import Workspace

ROW = {"path": "p", "run_id": "r", "base_model": "tiny", "created_at": "2026-01-01T00:00:00+00:00"}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w")


def _add(workspace: Workspace, version: int) -> None:
    with open_database(workspace) as database, database.write() as connection:
        connection.execute(ADAPTERS.insert().values(name="bank", version=version, manifest_sha256=str(version), **ROW))


def _versions(workspace: Workspace) -> list[int]:
    with open_database(workspace) as database, database.read() as connection:
        return list(connection.scalars(sa.select(ADAPTERS.c.version).order_by(ADAPTERS.c.version)))


def test_a_workspace_has_no_database_until_something_opens_it(workspace: Workspace) -> None:
    assert not database_exists(workspace)
    _add(workspace, 1)
    assert database_exists(workspace)
    assert _versions(workspace) == [1]


def test_the_migrations_make_exactly_the_tables_that_the_code_describes(workspace: Workspace) -> None:
    with open_database(workspace) as database, database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": lambda item, name, *_: name != "alembic_version"}
        )
        assert compare_metadata(context, METADATA) == []


def test_head_is_the_newest_revision() -> None:
    folder = Path(module.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_heads() == [HEAD]


def test_a_current_database_opens_without_importing_alembic(workspace: Workspace) -> None:
    _add(workspace, 1)
    code = (
        "import sys; from pathlib import Path; from tuneloop.store.workspace import Workspace\n"
        "from tuneloop.store.database import open_database\n"
        f"with open_database(Workspace(Path({str(workspace.root)!r}))): pass\n"
        "print('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_it_keeps_a_write_ahead_log_and_foreign_keys(workspace: Workspace) -> None:
    with open_database(workspace) as database, database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_block_that_fails_leaves_nothing_behind(workspace: Workspace) -> None:
    with open_database(workspace) as database:
        with contextlib.suppress(ZeroDivisionError), database.write() as connection:
            connection.execute(ADAPTERS.insert().values(name="bank", version=1, manifest_sha256="1", **ROW))
            raise ZeroDivisionError
        with database.read() as connection:
            assert connection.execute(ADAPTERS.select()).all() == []


def test_two_writers_of_which_one_waits_too_long_get_a_clear_answer(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.1)
    with open_database(workspace) as one, open_database(workspace) as two, one.write():
        with two.read() as connection:
            connection.execute(ADAPTERS.select())  # readers are not held up
        with pytest.raises(TryAgainError) as caught, two.write():
            pass
    assert caught.value.code == "store.database_busy"


def test_processes_that_open_a_new_database_at_the_same_time_all_succeed(workspace: Workspace) -> None:
    code = (
        "import sys; from pathlib import Path; from tuneloop.store.workspace import Workspace\n"
        "from tuneloop.store.database import ADAPTERS, open_database\n"
        f"with open_database(Workspace(Path({str(workspace.root)!r}))) as database, database.write() as connection:\n"
        "    number = int(sys.argv[1])\n"
        f"    row = dict(name='bank', version=number, manifest_sha256=str(number), **{ROW!r})\n"
        "    connection.execute(ADAPTERS.insert().values(row))\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(version)]) for version in range(1, 5)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    assert _versions(workspace) == [1, 2, 3, 4]


def test_a_failed_upgrade_leaves_no_half_of_a_schema(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._upgrade

    def fails(connection: sa.Connection) -> None:
        real(connection)
        raise RuntimeError("no power")

    monkeypatch.setattr(module, "_upgrade", fails)
    with pytest.raises(RuntimeError), open_database(workspace):
        pass
    monkeypatch.undo()
    _add(workspace, 1)
    assert _versions(workspace) == [1]


def test_a_file_that_is_no_database_is_named(workspace: Workspace) -> None:
    workspace.ensure()
    (workspace.root / "tuneloop.db").write_bytes(b"these are no tables" * 500)
    with pytest.raises(CorruptError) as caught, open_database(workspace):
        pass
    assert caught.value.code == "store.database_damaged"
    assert caught.value.file == str(workspace.root / "tuneloop.db")


def test_a_damaged_page_is_reported_as_damage(workspace: Workspace) -> None:
    for version in range(1, 200):
        _add(workspace, version)
    path = workspace.root / "tuneloop.db"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(CorruptError) as caught:
        _versions(workspace)
    assert caught.value.code == "store.database_damaged"


def test_a_database_of_a_newer_tuneloop_is_left_alone(workspace: Workspace) -> None:
    with open_database(workspace) as database, database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(IncompatibleError) as caught, open_database(workspace):
        pass
    assert caught.value.code == "store.database_newer"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(NotAllowedError) as caught, open_database(Workspace(tmp_path / "w")):
        pass
    assert caught.value.code == "store.not_writable"


@pytest.mark.parametrize("url", ["nonsense", "oracle5://x", "postgresql+psycopg://u:secret@h/x"])
def test_a_url_that_cannot_be_used_is_refused_without_showing_a_password(workspace: Workspace, url: str) -> None:
    workspace.ensure()
    (workspace.root / "tuneloop.yaml").write_text(f"database: {url}\n")
    with pytest.raises(UsageError) as caught, open_database(workspace):
        pass
    assert caught.value.code == "store.database_url"
    assert "secret" not in str(caught.value)


def test_a_full_disk_is_reported_as_such(workspace: Workspace) -> None:
    with open_database(workspace) as database:
        with database.read() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        sa.event.listen(database.engine, "connect", lambda c, _: c.execute(f"PRAGMA max_page_count = {pages}"))
        database.engine.dispose()
        rows = [{"name": "bank", "version": n, "manifest_sha256": str(n), **ROW} for n in range(2000)]
        with pytest.raises(ResourceError) as caught, database.write() as connection:
            connection.execute(ADAPTERS.insert(), rows)
    assert caught.value.code == "store.disk_full"
