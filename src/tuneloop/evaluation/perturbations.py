"""What real users do to a question without changing what it means: typos, case, spacing, look-alikes, politeness, …

`PERTURBATIONS` is the plug-in point. Each is a function from a text and a source of chance to the changed text, or None
where it has nothing to change. It stays within its budget of edits and leaves the row's values and all numbers alone,
unless numbers are its point (`keeps_values`). `tests/contracts/test_perturbations.py` runs over the table.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from tuneloop.core.messages import Language
from tuneloop.core.seeds import generator
from tuneloop.evaluation.perturbation_numbers import number_in_words
from tuneloop.evaluation.perturbation_text import Asked, sound_alikes, tables

Change = Callable[[Asked, random.Random], str | None]

ZERO_WIDTH = "\u200b\u200c\u200d\ufeff"
CLAUSE_END = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；，])|(?<=,)\s+")
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
NARROW_MARKS = str.maketrans({"，": ",", "。": ".", "？": "?", "！": "!", "：": ":", "；": ";", "（": "(", "）": ")"})
NARROW = str.maketrans({letter + 0xFEE0: chr(letter) for letter in range(0x21, 0x7F) if chr(letter).isalnum()})
NUMBER = re.compile(r"(?<![\d.,/:-])\d{1,3}(?:,\d{3})+(?![\d,.]\d)|(?<![\d.,/:-])\d+(?![\d.,/:-]?\d)")


def _some(places: Sequence[int], asked: Asked, random_: random.Random) -> list[int]:
    return random_.sample(list(places), min(len(places), asked.edits))


def keyboard(asked: Asked, random_: random.Random) -> str | None:
    """Hit the key beside the right one."""
    neighbours = tables("en")["neighbours"]
    places = _some([p for p in asked.letters() if asked.text[p].lower() in neighbours], asked, random_)
    return asked.edited({place: random_.choice(neighbours[asked.text[place].lower()]) for place in places})


def sound(asked: Asked, random_: random.Random) -> str | None:
    """Write a word that sounds the same."""
    table = sound_alikes(asked.language)
    if asked.language == "zh":
        places = _some([p for p in asked.letters() if asked.text[p] in table], asked, random_)
        return asked.edited({place: random_.choice(table[asked.text[place]]) for place in places})
    words = [match for match in asked.words() if match[0].lower() in table]
    if not words:
        return None
    match = random_.choice(words)
    return asked.text[: match.start()] + random_.choice(table[match[0].lower()]) + asked.text[match.end() :]


def swap(asked: Asked, random_: random.Random) -> str | None:
    """Write two neighbouring letters in the wrong order."""
    letters = asked.letters()
    pairs = [a for a, b in pairwise(letters) if b == a + 1 and asked.text[a] != asked.text[b]]
    edits: dict[int, str] = {}
    for place in _some(pairs, asked, random_):
        if not {place - 1, place, place + 1} & edits.keys():
            edits |= {place: asked.text[place + 1], place + 1: asked.text[place]}
    return asked.edited(edits)


def drop(asked: Asked, random_: random.Random) -> str | None:
    """Leave letters out."""
    return asked.edited(dict.fromkeys(_some(asked.letters(), asked, random_), ""))


def double(asked: Asked, random_: random.Random) -> str | None:
    """Type letters twice."""
    return asked.edited({place: 2 * asked.text[place] for place in _some(asked.letters(), asked, random_)})


def case(asked: Asked, random_: random.Random) -> str | None:
    """Write everything in capitals, or nothing."""
    changed = random_.choice((str.upper, str.lower))
    return asked.edited(
        {p: changed(letter) for p, letter in enumerate(asked.text) if asked.free(p) and letter.isascii()}
    )


def spacing(asked: Asked, random_: random.Random) -> str | None:
    """Run words together and set extra spaces (English), set spaces between characters (Chinese)."""
    if asked.language == "zh":
        return asked.edited({place: f"{asked.text[place]} " for place in _some(asked.letters(), asked, random_)})
    spaces = [p for p in range(1, len(asked.text) - 1) if asked.text[p] == " " and asked.free(p)]
    inner = [p for p in spaces if asked.free(p - 1) and asked.free(p + 1)]
    return asked.edited({place: random_.choice(("", "  ")) for place in _some(inner, asked, random_)})


def width(asked: Asked, random_: random.Random) -> str | None:
    """Full-width letters, digits and marks in place of half-width ones; in Chinese marks the other way round."""
    if asked.language == "zh":
        return asked.text.translate(NARROW_MARKS if random_.random() < 0.5 else WIDE)
    return asked.text.translate(WIDE)


def zero_width(asked: Asked, random_: random.Random) -> str | None:
    """Invisible characters between letters, as copied from a web page."""
    return asked.edited(
        {place: random_.choice(ZERO_WIDTH) + asked.text[place] for place in _some(asked.letters(), asked, random_)}
    )


def look_alike(asked: Asked, random_: random.Random) -> str | None:
    """Cyrillic letters that look like Latin ones."""
    table = tables("en")["look_alikes"]
    places = [p for p, letter in enumerate(asked.text) if letter in table and asked.free(p)]
    return asked.edited({place: table[asked.text[place]] for place in _some(places, asked, random_)})


def traditional(asked: Asked, random_: random.Random) -> str | None:
    """Traditional characters in place of simplified ones."""
    table = {pair[0]: pair[1] for pair in str(tables("zh")["traditional"]).split()}
    return asked.edited({p: table[c] for p, c in enumerate(asked.text) if c in table and asked.free(p)})


def filler(asked: Asked, random_: random.Random) -> str | None:
    """A filler word, as people speak."""
    return str(random_.choice(tables(asked.language)["fillers"])) + asked.text


def polite(asked: Asked, random_: random.Random) -> str | None:
    """A polite phrase before or after."""
    if random_.random() < 0.5:
        return str(random_.choice(tables(asked.language)["polite_before"])) + asked.text
    bare = asked.text.rstrip("。！？ ") if asked.language == "zh" else asked.text
    return bare + str(random_.choice(tables(asked.language)["polite_after"]))


def clause_order(asked: Asked, random_: random.Random) -> str | None:
    """The last clause first."""
    clauses = [clause for clause in CLAUSE_END.split(asked.text.strip()) if clause]
    if len(clauses) < 2:
        return None
    *first, last = clauses
    if asked.language == "zh":
        return f"{last.rstrip('，。')}，{''.join(first).rstrip('，。')}"
    return f"{last.rstrip(',')} {' '.join(first).rstrip(',')}"


def numbers_written(asked: Asked, random_: random.Random) -> str | None:
    """Whole numbers in words."""
    return NUMBER.sub(lambda match: number_in_words(match[0].replace(",", ""), asked.language), asked.text)


def marks(asked: Asked, random_: random.Random) -> str | None:
    """No marks at all, or far too many at the end."""
    if random_.random() < 0.5:
        return asked.edited({p: "" for p, c in enumerate(asked.text) if c in ",.!?;:，。！？；：" and asked.free(p)})
    return asked.text.rstrip(".!?。！？") + random_.choice(("???", "!!!", "?!?!", "......"))


def emoji(asked: Asked, random_: random.Random) -> str | None:
    """An emoji at the end."""
    return asked.text + str(random_.choice(tables(asked.language)["emoji"]))


def _few(asked: Asked) -> int:
    return 2 * asked.edits


def _all(asked: Asked) -> int:
    return 2 * len(asked.text)


def _phrase(asked: Asked) -> int:
    return 50


class Perturbation(NamedTuple):
    """One way to change a question."""

    change: Change
    languages: tuple[Language, ...] = ("en", "zh")
    budget: Callable[[Asked], int] = _few
    """Most edits (Levenshtein) that it may make."""
    keeps_values: bool = True
    read_back: Callable[[str], str] = str
    """How an answer is read that repeats the customer's values as they were changed."""


