"""What users do to their sentences: typos, homophones, no capitals, no full stop. Slot values are never touched."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence

from tuneloop.data.grammar_text import Piece

NEIGHBOURS = {
    "a": "sqz", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et",
    "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "xa",
}  # fmt: skip
"""The letters beside each letter on the keyboard."""

WORD = re.compile(r"[A-Za-z]{4,}")


def neighbour(word: str, at: int, random_: random.Random) -> str:
    """Hit the key beside the right one."""
    return word[:at] + random_.choice(NEIGHBOURS[word[at].lower()]) + word[at + 1 :]


def swap(word: str, at: int, random_: random.Random) -> str:
    """Type two letters in the wrong order."""
    return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]


def drop(word: str, at: int, random_: random.Random) -> str:
    """Leave a letter out."""
    return word[:at] + word[at + 1 :]


def double(word: str, at: int, random_: random.Random) -> str:
    """Type a letter twice."""
    return word[:at] + word[at] + word[at:]


TYPOS: dict[str, Callable[[str, int, random.Random], str]] = {
    "neighbour": neighbour,
    "swap": swap,
    "drop": drop,
    "double": double,
}


def with_typo(
    pieces: Sequence[Piece], random_: random.Random, homophones: Mapping[str, Sequence[str]]
) -> tuple[Piece, ...]:
    """Put one typo into the text outside its slot values; the text as it is when it has no place for one.

    Args:
        pieces: the text.
        random_: where the choice comes from.
        homophones: words and what they are mistaken for (Chinese); when empty, a letter of a word of four or more
            letters goes wrong, never its first one.
    """
    places = [
        (number, match)
        for number, piece in enumerate(pieces)
        if not piece.is_value
        for match in _places(piece.text, homophones)
    ]
    if not places:
        return tuple(pieces)
    number, match = random_.choice(places)
    wrong = random_.choice(list(homophones[match[0]])) if homophones else _misspell(match[0], random_)
    text = pieces[number].text
    changed = Piece(text[: match.start()] + wrong + text[match.end() :])
    return (*pieces[:number], changed, *pieces[number + 1 :])


def casual(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Write without capitals and without the last full stop or question mark, as people do on a phone."""
    lowered = [piece if piece.is_value else Piece(piece.text.lower()) for piece in pieces]
    if lowered and not lowered[-1].is_value:
        lowered[-1] = Piece(lowered[-1].text.rstrip(".?!。？！"))
    return tuple(piece for piece in lowered if piece.text)


def _places(text: str, homophones: Mapping[str, Sequence[str]]) -> list[re.Match[str]]:
    if not homophones:
        return list(WORD.finditer(text))
    # The longest key first, so that a homophone of two characters is not read as one of its first character.
    keys = sorted(homophones, key=len, reverse=True)
    return list(re.finditer("|".join(map(re.escape, keys)), text))


def _misspell(word: str, random_: random.Random) -> str:
    """Make one random mistake that really changes the word (swapping two equal letters does not)."""
    for _ in range(20):
        wrong = TYPOS[random_.choice(list(TYPOS))](word, random_.randint(1, len(word) - 1), random_)
        if wrong != word:
            return wrong
    return drop(word, 1, random_)
