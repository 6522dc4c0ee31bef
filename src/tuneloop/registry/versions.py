"""Registered adapters: numbered versions that never change, and aliases that move between them.

The files of a version stand in `adapters/<name>/v0001/`, an atomic artifact; its row in the database makes it a
version. A number is given once. When tuneloop is killed between the two, the next `register` adopts the folder.
"""

from __future__ import annotations

import difflib
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from tuneloop.core.errors import ArtifactError, NotFoundError, TryAgainError
from tuneloop.core.messages import text
from tuneloop.core.records import Adapter
from tuneloop.registry.names import Reference, check_alias, check_name, parse_reference
from tuneloop.store.artifacts import manifest_hash, new_artifact, read_manifest, verify
from tuneloop.store.database import ADAPTERS, ALIASES, Database, database_exists, now, open_database
from tuneloop.store.workspace import Workspace

PREFERRED_ALIASES = ("production", "candidate")
"""What a bare name means, in this order; without either, the newest version."""

LOCK_SECONDS = 120.0
"""How long one registration waits for another of the same name."""


def register(
    workspace: Workspace,
    *,
    name: str,
    run_folder: Path,
    base_model: str,
    run_id: str,
    alias: str = "candidate",
) -> Adapter:
    """Make the adapter of a run a numbered version, and point `alias` at it.

    The same training is registered once: a second call returns the version that exists.

    Raises:
        UsageError: `name` or `alias` can't be used (codes `registry.name_invalid`, `registry.name_reserved`,
            `registry.alias_invalid`).
        NotFoundError: the run has no finished adapter (code `store.not_found`).
        CorruptError: a file of the adapter is not what its manifest says (code `store.file_differs`).
        TryAgainError: another process registers under this name (code `registry.busy`).
    """
    check_name(name)
    check_alias(alias)
    source = run_folder / "adapter"
    verify(source)
    digest = manifest_hash(source)
    with open_database(workspace) as database, _only_one(workspace.adapters / name):
        known = _versions(database, name)
        version = known.get(digest) or _place(workspace, name, digest, set(known.values()))
        _copy(source, workspace.adapters / name / f"v{version:04d}")
        with database.write() as connection:
            if digest not in known:
                row = {"name": name, "version": version, "path": f"adapters/{name}/v{version:04d}", "run_id": run_id}
                row |= {"base_model": base_model, "manifest_sha256": digest, "created_at": now()}
                connection.execute(ADAPTERS.insert().values(row))
            point(connection, name, alias, version)
    return resolve(workspace, f"{name}@v{version}")


def resolve(workspace: Workspace, reference: str) -> Adapter:
    """Find the version that `NAME`, `NAME@v0003` or `NAME@alias` means.

    Raises:
        UsageError: the reference can't be a name (codes as in `names.parse_reference`).
        NotFoundError: no such adapter (code `registry.adapter_unknown`, with the nearest name), version
            (`registry.version_unknown`) or alias (`registry.alias_unknown`).
    """
    return choose(list_adapters(workspace), reference)


def choose(everything: Sequence[Adapter], reference: str) -> Adapter:
    """Find the version that a reference means among these; errors name no others. Raises: as `resolve`."""
    wanted = parse_reference(reference)
    versions = {adapter.version: adapter for adapter in everything if adapter.name == wanted.name}
    if not versions:
        raise _unknown(wanted.name, sorted({adapter.name for adapter in everything}))
    aliases = {alias: adapter for adapter in versions.values() for alias in adapter.aliases}
    if wanted.version is not None:
        if wanted.version not in versions:
            raise NotFoundError(
                "registry.version_unknown", name=wanted.name, version=wanted.version, known=_known(versions)
            )
        return versions[wanted.version]
    return _by_alias(wanted, aliases) or versions[max(versions)]


def meant_by_bare_names(everything: Sequence[Adapter]) -> dict[str, Adapter]:
    """What each bare name means, by name; in time that grows with their number only."""
    versions: defaultdict[str, list[Adapter]] = defaultdict(list)
    for adapter in everything:
        versions[adapter.name].append(adapter)
    return {name: choose(versions[name], name) for name in sorted(versions)}


