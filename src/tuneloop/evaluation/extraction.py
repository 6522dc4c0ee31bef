"""Records as answers: JSON read out of what a model said, checked by a schema, and compared field by field.

A field is the path of a value (`items[].price`); the values of a list are compared whatever their order, and null is the
same as a field that is left out. Texts are compared after `metrics.normalised`, numbers by value.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import jsonschema_rs
import numpy as np

from tuneloop.core.errors import DataError, RecipeError
from tuneloop.core.hashing import canonical_json, hash_value
from tuneloop.core.records import Sample
from tuneloop.evaluation.metrics import normalised
from tuneloop.evaluation.rows import shortened
from tuneloop.evaluation.statistics import Array, Estimate, mean

Fields = Counter[tuple[str, str]]
"""Path and value of every leaf, as often as it occurs."""

_FENCED = re.compile(r"```[A-Za-z]*\s*\n(.*?)```", re.DOTALL)
_BEGINS = re.compile(r"[{\[]")


@dataclass(frozen=True)
class RecordSchema:
    """A JSON schema that answers must fit."""

    content: Mapping[str, Any] | bool
    validator: Any
    """The compiled schema (jsonschema_rs has no public type for all drafts)."""

    @property
    def sha256(self) -> str:
        return hash_value(self.content)

    @property
    def shown(self) -> str:
        """The schema as a prompt shows it."""
        return canonical_json(self.content)

    def problem(self, record: Any) -> str | None:
        """What the schema says against a record; None: it fits."""
        error = next(self.validator.iter_errors(record), None)
        return None if error is None else f"{'.'.join(map(str, error.instance_path)) or '$'}: {error.message}"


def read_schema(given: str, folder: Path) -> RecordSchema:
    """Read the file of a JSON schema.

    Args:
        given: the file, relative to `folder`.
        folder: the recipe's.

    Raises:
        RecipeError: there is no such file, or it is no JSON schema (code `evaluation.schema_wrong`).
    """
    path = folder / given
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        validator = jsonschema_rs.validator_for(content, retriever=_no_network)
    except (OSError, ValueError, TypeError, jsonschema_rs.ReferencingError) as error:
        problem = shortened(getattr(error, "strerror", None) or getattr(error, "message", None) or str(error), 200)
        raise RecipeError("evaluation.schema_wrong", file=path, problem=problem) from error
    return RecordSchema(content, validator)


def check_references(rows: Sequence[Sample], schema: RecordSchema | None) -> None:
    """Check that every reference is a record that fits the schema.

    Raises:
        DataError: a reference is none (code `evaluation.reference_no_record`), or breaks the schema
            (`evaluation.reference_breaks_schema`); names the first such row.
    """
    for row in rows:
        where: dict[str, Any] = {"file": row.meta.source, "row": row.meta.row}
        record = read_record(row.answer)
        if record is None:
            raise DataError("evaluation.reference_no_record", **where, answer=shortened(row.answer, 60))
        if schema is not None and (problem := schema.problem(record)):
            raise DataError("evaluation.reference_breaks_schema", **where, problem=shortened(problem, 200))


def read_record(said: str) -> Any:
    """The JSON object or list of an answer: the whole of it, else its first fenced block, else the first one inside.

    Returns:
        None where there is none.

    >>> read_record('Sure: {"name": "Li", "age": 40}. Anything else?')
    {'name': 'Li', 'age': 40}
    >>> read_record("forty") is None
    True
    """
    fenced = _FENCED.search(said)
    for text in (said.strip(), fenced.group(1).strip() if fenced else ""):
        if (found := _parsed(text)) is not None:
            return found
    begin = _BEGINS.search(said)
    return _parsed(said[begin.start() :], whole=False) if begin else None


def fields(record: Any) -> Fields:
    """Every value of a record under its path.

    >>> sorted(fields({"name": "Li", "cards": [{"limit": 500.0}, {"limit": 20}], "note": None}))
    [('cards[].limit', '20'), ('cards[].limit', '500'), ('name', 'li')]
    """
    return Counter(_leaves(record, ""))


def record_statistics(said: Any, reference: Any) -> tuple[float, float, float]:
    """What the F1 of fields sums over rows: equal fields, fields said, fields expected."""
    told, expected = (fields(record) for record in (said, reference))
    return float((told & expected).total()), float(told.total()), float(expected.total())


def field_f1(sums: Array) -> Array:
    """F1 over all fields of all rows (micro) from sums of `record_statistics`, shape `(..., 3)`; 1 where none exist."""
    whole = sums[..., 1] + sums[..., 2]
    value: Array = np.where(whole > 0, 2 * sums[..., 0] / np.maximum(whole, 1e-9), 1.0)
    return value


def same_record(said: Any, reference: Any) -> bool:
    """Whether two records hold the same, whatever the order of their lists: what `fields` can't see is seen here."""
    return _canonical(said) == _canonical(reference)


