"""Questions that belong to no domain, self-written: what the router learns to leave alone (`templates/general/`)."""

from __future__ import annotations

import random
from functools import cache
from importlib.resources import files

import yaml

LANGUAGES = ("en", "zh")
MOST = 700
"""Questions of each language."""


@cache
def general_questions() -> tuple[str, ...]:
    """Every plain question and a seeded draw of frames filled with topics, in both languages.

    >>> len(general_questions()) <= MOST * len(LANGUAGES)
    True
    """
    drawn: list[str] = []
    for language in LANGUAGES:
        place = files("tuneloop") / "templates" / "general" / f"{language}.yaml"
        content = yaml.safe_load(place.read_text(encoding="utf-8"))
        filled = [frame.format(topic) for frame in content["frames"] for topic in content["topics"]]
        random.Random(0).shuffle(filled)
        drawn += [*content["plain"], *filled][:MOST]
    return tuple(drawn)
