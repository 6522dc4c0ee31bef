"""A grammar on disk: what a domain's customers ask, and what its house answers, as data.

Read from `templates/grammars/<name>.<language>.yaml`. This file knows the shape of a grammar and refuses one that could
not make samples; `grammar.py` makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import Field, ValidationError, field_validator

from tuneloop.core.config import Config
from tuneloop.core.errors import DataError
from tuneloop.data.grammar_text import always_holds, placeholders

DataLanguage = Literal["en", "zh"]


class Slot(Config):
    """What may fill a `{slot}`: values from a list, or made from patterns."""

    values: tuple[str, ...] = ()
    """The values; 20% of them are kept for the test split."""
    pattern: tuple[str, ...] = ()
    """Patterns, of which one is chosen: `#` is a digit, `[a|b]` a choice, everything else stands for itself."""
    code: bool = False
    """A code may begin with 0, a number may not."""

    @field_validator("pattern", mode="before")
    @classmethod
    def _one_pattern_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class Share(Config):
    """How often something is done to the text of a user."""

    share: float = Field(default=0.1, ge=0.0, le=1.0)


class Common(Config):
    """The parts that every answer of the house has."""

    opening: str
    closing: str
    joiner: str = "\n"
    """What stands between the parts of an answer."""


class Point(Config):
    """One step of an answer."""

    id: str
    text: str
    must: tuple[str, ...] = ()
    """Not read: what an answer must hold is said by the script."""


class Clarify(Config):
    """How a user leaves a slot out, and how the assistant asks for it."""

    missing: str
    wordings: tuple[str, ...] = Field(min_length=1)
    ask: str
    replies: tuple[str, ...] = Field(min_length=1)


class Intent(Config):
    """What a customer wants, in how many ways it is said, and the house's answer."""

    risk: bool = False
    seen: bool = True
    """False: only in the test split."""
    slots: tuple[str, ...] = ()
    wordings: tuple[str, ...] = Field(min_length=1)
    points: tuple[Point, ...] = Field(min_length=1)
    notice: str | None = None
    clarify: Clarify | None = None


class Refusal(Config):
    """Requests that the house refuses, and with which words."""

    wordings: tuple[str, ...] = Field(min_length=1)
    answer: str


class Grammar(Config):
    """A whole grammar."""

    name: str
    language: DataLanguage
    common: Common
    slots: dict[str, Slot] = Field(default_factory=dict)
    intents: dict[str, Intent] = Field(min_length=1)
    refusals: dict[str, Refusal] = Field(default_factory=dict)
    typos: Share = Share(share=0.1)
    casual: Share = Share(share=0.15)
    homophones: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    greetings: tuple[str, ...] = ()
    greetings_share: float = Field(default=0.2, ge=0.0, le=1.0)
    thanks: tuple[str, ...] = ()
    thanks_share: float = Field(default=0.15, ge=0.0, le=1.0)
    followups: tuple[str, ...] = ()
    """What begins a second question in the same conversation, for example `One more thing:`."""

    @field_validator("homophones", mode="before")
    @classmethod
    def _one_homophone_or_several(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {key: (other,) if isinstance(other, str) else other for key, other in value.items()}

    @property
    def source(self) -> str:
        """What a sample of this grammar names as its origin."""
        return f"grammar:{self.name}.{self.language}"


def grammar_folder() -> Path:
    """The folder of the built-in grammars."""
    return Path(str(files("tuneloop"))) / "templates" / "grammars"


@lru_cache(maxsize=8)
def load_grammar(name: str, language: DataLanguage) -> Grammar:
    """Read one of the built-in grammars.

    Args:
        name: name of the grammar, for example `bank-service`.
        language: language of its texts.

    Raises:
        DataError: there is no such grammar (code `data.grammar_missing`), or it is wrong (see `read_grammar`).
    """
    path = grammar_folder() / f"{name}.{language}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in grammar_folder().glob("*.yaml")))
        raise DataError("data.grammar_missing", name=name, data_language=language, known=known or "-")
    return read_grammar(path)


def read_grammar(path: Path) -> Grammar:
    """Read and check a grammar file.

    Raises:
        DataError: the file is no YAML mapping of the right shape (code `data.grammar_invalid`), a text uses a slot that
            its intent does not have (`data.grammar_slot_unknown`) or lacks one that it must have
            (`data.grammar_slot_missing`), or a wording stands there twice (`data.grammar_wording_twice`).
    """
    # The C loader reads the 1,500 lines of a grammar ten times as fast; not every PyYAML has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        grammar = Grammar.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=loader))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError("data.grammar_invalid", file=path, where="-", problem=" ".join(str(error).split())) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "-"
        raise DataError("data.grammar_invalid", file=path, where=where, problem=first["msg"]) from error
    for use in _uses(grammar):
        _check(use, grammar, path)
    _check_twice(grammar, path)
    return grammar


class _Use(NamedTuple):
    """A text, the slots that every version of it holds, and the slots it may hold."""

    where: str
    text: str
    needed: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()


def _uses(grammar: Grammar) -> Iterator[_Use]:
    for name, intent in grammar.intents.items():
        slots = frozenset(intent.slots)
        yield from (_Use(f"{name}.wordings", text, slots, slots) for text in intent.wordings)
        yield from (_Use(f"{name}.points.{point.id}", point.text, frozenset(), slots) for point in intent.points)
        if clarify := intent.clarify:
            missing = frozenset([clarify.missing])
            rest = slots - missing
            yield _Use(f"{name}.clarify.missing", f"{{{clarify.missing}}}", missing, slots)
            yield _Use(f"{name}.clarify.ask", clarify.ask)
            yield from (_Use(f"{name}.clarify.wordings", text, rest, rest) for text in clarify.wordings)
            yield from (_Use(f"{name}.clarify.replies", text, missing, missing) for text in clarify.replies)
    for name, refusal in grammar.refusals.items():
        yield from (_Use(f"refusals.{name}.wordings", text) for text in refusal.wordings)


def _check(use: _Use, grammar: Grammar, path: Path) -> None:
    for slot in placeholders(use.text):
        if slot not in use.allowed or slot not in grammar.slots:
            raise DataError("data.grammar_slot_unknown", file=path, where=use.where, text=use.text, slot=slot)
    for slot in sorted(use.needed):
        if not always_holds(use.text, slot):
            raise DataError("data.grammar_slot_missing", file=path, where=use.where, text=use.text, slot=slot)


def _check_twice(grammar: Grammar, path: Path) -> None:
    """A wording that stands in two places could be in training and in test, or name two intents."""
    seen: dict[str, str] = {}
    for use in _uses(grammar):
        if not use.where.endswith("wordings"):
            continue
        if (key := use.text.casefold()) in seen:
            raise DataError("data.grammar_wording_twice", file=path, text=use.text, first=seen[key], second=use.where)
        seen[key] = use.where