RECORD_METRICS: dict[str, Estimate] = {"field_f1": field_f1, "record_match": mean, "schema_valid": mean}
"""What extracted records are judged by, and how sums become the value."""


@dataclass(frozen=True)
class JudgedRecords:
    """One arm's records with their scores, in the order of the rows."""

    scores: dict[str, list[float]]
    """By metric of RECORD_METRICS."""
    statistics: Array
    """What the F1 of fields sums, shape `(n, 3)`."""


def judge_records(answers: Sequence[str], references: Sequence[str], schema: RecordSchema | None) -> JudgedRecords:
    """Judge an arm's answers. One that holds no record is as good as an empty one."""
    records = [read_record(answer) for answer in answers]
    pairs = list(zip(records, map(read_record, references), strict=True))
    sums = np.array([record_statistics(*pair) for pair in pairs], dtype=np.float64)
    valid = [record is not None and (schema is None or schema.problem(record) is None) for record in records]
    scores = {
        "field_f1": [
            float(value) if record is not None else 0.0 for value, record in zip(field_f1(sums), records, strict=True)
        ],
        "record_match": [float(said is not None and same_record(said, reference)) for said, reference in pairs],
        "schema_valid": [float(fits) for fits in valid],
    }
    return JudgedRecords(scores, sums)


def right_fields(answer: str, reference: str) -> dict[str, float]:
    """For each field of the reference, whether the answer gives exactly its values.

    >>> right_fields('{"name": "Li", "age": 41}', '{"name": "Li", "age": 40}')
    {'name': 1.0, 'age': 0.0}
    """
    told, expected = fields(read_record(answer)), fields(read_record(reference))
    paths = dict.fromkeys(path for path, _ in expected)
    return {path: float(_at(told, path) == _at(expected, path)) for path in paths}


def _at(found: Fields, path: str) -> dict[str, int]:
    return {value: count for (where, value), count in found.items() if where == path}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, f"{path}[]")
    elif value is not None:
        yield path or "$", _leaf(value)


def _leaf(value: Any) -> str:
    """A value as it is compared: `500` and `500.0` are the same number, true is no text."""
    if isinstance(value, bool):
        return f"<{value}>"
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else str(value)
    return normalised(value)


def _canonical(value: Any) -> str:
    if isinstance(value, dict):
        inner = (f"{json.dumps(str(key))}:{_canonical(value[key])}" for key in sorted(value) if value[key] is not None)
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted(_canonical(item) for item in value)) + "]"
    return "null" if value is None else json.dumps(_leaf(value))


def _parsed(text: str, *, whole: bool = True) -> Any:
    """The object or list that a text is, or (not whole) begins with; None: it does not."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    try:
        found, end = decoder.raw_decode(text)
    except (ValueError, RecursionError):  # no JSON, or brackets without end: an answer may be anything
        return None
    return found if isinstance(found, dict | list) and (not whole or end == len(text)) else None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _no_network(uri: str) -> NoReturn:
    raise ValueError(f"{uri}: only what stands in the file itself can be referred to")
