"""Words replaced by others of the same meaning, from our own table or from what the recipe names."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import rjieba

from tuneloop.core.errors import DataError
from tuneloop.data.augment.wordnet import is_wordnet, read_cilin, read_wordnet
from tuneloop.data.grammar_text import Piece

Groups = Mapping[str, tuple[str, ...]]
"""A word or phrase, in small letters, and what it may be replaced by."""

_VOWEL = re.compile(r"[aeiou]", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(an?) $", re.IGNORECASE)
_SEPARATORS = re.compile(r"\s*[|,，、\t]\s*")


class Place(NamedTuple):
    """Where a phrase stands that can be replaced."""

    piece: int
    start: int
    end: int
    others: tuple[str, ...]


class Thesaurus:
    """A table of synonyms with a search over all its phrases, the longest first."""

    def __init__(self, groups: Groups, language: str) -> None:
        self.groups = groups
        self.language = language
        phrases = "|".join(re.escape(phrase) for phrase in sorted(groups, key=len, reverse=True))
        bounded = phrases if language == "zh" else rf"(?<![\w’'-])(?:{phrases})(?![\w’'-])"
        self._search = re.compile(bounded if groups else r"(?!)", re.IGNORECASE)

    def places(self, pieces: Sequence[Piece]) -> list[Place]:
        return [
            Place(number, start, end, others)
            for number, piece in enumerate(pieces)
            if not piece.is_value
            for start, end, others in self._found(piece.text)
        ]

    def _found(self, text: str) -> Iterable[tuple[int, int, tuple[str, ...]]]:
        edges = _word_edges(text) if self.language == "zh" else None
        for match in self._search.finditer(text):
            if edges is None or (match.start() in edges and match.end() in edges):
                others = self.groups[match[0].lower()]
                if others:
                    yield match.start(), match.end(), others


def replace_synonyms(pieces: Sequence[Piece], thesaurus: Thesaurus, random_: random.Random) -> str | None:
    """Replace one to three phrases outside the values; None where there is nothing to replace.

    >>> table = Thesaurus({"lost": ("mislaid",), "card": ()}, "en")
    >>> replace_synonyms((Piece("I lost my card "), Piece("4711", True)), table, random.Random(1))
    'I mislaid my card 4711'
    """
    places = thesaurus.places(pieces)
    if not places:
        return None
    chosen = random_.sample(places, min(len(places), random_.choice((1, 1, 2, 3))))
    texts = [piece.text for piece in pieces]
    for place in sorted(chosen, reverse=True):
        text = texts[place.piece]
        other = _fitting(text[: place.start], text[place.start : place.end], random_.choice(place.others))
        if other is not None:
            texts[place.piece] = text[: place.start] + other + text[place.end :]
    variant = "".join(texts)
    return variant if variant != "".join(piece.text for piece in pieces) else None


def load_thesaurus(language: str, own: str | None = None, folder: Path = Path()) -> Thesaurus:
    """Our own table of a language, and what the recipe adds to it.

    Args:
        language: `en` or `zh`.
        own: a file, the folder of a WordNet, or `cilin`; see `AugmentConfig.synonyms`.
        folder: folder that relative paths start from.
    Raises:
        DataError: what the recipe names is not there or holds no synonyms (codes `data.synonyms_missing`, `data.synonyms_empty`).
    """
    groups = dict(built_in("zh" if language == "zh" else "en"))
    if own is not None:
        added = _own_groups(own, folder)
        if not added:
            raise DataError("data.synonyms_empty", file=own)
        groups = {**added, **groups}
    return Thesaurus(groups, language)


@cache
def built_in(language: str) -> Groups:
    """The table in `templates/augment/synonyms.<language>.txt`."""
    path = files("tuneloop") / "templates" / "augment" / f"synonyms.{language}.txt"
    return read_groups(path.read_text(encoding="utf-8"))


def read_groups(content: str) -> Groups:
    """Read groups, one a line; `|`, commas and tabs separate phrases, spaces only where there is none of these.

    A phrase alone before its `|` is never replaced: it keeps a longer phrase from being cut.

    >>> read_groups("buy | purchase # verbs\\n信用卡 贷记卡")["buy"]
    ('purchase',)
    """
    groups: dict[str, tuple[str, ...]] = {}
    for raw in content.splitlines():
        line = raw.partition("#")[0].strip()
        phrases = [part for part in (_SEPARATORS.split(line) if _SEPARATORS.search(line) else line.split()) if part]
        for phrase in phrases:
            others = tuple(other for other in phrases if other != phrase)
            groups[phrase.lower()] = tuple(dict.fromkeys((*groups.get(phrase.lower(), ()), *others)))
    return groups


def _own_groups(own: str, folder: Path) -> Groups:
    if own == "cilin":
        return read_cilin()
    path = folder / Path(own).expanduser()
    if is_wordnet(path):
        return read_wordnet(path)
    try:
        return read_groups(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("data.synonyms_missing", file=path, problem=str(error)) from error


def _fitting(before: str, old: str, new: str) -> str | None:
    """The new phrase with the old one's capital; None where `a` or `an` would no longer fit."""
    if (article := _ARTICLE.search(before)) and (article[1].lower() == "an") != bool(_VOWEL.match(new)):
        return None
    return new[0].upper() + new[1:] if old[0].isupper() and not old.isupper() else new


def _word_edges(text: str) -> set[int]:
    """Where words of a Chinese text begin and end."""
    edges = {0}
    position = 0
    for word in rjieba.cut(text):
        position += len(word)
        edges.add(position)
    return edges
