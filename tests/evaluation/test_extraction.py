"""Records out of answers: what is read, what counts as right, and which schema or reference is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneloop.core.errors import DataError, RecipeError
from tuneloop.core.records import Evaluation, Message, Meta, Sample
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.extraction import (
    RECORD_METRICS,
    field_f1,
    fields,
    judge_records,
    read_record,
    read_schema,
    record_statistics,
    right_fields,
    same_record,
)
from tuneloop.evaluation.rematch import compare_evaluations
from tuneloop.evaluation.results import read_results

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "amount": {"type": "number"}},
    "required": ["name"],
    "additionalProperties": False,
}
VALUES = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5)
RECORDS = st.dictionaries(
    st.text("abc", min_size=1, max_size=2), VALUES | st.lists(VALUES, max_size=3), min_size=1, max_size=4
)


@pytest.fixture
def schema(tmp_path: Path) -> str:
    (tmp_path / "record.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    return "record.json"


def row(number: int, answer: str) -> Sample:
    messages = (Message(role="user", content=f"Order {number}?"), Message(role="assistant", content=answer))
    return Sample(id=f"s{number}", messages=messages, meta=Meta(source="orders.csv", row=number, lang="en"))


@pytest.mark.parametrize(
    ("said", "record"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Here it is:\n```json\n{"a": [1]}\n```\nDone {"b": 2}', {"a": [1]}),
        ('The record {"a": 1} fits.', {"a": 1}),
        ('{"a": 1', None),
        ('{"a": NaN}', None),
        ("42", None),
        ("[" * 100_000, None),
        ("", None),
    ],
)
def test_a_record_is_read_out_of_what_was_said(said: str, record: Any) -> None:
    assert read_record(said) == record


def test_fields_are_compared_whatever_their_order_case_and_way_of_writing_a_number() -> None:
    said = '{"items": [{"n": "B"}, {"n": "a"}], "sum": 500.0, "note": null}'
    assert same_record(read_record(said), {"sum": 500, "items": [{"n": "A"}, {"n": "b"}]})
    assert not same_record({"paid": True}, {"paid": "True"})
    assert not same_record({"a": [{"n": 1, "m": 2}, {"n": 3, "m": 4}]}, {"a": [{"n": 1, "m": 4}, {"n": 3, "m": 2}]})


@given(RECORDS, RECORDS)
@settings(max_examples=40, deadline=None)
def test_a_record_is_perfect_against_itself_and_f1_is_symmetric(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert same_record(first, first)
    assert float(field_f1(np.array(record_statistics(first, first)))) == 1
    there, back = (float(field_f1(np.array(record_statistics(*pair)))) for pair in ((first, second), (second, first)))
    assert there == pytest.approx(back)
    assert 0 <= there <= 1
    assert fields(json.loads(json.dumps(first))) == fields(first)


def test_an_arm_is_judged_by_fields_whole_records_and_the_schema(tmp_path: Path, schema: str) -> None:
    answers = ['{"name": "Li", "amount": 5}', '{"name": "Li", "amount": "5 yuan"}', "Li, 5", '{"name": "Wu"}']
    references = ['{"name": "li", "amount": 5.0}'] * 3 + ['{"name": "Wu"}']
    judged = judge_records(answers, references, read_schema(schema, tmp_path))
    assert judged.scores.keys() == RECORD_METRICS.keys()
    assert judged.scores["field_f1"] == [1.0, 0.5, 0.0, 1.0]
    assert judged.scores["record_match"] == [1.0, 0.0, 0.0, 1.0]
    assert judged.scores["schema_valid"] == [1.0, 0.0, 0.0, 1.0]
    assert judge_records(answers, references, None).scores["schema_valid"] == [1.0, 1.0, 0.0, 1.0]
    assert right_fields("nothing", references[0]) == {"name": 0.0, "amount": 0.0}


@pytest.mark.parametrize(
    "content", ['{"type": "nope"}', "{", '"text"', "[1]", '{"$ref": "http://127.0.0.1:9/x.json"}', None]
)
def test_a_file_that_is_no_schema_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "x.json").write_text(content, encoding="utf-8")
    with pytest.raises(RecipeError) as wrong:
        read_schema("x.json", tmp_path)
    assert wrong.value.code == "evaluation.schema_wrong"
    assert "x.json" in wrong.value.message("zh")


def test_an_extraction_is_evaluated_field_by_field_beside_a_base_that_sees_the_schema(
    evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path], schema: str
) -> None:
    rows = [row(n, json.dumps({"name": f"Customer {n}", "amount": n} if n else {"name": "none"})) for n in range(3)]
    evaluation = evaluate(write_dataset(rows), EvaluationConfig(task="extraction", json_schema=schema))
    results = read_results(evaluation.path)
    assert list(results.arms) == ["base", "base+schema", "tuned"]
    assert results.headline.metric == "field_f1"
    assert {"field_f1", "record_match", "schema_valid", "ended"} <= results.arms["tuned"].keys()
    assert {field: figures["tuned"].n for field, figures in results.fields.items()} == {"amount": 2, "name": 3}
    assert "schema_sha256" in results.made_of
    assert "whole record right" in (evaluation.path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("answer", "code"),
    [("not JSON", "evaluation.reference_no_record"), ('{"amount": 1}', "evaluation.reference_breaks_schema")],
)
def test_a_reference_that_is_no_such_record_is_named_with_its_row(
    evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path], schema: str, answer: str, code: str
) -> None:
    dataset = write_dataset([row(1, '{"name": "a"}'), row(7, answer)])
    with pytest.raises(DataError) as wrong:
        evaluate(dataset, EvaluationConfig(task="extraction", json_schema=schema))
    assert (wrong.value.code, wrong.value.row) == (code, 7)


def test_two_extractions_are_compared_by_the_fields_of_all_rows(
    evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    dataset = write_dataset([row(n, json.dumps({"name": f"Customer {n}", "amount": n + 1})) for n in range(3)])
    first, second = (evaluate(dataset, EvaluationConfig(task="extraction", max_rows=rows)) for rows in (3, 2))
    rematch = compare_evaluations(first.path, second.path)
    assert rematch.rows == 2
    assert {one.metric for one in rematch.comparisons} == {"field_f1", "record_match", "schema_valid", "ended"}
    assert all(one.difference == 0 for one in rematch.comparisons)