def list_adapters(workspace: Workspace) -> list[Adapter]:
    """All registered versions, by name and number."""
    if not database_exists(workspace):
        return []
    with open_database(workspace) as database, database.read() as connection:
        rows = connection.execute(ADAPTERS.select().order_by(ADAPTERS.c.name, ADAPTERS.c.version)).all()
        pointers = connection.execute(ALIASES.select().order_by(ALIASES.c.alias)).all()
    aliases: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for pointer in pointers:
        aliases[pointer.name, pointer.version].append(pointer.alias)
    return [
        Adapter(
            name=row.name,
            version=row.version,
            path=workspace.root / row.path,
            base_model=row.base_model,
            run_id=row.run_id,
            aliases=tuple(aliases.get((row.name, row.version), ())),
            created_at=row.created_at,
        )
        for row in rows
    ]


def _by_alias(wanted: Reference, aliases: dict[str, Adapter]) -> Adapter | None:
    if wanted.alias is None:
        return next((aliases[alias] for alias in PREFERRED_ALIASES if alias in aliases), None)
    if wanted.alias not in aliases:
        known = ", ".join(sorted(aliases)) or text("general.no_rows")
        raise NotFoundError("registry.alias_unknown", name=wanted.name, alias=wanted.alias, known=known)
    return aliases[wanted.alias]


def _unknown(name: str, known: Sequence[str]) -> NotFoundError:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return NotFoundError("registry.adapter_unknown_near", name=name, near=near[0], known=", ".join(known))
    return NotFoundError("registry.adapter_unknown", name=name, known=", ".join(known) or text("general.no_rows"))


def _known(versions: dict[int, Adapter]) -> str:
    return ", ".join(f"v{version:04d}" for version in sorted(versions))


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the name's lock while a number is chosen and its folder written."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=LOCK_SECONDS):
            yield
    except Timeout as error:
        raise TryAgainError("registry.busy", name=folder.name, seconds=f"{LOCK_SECONDS:.0f}") from error


def _versions(database: Database, name: str) -> dict[str, int]:
    """Manifest hash and number of every version of a name."""
    query = sa.select(ADAPTERS.c.manifest_sha256, ADAPTERS.c.version).where(ADAPTERS.c.name == name)
    with database.read() as connection:
        return {str(digest): int(version) for digest, version in connection.execute(query)}


def _place(workspace: Workspace, name: str, digest: str, taken: set[int]) -> int:
    """A number for a new version: that of a folder with this content that a killed process left, else the next one."""
    matches = [(re.fullmatch(r"v(\d{4,})", path.name), path) for path in (workspace.adapters / name).iterdir()]
    folders = {int(match.group(1)): path for match, path in matches if match}
    for version in sorted(set(folders) - taken):
        try:
            if manifest_hash(folders[version]) == digest:
                return version
        except ArtifactError:  # damaged: its number stays unused, and its files stay for a person to look at
            continue
    return max({0, *taken, *folders}) + 1


def _copy(source: Path, target: Path) -> None:
    """Copy the adapter as an artifact of its own whose hash equals the source's; only check it when it is there.

    Raises:
        CorruptError: the copy that is there is not what its manifest says (code `store.file_differs`).
    """
    if target.exists():
        verify(target)
        return
    made = read_manifest(source)
    with new_artifact(target, kind=made.kind, config=made.config, inputs=made.inputs, seeds=made.seeds) as folder:
        for name in made.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, folder / name)


def point(connection: sa.Connection, name: str, alias: str, version: int) -> None:
    """Set an alias to a version, whether it exists or not."""
    here = (ALIASES.c.name == name) & (ALIASES.c.alias == alias)
    values = {"version": version, "updated_at": now()}
    if connection.execute(ALIASES.update().where(here).values(values)).rowcount == 0:
        connection.execute(ALIASES.insert().values(name=name, alias=alias, **values))
