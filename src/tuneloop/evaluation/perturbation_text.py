"""A user's text with the places that a perturbation may touch: everything but numbers, addresses and the row's values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from tuneloop.core.messages import Language
from tuneloop.evaluation.script_facts import EMAIL, URL

VALUE = re.compile(r"[$€£¥￥]?\s?\d[\d,.:/\-]*\d|\d")
WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
EDIT_SHARE = 0.04
MOST_EDITS = 5


@lru_cache(maxsize=2)
def tables(language: Language) -> Mapping[str, Any]:
    """The word and character tables of a language."""
    path = Path(str(files("tuneloop"))) / "templates" / "perturbations" / f"{language}.yaml"
    content: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


@lru_cache(maxsize=2)
def sound_alikes(language: Language) -> Mapping[str, tuple[str, ...]]:
    """What each word (English) or character (Chinese) is mistaken for by its sound."""
    return {
        word: tuple(other for other in group if other != word)
        for group in tables(language)["sound_alikes"]
        for word in group
    }


@dataclass(frozen=True)
class Asked:
    """What a user wrote."""

    text: str
    language: Language
    values: tuple[str, ...] = ()
    """The row's values (slots), which stay as they are."""

    @cached_property
    def kept(self) -> frozenset[int]:
        """Places that must not change: numbers, web and mail addresses, and the row's values."""
        spans = [match.span() for pattern in (VALUE, URL, EMAIL) for match in pattern.finditer(self.text)]
        for value in self.values:
            spans += [match.span() for match in re.finditer(re.escape(value), self.text)]
        return frozenset(place for start, end in spans for place in range(start, end))

    @property
    def edits(self) -> int:
        """How many single mistakes a perturbation makes: 4% of the characters, one to five."""
        return max(1, min(MOST_EDITS, round(EDIT_SHARE * len(self.text))))

    def letters(self) -> list[int]:
        """Places that can be misspelled: inner letters of words of four or more (English), characters (Chinese)."""
        if self.language == "zh":
            return [place for place, letter in enumerate(self.text) if self.free(place) and "一" <= letter <= "鿿"]
        words = [match for match in WORD.finditer(self.text) if len(match[0]) >= 4]
        inner = (place for match in words for place in range(match.start() + 1, match.end()))
        return [place for place in inner if self.free(place) and self.text[place].isalpha()]

    def words(self) -> Iterable[re.Match[str]]:
        """Whole words (English) outside of what is kept."""
        return (m for m in WORD.finditer(self.text) if self.kept.isdisjoint(range(m.start(), m.end())))

    def free(self, place: int) -> bool:
        return place not in self.kept

    def edited(self, edits: Mapping[int, str]) -> str:
        """The text with single characters replaced by others (by none, or by several)."""
        return "".join(edits.get(place, letter) for place, letter in enumerate(self.text))


def distance(first: str, second: str) -> int:
    """Edits (insert, drop, replace) between two texts: Levenshtein's distance.

    >>> distance("card", "crad"), distance("卡", "咖卡")
    (2, 1)
    """
    row = list(range(len(second) + 1))
    for number, letter in enumerate(first, start=1):
        corner, row[0] = row[0], number
        for place, other in enumerate(second, start=1):
            corner, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, corner + (letter != other))
    return row[-1]
