"""What a source's `path` stands for: a file, a folder, a pattern, an archive, an address, or LLaMA-Factory's list of files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from glob import glob, has_magic
from pathlib import Path, PurePath

from tuneloop.core.errors import DataError
from tuneloop.core.hashing import hash_file, hash_value
from tuneloop.core.messages import text
from tuneloop.data.dataset_info import NAME as INFO
from tuneloop.data.dataset_info import DatasetInfo, info_beside, listed_files, read_info
from tuneloop.data.readers import READERS, File, check_file, check_kind, local_file
from tuneloop.data.readers.archives import zip_members
from tuneloop.data.readers.question_text import find_style_of
from tuneloop.data.readers.remote import fetch, file_name, is_address, without_secrets

NOT_DATA = (
    "readme",
    "license",
    "licence",
    "notice",
    "changelog",
    "copying",
    "contributing",
    "dataset_info",
    "dataset_infos",
)
"""Names, without extension, that are left out where a folder or an archive is read."""
SHOWN = 8
"""Names of left-out files that a note shows."""


@dataclass(frozen=True, slots=True)
class Place:
    """One file of a source."""

    file: File
    sha256: str
    """Hash of its bytes, or of the archive's and its name in there."""
    info: DatasetInfo | None = None
    """What a `dataset_info.json` beside it says about its columns."""


@dataclass(frozen=True, slots=True)
class Found:
    """All files of a source, and what is to be told about it."""

    places: tuple[Place, ...]
    notes: tuple[str, ...] = ()


def find_places(path: str, folder: Path) -> Found:
    """Find the files that a source's path stands for.

    Args:
        path: path, pattern or address as the recipe writes it.
        folder: folder that a relative path starts from.
    Raises:
        DataError: there is no file that can be read; the code says why.
        TryAgainError: an address could not be fetched (code `data.fetch_failed`).
    """
    if is_address(path):
        return _fetched(path)
    local = resolve(path, folder)
    if local.is_dir():
        inside = list(_walk(local))
        return _many(local, [(item, item.relative_to(local).as_posix()) for item in inside], "data.folder_empty")
    if not local.exists() and has_magic(path):
        found = [Path(item) for item in sorted(glob(str(local), recursive=True))]
        return _many(local, [(item, item.name) for item in found if item.is_file()], "data.glob_empty")
    check_file(local)
    if local.name == INFO:
        return _listed(local)
    if local.suffix.lower() == ".zip":
        return _unzipped(local, local.name)
    file = local_file(local)
    check_kind(file)
    return Found((Place(file, hash_file(local), info_beside(local)),))


def resolve(path: str, folder: Path) -> Path:
    """The file that a recipe means: `~` is the home folder, and what is relative starts from the recipe's folder."""
    return folder / Path(path).expanduser()


def last_part(path: str) -> str:
    """The name at the end of a path, a pattern or an address: what is left when folders don't matter.

    >>> last_part("data/faq.csv"), last_part("https://example.org/faq.csv?token=x")
    ('faq.csv', 'faq.csv')
    """
    return file_name(path) if is_address(path) else PurePath(path).name


def _fetched(address: str) -> Found:
    local = fetch(address)
    check_file(local)
    shown = without_secrets(address)
    if local.suffix.lower() == ".zip":
        found = _unzipped(local, local.name)
        return replace(found, places=tuple(_at(place, shown) for place in found.places))
    file = replace(local_file(local), place=shown)
    check_kind(file)
    return Found((Place(file, hash_file(local)),))


def _at(place: Place, shown: str) -> Place:
    inner = place.file.name.partition("/")[2]
    return replace(place, file=replace(place.file, place=f"{shown}/{inner}"))


def _unzipped(path: Path, name: str) -> Found:
    members = zip_members(path, name)
    kept = [member for member in members if _is_data(PurePath(member.name)) and member.kind in READERS and member.size]
    kept = [member for member in kept if _holds_questions(member)]
    if not kept:
        raise DataError("data.archive_empty", file=path, known=", ".join(READERS))
    archive = hash_file(path)
    places = [Place(file, hash_value([archive, file.name.removeprefix(name)])) for file in kept]
    left = [member.name.removeprefix(f"{name}/") for member in members if member not in kept]
    return Found(tuple(places), _left_out(name, left))


def _many(origin: Path, files: Iterable[tuple[Path, str]], empty: str) -> Found:
    """The files of a folder or a pattern; what no reader takes is left out and told."""
    places: list[Place] = []
    notes: list[str] = []
    left: list[str] = []
    for path, name in files:
        if not _is_data(path):
            left += [name] if path.name != INFO else []
        elif path.suffix.lower() == ".zip":
            inside = _unzipped(path, name)
            places += inside.places
            notes += inside.notes
        elif (file := local_file(path, name)).kind in READERS and file.size and _holds_questions(file):
            places.append(Place(file, hash_file(path), info_beside(path)))
        else:
            left.append(name)
    if not places:
        raise DataError(empty, file=origin, known=", ".join(READERS))
    return Found(tuple(places), (*notes, *_left_out(origin.name, left)))


def _listed(path: Path) -> Found:
    """The files that a `dataset_info.json` lists and that lie beside it."""
    infos = read_info(path)
    present = {name: info for name, info in infos.items() if (path.parent / name).is_file()}
    if not present:
        raise DataError("data.info_empty", file=path)
    places = [
        Place(local_file(path.parent / name, name), hash_file(path.parent / name), info)
        for name, info in present.items()
        if local_file(path.parent / name).kind in READERS
    ]
    missing = [name for name in listed_files(path) if name not in present]
    names = ", ".join(missing[:SHOWN]) + (" …" if len(missing) > SHOWN else "")
    return Found(tuple(places), (text("data.note.info_missing", file=path.name, names=names),) if missing else ())


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root) / name for name in sorted(files) if not name.startswith((".", "~$")))


def _is_data(path: PurePath) -> bool:
    return path.name.partition(".")[0].lower() not in NOT_DATA


def _holds_questions(file: File) -> bool:
    """Say whether a text file of a folder is one of questions and answers; other kinds are what they are."""
    return file.kind not in (".txt", ".md") or find_style_of(file) is not None


def _left_out(name: str, left: list[str]) -> tuple[str, ...]:
    if not left:
        return ()
    shown = ", ".join(left[:SHOWN]) + (" …" if len(left) > SHOWN else "")
    return (text("data.note.left_out", file=name, names=shown),)
