"""Atomic folders: an artifact is whole or it is not there.

A folder is written under a temporary name beside its place, every file is synced, `manifest.json` (with the SHA-256 of
every file) is written last, then the folder is renamed. A reader checks the hashes and names the file that differs.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tuneloop.core.errors import CorruptError, NotFoundError, ResourceError
from tuneloop.core.hashing import hash_file, hash_value
from tuneloop.core.records import Record
from tuneloop.core.version import __version__

MANIFEST = "manifest.json"
FORMAT = 1


class Manifest(Record):
    """What `manifest.json` holds."""

    kind: str
    format: int
    files: dict[str, str]
    """Relative path and SHA-256 of every file of the folder but the manifest."""
    inputs: dict[str, str]
    """Name and manifest hash of everything this was made from."""
    config: Any
    """The resolved configuration that made it."""
    config_sha256: str
    code_version: str
    seeds: dict[str, int]
    created_at: str


@contextmanager
def new_artifact(
    final: Path,
    *,
    kind: str,
    config: Any,
    inputs: dict[str, str] | None = None,
    seeds: dict[str, int] | None = None,
) -> Iterator[Path]:
    """Give a temporary folder to fill; when the block ends well, it becomes `final` in one rename.

    When the block raises, the temporary folder is removed and `final` is as it was.

    Raises:
        ResourceError: the disk has no room (code `store.disk_full`).
        FileExistsError: `final` exists already; an artifact is never overwritten.
    """
    if final.exists():
        raise FileExistsError(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.parent / f".{final.name}.{secrets.token_hex(4)}.tmp"
    temporary.mkdir()
    try:
        yield temporary
        write_manifest(temporary, kind=kind, config=config, inputs=inputs, seeds=seeds)
        sync_tree(temporary)
        temporary.rename(final)
        sync_folder(final.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError("store.disk_full", file=final.parent) from error
        raise
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def write_manifest(
    folder: Path,
    *,
    kind: str,
    config: Any,
    inputs: dict[str, str] | None = None,
    seeds: dict[str, int] | None = None,
) -> Manifest:
    """Hash every file below `folder` and write its `manifest.json` (itself atomically)."""
    files = {
        path.relative_to(folder).as_posix(): hash_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    manifest = Manifest(
        kind=kind,
        format=FORMAT,
        files=files,
        inputs=inputs or {},
        config=config,
        config_sha256=hash_value(config),
        code_version=__version__,
        seeds=seeds or {},
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    write_text_atomically(folder / MANIFEST, json.dumps(manifest.model_dump(), indent=2, ensure_ascii=False) + "\n")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read a folder's manifest without checking the hashes.

    Raises:
        NotFoundError: there is no such folder, or it was never finished (code `store.not_found`).
        CorruptError: the manifest can't be read (code `store.manifest_unreadable`).
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFoundError("store.not_found", file=folder) from error
    except ValidationError as error:
        raise CorruptError("store.manifest_unreadable", file=path) from error


def verify(folder: Path) -> Manifest:
    """Read a folder's manifest and check every file against it.

    Raises:
        NotFoundError: there is no such folder, or it was never finished.
        CorruptError: a file is missing or differs (code `store.file_differs`, which names the file).
    """
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file() or hash_file(path) != expected:
            raise CorruptError("store.file_differs", file=path)
    return manifest


def manifest_hash(folder: Path) -> str:
    """What identifies a finished artifact as an input: the hash of its kind, its files and its configuration."""
    manifest = read_manifest(folder)
    return hash_value({"kind": manifest.kind, "files": manifest.files, "config": manifest.config})


def write_text_atomically(path: Path, text: str) -> None:
    """Write a file under a temporary name, sync it, and rename it into place."""
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError("store.disk_full", file=path.parent) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def sync_tree(folder: Path) -> None:
    """Ask the disk to hold every file and folder below `folder`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        elif path.is_dir():
            sync_folder(path)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Ask the disk to hold a folder's entries."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
