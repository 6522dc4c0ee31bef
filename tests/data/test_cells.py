"""Cells that a spreadsheet program would run as formulas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.data.cells import RISKY, neutralise, restore


@pytest.mark.parametrize("cell", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_becomes_text(cell: str) -> None:
    assert neutralise(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "hello", "1-1", "'quoted'", " =1"])
def test_other_text_stays(cell: str) -> None:
    assert neutralise(cell) == cell


@given(st.text())
def test_nothing_is_lost(cell: str) -> None:
    assert restore(neutralise(cell)) == cell


@given(st.text())
def test_no_cell_starts_with_a_risky_character(cell: str) -> None:
    assert not neutralise(cell).startswith(tuple(RISKY))
