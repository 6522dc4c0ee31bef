"""What is wrong with a value in a recipe or in settings, in our own words: pydantic's findings, in English and Chinese."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from tuneloop.core.messages import has_text, text

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Of names that are folders and addresses too."""

SHOWN = 80
"""Characters of a wrong value that are shown."""

KINDS: dict[str, str] = {
    "int_type": "whole_number",
    "int_parsing": "whole_number",
    "int_from_float": "whole_number",
    "int_parsing_size": "whole_number",
    "float_type": "number",
    "float_parsing": "number",
    "finite_number": "number",
    "bool_type": "yes_or_no",
    "bool_parsing": "yes_or_no",
    "string_type": "text",
    "string_too_short": "longer_text",
    "string_pattern_mismatch": "pattern",
    "list_type": "list",
    "tuple_type": "list",
    "too_short": "longer_list",
    "too_long": "shorter_list",
    "dict_type": "section",
    "model_type": "section",
    "model_attributes_type": "section",
    "greater_than": "above",
    "greater_than_equal": "at_least",
    "less_than": "below",
    "less_than_equal": "at_most",
}
"""Types of pydantic's findings, and the message under `recipe.allowed.` that says what would be right."""


@dataclass(frozen=True, slots=True)
class WrongValue:
    """One field that holds what it may not."""

    key: str
    """Its dotted name."""
    value: str
    """What stands there, as YAML's reader would show it."""
    allowed: str
    """What may stand there, in the interface language."""


def wrong_value(error: ValidationError, model: type[BaseModel]) -> WrongValue:
    """The first wrong field of a validation, with everything that would be right there.

    A field of several kinds (`auto` or a number) gives a finding for each of them; they are told as one.

    Args:
        error: what pydantic raised; unknown and missing keys are not looked at.
        model: what was validated.
    """
    findings = [finding for finding in error.errors() if finding["type"] not in ("extra_forbidden", "missing")]
    first = findings[0]
    key = dotted(model, first["loc"])
    same = [finding for finding in findings if dotted(model, finding["loc"]) == key]
    said = list(dict.fromkeys(_allowed(finding) for finding in same))
    allowed = text("recipe.allowed.or").join(said)
    return WrongValue(key, shown(first["input"]), allowed + _nearest(first["input"], same))


def broken_rule(name: str) -> PydanticCustomError:
    """What a validator of ours raises: the rule that a section breaks, worded by `recipe.rule.<name>`.

    Args:
        name: of the rule; the message says what would be allowed.
    """
    key = f"recipe.rule.{name}"
    return PydanticCustomError(key, text(key, "en"))


def shown(value: Any) -> str:
    """A wrong value as it is written in YAML, cut where it is long.

    >>> shown(None), shown(True), shown("x" * 100)[-1]
    ('null', 'true', '…')
    """
    try:
        written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):  # what JSON can't write, such as a date of YAML's
        written = str(value)
    return (written if len(written) <= SHOWN else f"{written[: SHOWN - 1]}…") or "''"


def dotted(model: type[BaseModel], location: Sequence[int | str]) -> str:
    """A finding's place as people write it: without the names that pydantic gives to the kinds of a field.

    >>> from tuneloop.core.config import Auto, Config
    >>> class Training(Config):
    ...     epochs: Auto | float = "auto"
    >>> dotted(Training, ("epochs", "literal['auto']"))
    'epochs'
    """
    kept: list[str] = []
    annotation: Any = model
    for part in location:
        fields = {name: field for found in models_in(annotation) for name, field in found.model_fields.items()}
        field = next((field for name, field in fields.items() if part in (name, field.alias)), None)
        if field is not None:
            kept.append(str(part))
            annotation = field.annotation
        elif isinstance(part, int) or _is_mapping(annotation):
            kept.append(str(part))
    return ".".join(kept)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The sections that a field's annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models_in(part)


def _is_mapping(annotation: Any) -> bool:
    origin = getattr(annotation, "__origin__", None)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _allowed(finding: ErrorDetails) -> str:
    """What one finding asks for."""
    kind, values = finding["type"], finding.get("ctx", {})
    if kind == "literal_error":
        return ", ".join(_literals(finding))
    if kind == "string_pattern_mismatch" and values.get("pattern") == NAME_PATTERN:
        return text("recipe.allowed.name")
    if kind in KINDS:
        return text(f"recipe.allowed.{KINDS[kind]}", **{name: _plain(value) for name, value in values.items()})
    if has_text(kind):  # a rule of our own, whose type is the key of its message
        return text(kind, **values)
    return finding["msg"].removeprefix("Value error, ")


def _plain(value: Any) -> str:
    """A bound without a needless fraction, with its thousands apart.

    >>> _plain(1048576), _plain(0.0), _plain(0.5)
    ('1,048,576', '0', '0.5')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _literals(finding: ErrorDetails) -> list[str]:
    return re.findall(r"'([^']*)'", finding.get("ctx", {}).get("expected", ""))


def _nearest(value: Any, findings: Sequence[ErrorDetails]) -> str:
    known = [word for finding in findings if finding["type"] == "literal_error" for word in _literals(finding)]
    near = difflib.get_close_matches(str(value), known, n=1)
    return text("recipe.allowed.near", near=near[0]) if near else ""
