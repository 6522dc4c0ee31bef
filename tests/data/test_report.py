"""Figures of the report, and the page that shows them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.data.report import Distribution, Report, count_intents, describe_contradictions
from tuneloop.data.report_page import bin_counts, visible


def _sample(question: str = "q", answer: str = "a", **tags: str) -> Sample:
    messages = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return Sample(id="x", messages=messages, meta=Meta(source="s", row=1, tags=tags))


@given(st.lists(st.integers(0, 1000), min_size=1))
def test_figures_are_in_their_order(values: list[int]) -> None:
    figures = Distribution.of(values)
    assert figures.minimum <= figures.median <= figures.p95 <= figures.maximum
    assert figures.minimum <= figures.mean <= figures.maximum
    assert figures.total == sum(values)


@given(st.lists(st.integers(0, 5000), max_size=200))
def test_every_length_stands_in_one_bar(values: list[int]) -> None:
    starts, width, counts = bin_counts(values)
    assert sum(counts) == len(values)
    assert len(starts) == len(counts) <= 31
    assert all(other - one == width for one, other in pairwise(starts))


def test_samples_without_a_label_are_no_intent() -> None:
    assert count_intents({"train": [_sample(), _sample(intent="x")]})["train"] == {"x": 1}
    assert count_intents({"train": [_sample()]}) == {}


def test_contradictions_show_the_question_and_its_answers() -> None:
    samples = [_sample("q", "a"), _sample("q", "b"), _sample("q", "a")]
    found = describe_contradictions(samples, [[0, 1, 2]])
    assert (found.questions, found.rows, found.examples) == (1, 3, (("q", "a", "b"),))


def test_characters_that_can_not_be_seen_are_shown() -> None:
    assert visible("a\u202eb\xa0c") == "a⟨U+202E⟩b⟨U+00A0⟩c"
    assert visible("a\nb c") == "a\nb c"


def test_the_report_has_a_schema() -> None:
    assert {"rows_read", "rules", "splits"} <= Report.model_json_schema()["properties"].keys()
