"""What tuneloop says to people, in English and in Chinese: one catalogue, keyed by code.

One file an area (`data.py`, `training.py`, …), each a dict `MESSAGES` of `key: (English, Chinese)` with `str.format`
placeholders. An error's key is its code; `<code>.hint` says what to do. A test finds holes and placeholders that differ.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Literal

Language = Literal["en", "zh"]
AREAS = (
    "general",
    "recipe",
    "store",
    "access",
    "data",
    "models",
    "adapters",
    "training",
    "evaluation",
    "registry",
    "serving",
    "studio",
    "cli",
)

_language: ContextVar[Language | None] = ContextVar("language", default=None)


def set_language(language: Language | None) -> None:
    """Choose the interface language of this context; None goes back to `TUNELOOP_LANGUAGE` or `LANG`."""
    _language.set(language)


def current_language() -> Language:
    """The interface language: the one that was set, else `TUNELOOP_LANGUAGE`, else `LANG`, else English."""
    chosen = _language.get()
    if chosen is not None:
        return chosen
    environment = os.environ.get("TUNELOOP_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if environment.lower().startswith("zh") else "en"


def has_text(key: str) -> bool:
    """Whether the catalogue has such a key.

    >>> has_text("general.rows"), has_text("general.nothing"), has_text("int_type")
    (True, False, False)
    """
    area = key.split(".", 1)[0]
    return area in AREAS and key in import_module(f"{__name__}.{area}").MESSAGES


def text(key: str, language: Language | None = None, /, **values: Any) -> str:
    """Return the text of `key`, filled with `values`.

    Raises:
        KeyError: the catalogue has no such key: a bug, which the catalogue's test finds.

    >>> text("general.rows", "en", count=3)
    '3 rows'
    """
    area = key.split(".", 1)[0]
    if area not in AREAS:
        raise KeyError(key)
    english, chinese = import_module(f"{__name__}.{area}").MESSAGES[key]
    template: str = chinese if (language or current_language()) == "zh" else english
    return template.format(**values)
