"""Figures of the report, and the page that shows them."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.data.census import Census, Measure
from tuneloop.data.report import Distribution, QuarantinedRow, Report, bin_counts
from tuneloop.data.report_page import visible
from tuneloop.data.report_text import report_grids

from .conftest import Prepare, Write, questions


def _sample(question: str = "q", answer: str = "a", **tags: str) -> Sample:
    messages = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return Sample(id="x", messages=messages, meta=Meta(source="s", row=1, tags=tags))


def _census(*samples: Sample) -> Census:
    census = Census(None)
    with SILENT.track("", None, "") as tracker:
        assert list(census.count("train", samples, tracker)) == list(samples)
    return census


@given(st.lists(st.integers(0, 1000), min_size=1))
def test_figures_are_in_their_order(values: list[int]) -> None:
    figures = Distribution.of(values)
    assert figures.minimum <= figures.median <= figures.p95 <= figures.maximum
    assert figures.minimum <= figures.mean <= figures.maximum
    assert figures.total == sum(values)


@given(st.lists(st.integers(0, 5000), max_size=200))
def test_every_length_stands_in_one_bar(values: list[int]) -> None:
    width, counts = bin_counts(values)
    assert sum(counts) == len(values)
    assert len(counts) <= 31
    last = (len(counts) - 1) * width
    assert counts[:-1] == [
        sum(n * width <= value < (n + 1) * width for value in values) for n in range(len(counts) - 1)
    ]
    assert counts[-1] == sum(value >= last for value in values)


def test_samples_without_a_label_are_no_intent() -> None:
    assert _census(_sample(), _sample(intent="x")).intents["train"] == {"x": 1}
    assert _census(_sample()).intents == {}


def test_characters_that_can_not_be_seen_are_shown() -> None:
    assert visible("a\u202eb\xa0c") == "a⟨U+202E⟩b⟨U+00A0⟩c"
    assert visible("a\nb c") == "a\nb c"


def test_a_report_is_read_as_it_was_written(write: Write, prepare: Prepare) -> None:
    measure = Measure("m", lambda samples: [(3, 5000) for _ in samples])
    for measured in (None, measure):
        value = prepare(write("faq.jsonl", questions(20)), measure=measured).report
        report = Report.from_json(value)
        assert json.loads(json.dumps(report.as_json())) == value
        for language in ("en", "zh"):
            grids = report_grids(report, {}, language)  # type: ignore[arg-type]
            assert len(grids) >= 6
            assert all(len(row) == len(grid.columns) for grid in grids for row in grid.rows)
    assert value["tokens"]["cut"]["4096"] == 20
    assert value["tokens"]["cut"]["8192"] == 0


def test_a_reason_is_shown_in_the_readers_language_and_kept_in_the_runs(write: Write, prepare: Prepare) -> None:
    rows = [*questions(20), {"question": "q", "answer": ["a", "list"]}, {"question": "q", "answer": ""}]
    dataset = prepare(write("faq.jsonl", rows))
    report = Report.from_json(dataset.report)
    first, second = report.quarantined_rows
    assert first.values is not None
    assert first.said("en") == first.reason != first.said("zh") == text(first.code, "zh", **first.values)
    assert second.said("zh") == text("data.answer_empty", "zh")
    for language in ("en", "zh"):
        cells = [str(cell) for grid in report_grids(report, {}, language) for row in grid.rows for cell in row]  # type: ignore[arg-type]
        assert first.said(language) in cells  # type: ignore[arg-type]
    written = [json.loads(line) for line in (dataset.path / "quarantine.jsonl").read_text("utf-8").splitlines()]
    assert [row["reason"] for row in written] == [first.reason, second.reason]


def test_a_reason_of_another_version_is_shown_as_it_was_written() -> None:
    row = {"source": "a.csv", "row": 2, "reason": "as it was"}
    assert QuarantinedRow(code="data.answer_empty", **row).said("zh") == "as it was"
    assert QuarantinedRow(code="data.value_not_text", values={}, **row).said("zh") == "as it was"
    assert QuarantinedRow(code="data.unheard_of", values={}, **row).said("zh") == "as it was"


def test_the_values_of_a_reason_are_masked_as_the_reason_is(write: Write, prepare: Prepare) -> None:
    rows = [
        *({**row, "split": "train"} for row in questions(20)),
        {"question": "q", "answer": "a", "split": "13812345678"},
    ]
    dataset = prepare(write("faq.jsonl", rows), split={"validation": 0.1, "test": 0.1})
    (row,) = Report.from_json(dataset.report).quarantined_rows
    assert row.code == "data.split_unknown"
    assert "13812345678" not in (dataset.path / "quarantine.jsonl").read_text("utf-8") + row.said("zh") + str(
        row.values
    )
