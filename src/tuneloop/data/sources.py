"""Where the samples come from: each source found on disk and fingerprinted before a row is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from tuneloop.core.hashing import hash_file, hash_value
from tuneloop.data.config import DataConfig, SourceConfig
from tuneloop.data.readers import check_file

GRAMMAR_ROWS = 3000
"""Samples of a grammar when the recipe does not say how many."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source, ready to read."""

    config: SourceConfig
    name: str
    """What samples name as their origin: the file's name, or `grammar:<name>.<language>`."""
    path: Path | None
    """The file; None for a grammar."""
    sha256: str
    """Hash of the file's bytes, or of the grammar."""
    copy: int = 0
    """How many sources before this one read the same sheet of the same file."""

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
        DataError: a file can't be used (see `readers.check_file`), or there is no such grammar.
    """
    sources = []
    before: Counter[tuple[str, str | None]] = Counter()
    for entry in config.sources:
        found = _grammar(entry, language) if entry.path is None else _file(entry, folder)
        copy = before[found.sha256, entry.sheet]
        before[found.sha256, entry.sheet] += 1
        sources.append(Source(found.config, found.name, found.path, found.sha256, copy))
    return sources


def resolve(path: str, folder: Path) -> Path:
    """The file that a recipe means: `~` is the home folder, and what is relative starts from the recipe's folder."""
    return folder / Path(path).expanduser()


def fingerprint(config: DataConfig, sources: list[Source]) -> tuple[dict[str, Any], dict[str, str]]:
    """What decides the dataset: the configuration without folder names, and the hash of every source.

    The folders are left out so that the same files give the same dataset on another machine.
    """
    resolved = config.model_dump(mode="json")
    for entry, source in zip(resolved["sources"], sources, strict=True):
        if source.path is not None:
            entry["path"] = source.path.name
    return resolved, {f"{number}:{source.name}": source.sha256 for number, source in enumerate(sources, start=1)}


def _file(entry: SourceConfig, folder: Path) -> Source:
    path = resolve(cast(str, entry.path), folder)
    check_file(path)
    return Source(entry, path.name, path, hash_file(path))


def _grammar(entry: SourceConfig, language: str) -> Source:
    from tuneloop.data.grammar_file import load_grammar

    grammar = load_grammar(cast(str, entry.grammar), cast(Literal["en", "zh"], language))
    return Source(entry, grammar.source, None, hash_value(grammar.model_dump(mode="json")))
