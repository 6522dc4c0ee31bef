"""What recognisers say: a place in a text, its type, and the value that stands there."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from re import Pattern
from typing import NamedTuple


class Span(NamedTuple):
    """One value found in a text: `text[start:end]`."""

    start: int
    end: int
    value: str
    """The value without the way it is written (separators, width): two spans with one value mean the same thing."""


Find = Callable[[str], Iterator[Span]]
"""Finds values of one type in a folded text (see `view.fold`)."""

StandIn = Callable[[str, random.Random], str]
"""Makes a stand-in of a value from a source of chance that is seeded by the key and the value; it must look like a value
of its type, belong to nobody, and not be found again by its own recogniser."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """One line of the table: a type of personal data."""

    find: Find
    hint: Pattern[str]
    """Cheap: a text in which this is not found can't hold a value, and `find` is not called."""
    stand_in: StandIn
    languages: tuple[str, ...] = ("zh", "en")
    """Languages of data in which it is looked for."""
    possible: bool = False
    """True for names and addresses, which no check digit proves; see the recipe's `mask.possible`."""


def digits_of(text: str) -> str:
    """The digits of a folded text.

    >>> digits_of("+86 138-1234")
    '861381234'
    """
    return "".join(filter(str.isdigit, text))


def pour(value: str, shape: str) -> str:
    """Write the letters and digits of `value` into the places of those of `shape`, counted from the end.

    Whatever separates them stays; a shape with more places than the value keeps its beginning (a country code).

    >>> pour("15400001111", "+86 138-1234-5678")
    '+86 154-0000-1111'
    >>> pour("+4400123456", "020 12")
    '+4400123456'
    """
    places = [position for position, letter in enumerate(shape) if letter.isalnum()]
    written = [letter for letter in value if letter.isalnum()]
    if len(places) < len(written):
        return value
    letters = list(shape)
    for position, letter in zip(reversed(places), reversed(written), strict=False):
        letters[position] = letter
    return "".join(letters)


def random_digits(chance: random.Random, count: int) -> str:
    """A string of `count` digits.

    >>> len(random_digits(random.Random(1), 8))
    8
    """
    return "".join(chance.choices("0123456789", k=count))


def random_letters(chance: random.Random, count: int) -> str:
    """A string of `count` lower-case letters and digits that spells no word and holds no number.

    A letter in every other place keeps digits apart; vowels and p, q, v, w, x, of which the words are made that recognisers
    look for (`pwd`, `wx`, `qq`), are not among them, nor what is mistaken for others.

    >>> len(random_letters(random.Random(1), 10))
    10
    """
    letters = chance.choices("bcdfghjkmnrstyz", k=count)
    either = chance.choices("bcdfghjkmnrstyz23456789", k=count)
    return "".join((either if place % 2 else letters)[place] for place in range(count))
