"""What people type on a phone: typos, homophones, run-on words, no capitals, punctuation of the other width."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files

from tuneloop.data.grammar_noise import casual, with_typo
from tuneloop.data.grammar_text import Piece, joined

_SPACE = re.compile(r"(?<=[a-z]) (?=[a-z])")
_TO_NARROW = str.maketrans("，。？！：；（）", ",.?!:;()")

Noise = Callable[[tuple[Piece, ...], random.Random], tuple[Piece, ...]]


def typo(pieces: tuple[Piece, ...], random_: random.Random) -> tuple[Piece, ...]:
    """One wrong letter in a word of four or more."""
    return with_typo(pieces, random_, {})


def run_on(pieces: tuple[Piece, ...], random_: random.Random) -> tuple[Piece, ...]:
    """Leave out the space between two words."""
    places = [
        (number, match.start())
        for number, piece in enumerate(pieces)
        if not piece.is_value
        for match in _SPACE.finditer(piece.text)
    ]
    if not places:
        return pieces
    number, at = random_.choice(places)
    text = pieces[number].text
    return (*pieces[:number], Piece(text[:at] + text[at + 1 :]), *pieces[number + 1 :])


def homophone(pieces: tuple[Piece, ...], random_: random.Random) -> tuple[Piece, ...]:
    """One Chinese word as the input method offers it by mistake."""
    return with_typo(pieces, random_, homophones())


def careless(pieces: tuple[Piece, ...], random_: random.Random) -> tuple[Piece, ...]:
    """No capitals, no last punctuation mark."""
    return casual(pieces)


def narrow_marks(pieces: tuple[Piece, ...], random_: random.Random) -> tuple[Piece, ...]:
    """Chinese punctuation half-width."""
    return tuple(piece if piece.is_value else Piece(piece.text.translate(_TO_NARROW)) for piece in pieces)


NOISES: dict[str, dict[str, Noise]] = {
    "en": {"typo": typo, "run_on": run_on, "careless": careless},
    "zh": {"homophone": homophone, "careless": careless, "narrow_marks": narrow_marks},
}
"""By language; every variant gets one of them, sometimes two."""


def make_noise(pieces: tuple[Piece, ...], language: str, random_: random.Random) -> str | None:
    """Make one or two mistakes outside the values; None when the text has no place for any.

    >>> make_noise((Piece("Where is my card "), Piece("4711", True), Piece("?")), "en", random.Random(1))
    'Wheree ismy card 4711?'
    """
    noises = list(NOISES["zh" if language == "zh" else "en"].values())
    chosen = random_.sample(noises, 2 if random_.random() < 0.3 else 1)
    noisy = pieces
    for noise in chosen:
        noisy = noise(noisy, random_)
    text = joined(noisy)
    return text if text != joined(pieces) else None


@cache
def homophones() -> Mapping[str, Sequence[str]]:
    """Chinese words and what they are mistaken for, from `templates/augment/homophones.zh.txt`."""
    content = (files("tuneloop") / "templates" / "augment" / "homophones.zh.txt").read_text(encoding="utf-8")
    lines = [line.partition("#")[0].split() for line in content.splitlines()]
    return {words[0]: tuple(words[1:]) for words in lines if len(words) > 1}
