"""Where the samples come from: each source found and fingerprinted before a row of it becomes a sample.

One entry of the recipe may stand for many files (a folder, a pattern, an archive) and sheets; each is a source of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, cast

from tuneloop.core.errors import DataError
from tuneloop.core.hashing import hash_value
from tuneloop.core.messages import text
from tuneloop.data.config import DataConfig, SourceConfig
from tuneloop.data.dataset_info import DatasetInfo
from tuneloop.data.places import Place, find_places, last_part
from tuneloop.data.readers import File, Row, open_rows
from tuneloop.data.readers.excel import sheet_names
from tuneloop.data.shapes import Layout, find_layout

GRAMMAR_ROWS = 3000
"""Samples of a grammar when the recipe does not say how many."""
SHEET_ROWS = 50
"""Rows of a sheet that are looked at to see whether it holds questions and answers."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source, ready to read."""

    config: SourceConfig
    """Its entry of the recipe; the columns may come from a `dataset_info.json`, the sheet from the workbook."""
    name: str
    """What samples name as their origin: the file's name, or `grammar:<name>.<language>`."""
    path: str | None
    """Where the file lies, for messages; None for a grammar."""
    sha256: str
    """Hash of the file's bytes, or of the grammar."""
    copy: int = 0
    """How many sources before this one read the same sheet of the same file."""
    file: File | None = None
    """The file; None for a grammar."""
    info: DatasetInfo | None = None
    """What a `dataset_info.json` says about it."""
    notes: tuple[str, ...] = ()
    """What a person should know about it, in the interface language."""

    def sample_id(self, row: int) -> str:
        """Identifier of a row: the same file and row give the same one, wherever the file lies."""
        parts: list[Any] = [self.sha256, row]
        if self.config.sheet is not None or self.copy:
            parts += [self.config.sheet, self.copy]
        return hash_value(parts)[:16]


def find_sources(config: DataConfig, folder: Path, language: str) -> list[Source]:
    """Find and fingerprint every source of the recipe.

    Args:
        config: the recipe's data section.
        folder: folder that relative paths start from.
        language: language of the data; chooses a grammar's texts.
    Raises:
        DataError: a file can't be used (see `places.find_places`), or there is no such grammar.
        TryAgainError: an address could not be fetched.
    """
    sources = []
    before: Counter[tuple[str, str | None]] = Counter()
    for entry in config.sources:
        for found in [_grammar(entry, language)] if entry.path is None else _files(entry, folder):
            key = found.sha256, found.config.sheet
            sources.append(replace(found, copy=before[key]))
            before[key] += 1
    return sources


def fingerprint(config: DataConfig, sources: list[Source]) -> tuple[dict[str, Any], dict[str, str]]:
    """What decides the dataset: the configuration without folder names, and the hash of every source.

    The folders are left out so that the same files give the same dataset on another machine.
    """
    resolved = config.model_dump(mode="json")
    for entry in resolved["sources"]:
        if entry["path"] is not None:
            entry["path"] = last_part(entry["path"])
    if resolved["canaries"] is None:  # datasets that were made before there were any keep their key
        del resolved["canaries"]
    inputs = {f"{number}:{source.name}": source.sha256 for number, source in enumerate(sources, start=1)}
    infos = {f"{n}:dataset_info.json": source.info.sha256 for n, source in enumerate(sources, 1) if source.info}
    return resolved, {**inputs, **infos}


def sources_of_file(entry: SourceConfig, folder: Path) -> list[Source]:
    """The sources that one entry stands for (see `find_sources`)."""
    return list(_files(entry, folder))


def _files(entry: SourceConfig, folder: Path) -> Iterator[Source]:
    found = find_places(cast(str, entry.path), folder)
    notes = found.notes
    for place in found.places:
        for source in _sheets(_source(entry, place)):
            yield replace(source, notes=(*notes, *source.notes))
            notes = ()


def _source(entry: SourceConfig, place: Place) -> Source:
    file, info = place.file, place.info
    notes: tuple[str, ...] = ()
    if info is not None and info.columns:
        entry = entry.model_copy(update={"columns": {**info.columns, **entry.columns}})
        notes = (text("data.note.info_used", file=file.name),)
    return Source(entry, file.name, file.place, place.sha256, file=file, info=info, notes=notes)


def _sheets(source: Source) -> Iterator[Source]:
    """A workbook's sheets that hold questions and answers, unless the recipe names one; the others are told."""
    assert source.file is not None
    if source.file.kind != ".xlsx" or source.config.sheet is not None:
        yield source
        return
    names = sheet_names(source.file)
    layouts = {name: _layout_of_sheet(source, name) for name in names} if len(names) > 1 else {}
    kept = _sheets_to_read(layouts)
    if not kept:
        yield source
        return
    left = [name for name in names if name not in kept]
    notes = (text("data.note.sheets_left_out", file=source.name, names=", ".join(left)),) if left else ()
    for name in kept:
        if name == names[0]:
            yield replace(source, notes=(*source.notes, *notes))
        else:
            sheet = source.config.model_copy(update={"sheet": name})
            yield replace(source, config=sheet, name=f"{source.name}#{name}", notes=(*source.notes, *notes))
        notes = ()


def _sheets_to_read(layouts: dict[str, Layout | None]) -> list[str]:
    """Sheets whose columns have names that are known, or the same names as the first one that can be read."""
    readable = {name: layout for name, layout in layouts.items() if layout is not None}
    first = next(iter(readable.values()), None)
    return [
        name
        for name, layout in readable.items()
        if layout is first or layout.how not in ("content", "label") or (first and layout.found == first.found)
    ]


def _layout_of_sheet(source: Source, sheet: str) -> Layout | None:
    assert source.file is not None
    try:
        rows = [row.values for row in islice(open_rows(source.file, sheet).rows, SHEET_ROWS) if isinstance(row, Row)]
        return find_layout(source.name, rows, source.config.columns) if rows else None
    except DataError:  # a sheet of something else; which ones were left out is told
        return None


def _grammar(entry: SourceConfig, language: str) -> Source:
    from tuneloop.data.grammar_file import load_grammar

    grammar = load_grammar(cast(str, entry.grammar), cast(Literal["en", "zh"], language))
    return Source(entry, grammar.source, None, hash_value(grammar.model_dump(mode="json")))
