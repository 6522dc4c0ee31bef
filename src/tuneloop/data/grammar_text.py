"""The small language of a grammar's texts: `[a|b]` is a choice, `{slot}` a value, `#` in a slot's pattern a digit.

Also which of them belong to training and which to the test split: that hangs on the text alone, never on a seed, so
that a bigger or another dataset never trains on what an earlier one was tested on.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

CHOICE = re.compile(r"\[([^\[\]]*)\]")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
TEST_SHARE = 5
"""One in five wordings and slot values is kept for the test split."""


class Piece(NamedTuple):
    """A part of a user's text; a typo never touches the value of a slot."""

    text: str
    is_value: bool = False


def expand(pattern: str, random_: random.Random) -> str:
    """Replace every `[a|b]` by one of its alternatives, the inner ones first.

    >>> expand("I [lost|can't find] my card", random.Random(0))
    "I can't find my card"
    """
    while match := CHOICE.search(pattern):
        chosen = random_.choice(match[1].split("|"))
        pattern = pattern[: match.start()] + chosen + pattern[match.end() :]
    return pattern


def fill_digits(pattern: str, random_: random.Random, *, code: bool = False) -> str:
    """Replace every `#` by a digit; a number begins with 1 to 9, a code may begin with 0.

    >>> fill_digits("$#,#00", random.Random(1))
    '$3,900'
    """
    filled = ""
    for character in pattern:
        if character == "#":
            starts_number = not code and not re.search(r"\d[,.]?$", filled)
            character = str(random_.randint(1 if starts_number else 0, 9))
        filled += character
    return filled


def fill(text: str, values: Mapping[str, str]) -> tuple[Piece, ...]:
    """Put the values into a text.

    >>> fill("my card {last4}!", {"last4": "0042"})
    (Piece(text='my card ', is_value=False), Piece(text='0042', is_value=True), Piece(text='!', is_value=False))
    """
    parts = PLACEHOLDER.split(text)
    pieces = (Piece(values[part], True) if number % 2 else Piece(part) for number, part in enumerate(parts))
    return tuple(piece for piece in pieces if piece.text)


def joined(pieces: Sequence[Piece]) -> str:
    """The text of the pieces."""
    return "".join(piece.text for piece in pieces)


def placeholders(text: str) -> tuple[str, ...]:
    """The slots a text names, in order, each as often as it stands there."""
    return tuple(PLACEHOLDER.findall(text))


def always_holds(pattern: str, slot: str) -> bool:
    """Say whether every expansion of a pattern holds the slot.

    >>> always_holds("card [ending in {last4}|{last4}]", "last4"), always_holds("card[ {last4}|]", "last4")
    (True, False)
    """
    placeholder = f"{{{slot}}}"
    while match := CHOICE.search(pattern):
        kept = placeholder if all(placeholder in part for part in match[1].split("|")) else ""
        pattern = pattern[: match.start()] + kept + pattern[match.end() :]
    return placeholder in pattern


def is_test_value(slot: str, value: str) -> bool:
    """Say whether a value made from a pattern belongs to the test split (one in five does)."""
    return _rank(slot, value) % TEST_SHARE == 0


def pools(owner: str, texts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Divide texts into those of training and those of the test split: 80% and 20%, at least one each if there are two.

    >>> train, test = pools("lost_card", ["a", "b", "c", "d", "e"])
    >>> len(train), len(test), sorted(train + test)
    (4, 1, ['a', 'b', 'c', 'd', 'e'])
    """
    count = min(max(1, round(len(texts) / TEST_SHARE)), len(texts) - 1)
    held_out = set(sorted(texts, key=lambda text: (_rank(owner, text), text))[:count])
    train = tuple(text for text in texts if text not in held_out)
    return train, tuple(text for text in texts if text in held_out)


def _rank(owner: str, text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{owner}/{text}".encode()).digest()[:8], "big")