PERTURBATIONS: dict[str, Perturbation] = {
    "keyboard": Perturbation(keyboard, ("en",)),
    "sound": Perturbation(sound, budget=lambda asked: max(6, 2 * asked.edits)),
    "drop": Perturbation(drop),
    "spacing": Perturbation(spacing),
    "filler": Perturbation(filler, budget=_phrase),
    "traditional": Perturbation(traditional, ("zh",), _all),
    "case": Perturbation(case, ("en",), _all),
    "look_alike": Perturbation(look_alike, ("en",)),
    "clause_order": Perturbation(clause_order, budget=_all),
    "width": Perturbation(width, ("zh",), _all, keeps_values=False, read_back=lambda text: text.translate(NARROW)),
    "zero_width": Perturbation(zero_width),
    "swap": Perturbation(swap, budget=_few),
    "polite": Perturbation(polite, budget=_phrase),
    "marks": Perturbation(marks, budget=lambda asked: 6 + len(asked.text) // 4),
    "double": Perturbation(double, ("en",)),
    "numbers_written": Perturbation(numbers_written, budget=lambda asked: 400, keeps_values=False),
    "emoji": Perturbation(emoji, budget=lambda asked: 3),
}
"""In the order in which an evaluation takes them: the first eight of a row's language by default."""


def names_for(language: Language, count: int | None = None) -> list[str]:
    """The perturbations of a language, the first `count` of them.

    >>> names_for("zh", 3)
    ['sound', 'drop', 'spacing']
    """
    return [name for name, one in PERTURBATIONS.items() if language in one.languages][:count]


def perturb(name: str, text: str, language: Language, seed: int, values: Sequence[str] = ()) -> str | None:
    """Change a question.

    Args:
        name: key of PERTURBATIONS.
        text: the question.
        language: of the text.
        seed: the same seed and text give the same change.
        values: what must stay as it is, beside numbers and addresses.

    Returns:
        The changed text; None where this perturbation finds nothing to change.
    """
    asked = Asked(text, language, tuple(value for value in values if value))
    changed = PERTURBATIONS[name].change(asked, generator(seed, "perturbation", name, text))
    return None if changed is None or changed == text else changed
