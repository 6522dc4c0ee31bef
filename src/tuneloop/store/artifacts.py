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
from tuneloop.core.failpoints import failpoint
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
    manifest_sha256: str = ""
    """Over all other fields: a change of the manifest itself is seen, too."""

    def own_hash(self) -> str:
        return hash_value(self.model_dump(exclude={"manifest_sha256"}))


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Say what the disk refuses within the block as an error of ours.

    Raises:
        ResourceError: there is no room (code `store.disk_full`), or the disk fails (code `store.disk_fails`).
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError("store.disk_full", file=place) from error
        if error.errno == errno.EIO:
            raise ResourceError("store.disk_fails", file=place) from error
        raise


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
        ResourceError: the disk has no room (code `store.disk_full`) or fails (`store.disk_fails`).
        FileExistsError: `final` exists already; an artifact is never overwritten.
    """
    if final.exists():
        raise FileExistsError(final)
    temporary = final.parent / f".{final.name}.{secrets.token_hex(4)}.tmp"
    with disk_errors(final.parent):
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            temporary.mkdir()
            failpoint("artifact.made")
            yield temporary
            failpoint("artifact.filled")
            write_manifest(temporary, kind=kind, config=config, inputs=inputs, seeds=seeds)
            sync_tree(temporary)
            failpoint("artifact.synced")
            temporary.rename(final)
            failpoint("artifact.renamed")
            sync_folder(final.parent)
        finally:
            if temporary.exists():
                shutil.rmtree(temporary)


@contextmanager
def scratch_folder(near: Path) -> Iterator[Path]:
    """Give a temporary folder on the disk of `near` (a path that need not exist yet); it is removed at the end.

    Raises:
        ResourceError: the disk has no room (code `store.disk_full`).
    """
    place = next(folder for folder in near.absolute().parents if folder.is_dir())
    temporary = place / f".tuneloop.{secrets.token_hex(4)}.tmp"
    try:
        temporary.mkdir()
        yield temporary
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError("store.disk_full", file=place) from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


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
    manifest = manifest.model_copy(update={"manifest_sha256": manifest.own_hash()})
    write_text_atomically(folder / MANIFEST, json.dumps(manifest.model_dump(), indent=2, ensure_ascii=False))
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
    if manifest.manifest_sha256 and manifest.manifest_sha256 != manifest.own_hash():
        raise CorruptError("store.file_differs", file=folder / MANIFEST)
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
    with disk_errors(path.parent):
        try:
            with temporary.open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                failpoint("file.written")
                file.flush()
                os.fsync(file.fileno())
            failpoint("file.synced")
            temporary.replace(path)
            failpoint("file.renamed")
        finally:
            temporary.unlink(missing_ok=True)


def sync_tree(folder: Path) -> None:
    """Ask the disk to hold every file and folder below `folder`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                failpoint("artifact.sync")
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
