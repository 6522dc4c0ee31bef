"""How results show themselves in a terminal and in a notebook."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.records import (
    Adapter,
    Choice,
    Dataset,
    Evaluation,
    Figure,
    Finding,
    Plan,
    Result,
    Run,
    Sample,
    Verdict,
)
from tuneloop.core.show import Grid, as_text, grids, show_bytes, width

RESULTS: list[Result] = [
    Dataset(name="bank", id="a1", path=Path("d"), rows={"train": 8, "test": 2}, report={"rows_quarantined": 3}),
    Plan(
        choices=(Choice(name="r", value=16, reason="enough"),),
        findings=(Finding(check="labels", status="refuse", message="<b>", fix="add"),),
    ),
    Run(
        id="bank-1",
        name="bank",
        path=Path("r"),
        steps=10,
        best_step=8,
        best_validation_loss=None,
        seconds=75.0,
        tokens_per_second=541.0,
        memory_bytes=3_400_000_000,
    ),
    Evaluation(
        id="e1",
        name="bank",
        path=Path("e"),
        arms={"base": {"rouge_l": Figure(value=0.1)}, "tuned": {"rouge_l": Figure(value=0.5, low=0.4, high=0.6, n=9)}},
        slices={},
        comparisons=(),
        verdict=Verdict(status="better", text="Better & proven."),
    ),
    Adapter(name="bank", version=3, path=Path("a"), base_model="tiny", run_id="bank-1", aliases=("candidate",)),
]


def test_every_result_has_tables() -> None:
    assert {type(result) for result in RESULTS} == set(Result.__subclasses__())


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
def test_a_result_prints_as_a_table_and_keeps_its_repr(result: Result) -> None:
    assert str(result).splitlines()
    assert repr(result).startswith(f"{type(result).__name__}(")
    assert str(result) != repr(result)
    assert "\n" not in grids(result)[0].title


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
def test_a_notebook_gets_a_table_in_which_everything_is_escaped(result: Result) -> None:
    html = result._repr_html_()
    assert html.startswith("<table>")
    assert "<b>" not in html
    assert "& " not in html


def test_the_tables_speak_both_languages() -> None:
    assert grids(RESULTS[4], "zh")[0].title == "适配器 bank@v0003"
    assert "0.500 (0.400–0.600)" in as_text(grids(RESULTS[3], "en"))


def test_what_has_no_table_is_a_bug_that_shows() -> None:
    with pytest.raises(KeyError):
        grids(Sample)


def test_columns_are_aligned_also_under_chinese() -> None:
    lines = as_text([Grid("", ("名称", "x"), (("ab", "1"), ("中文字", "2")))]).splitlines()
    places = {width(line[: line.rindex(end)]) for line, end in zip(lines[1:], "x12", strict=True)}
    assert len(places) == 1


def test_sizes_are_readable() -> None:
    assert [show_bytes(n) for n in (0, 999, 1000, 2.5e6, 1e12)] == ["0 B", "999 B", "1.0 kB", "2.5 MB", "1.0 TB"]
