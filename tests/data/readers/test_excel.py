"""xlsx: sheets, stored values of formulas, damaged files."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers import Row, open_rows


def _book(path: Path, **sheets: list[list[object]]) -> Path:
    book = Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def _values(path: Path, sheet: str | None = None) -> list[dict[str, object]]:
    return [row.values for row in open_rows(path, sheet).rows if isinstance(row, Row)]


def test_cells_are_read_as_text(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", 表=[["问题", "答案", "日期"], ["额度", 5000, datetime.datetime(2024, 1, 2)]])
    assert _values(path) == [{"问题": "额度", "答案": "5000", "日期": "2024-01-02 00:00:00"}]


def test_numbers_keep_their_leading_zeros_when_they_are_text(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", s=[["question", "answer"], ["007", 0.1]])
    assert _values(path) == [{"question": "007", "answer": "0.1"}]


def test_a_formula_without_a_stored_value_is_set_aside(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", s=[[], ["question", "answer"], ["q1", "a1"], ["q2", "=1+1"], ["q3", "a3"]])
    rows = list(open_rows(path).rows)
    assert [row.number for row in rows if isinstance(row, Row)] == [3, 5]
    (rejected,) = [row for row in rows if isinstance(row, Rejected)]
    assert (rejected.row, rejected.code) == (4, "data.formula_without_value")
    assert "B4" in rejected.reason


def test_a_cell_merged_downwards_holds_for_all_its_rows(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        [],
        [None, "意图", "问题", "答案"],
        [None, "卡", "q1", "a1"],
        [None, None, "q2", "a2"],
        [],
        [None, "贷", "q3", "a3"],
    ):
        sheet.append(row)
    sheet.merge_cells("B3:B5")
    book.save(tmp_path / "a.xlsx")
    assert [row["意图"] for row in _values(tmp_path / "a.xlsx")] == ["卡", "卡", "贷"]


def test_a_title_above_the_header_is_passed_over(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", s=[["客服问答 2024", None], ["问题", "答案"], ["q1", "a1"]])
    assert _values(path) == [{"问题": "q1", "答案": "a1"}]


def test_blank_rows_are_skipped_but_counted(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", s=[["question", "answer"], ["q1", "a1"], [None, None], ["q3", "a3"]])
    assert [row.number for row in open_rows(path).rows if isinstance(row, Row)] == [2, 4]


def test_rows_have_the_numbers_of_the_spreadsheet_also_below_empty_ones_and_a_title(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", s=[[], [], ["FAQ 2024", None], ["question", "answer"], ["q1", "a1"]])
    assert [row.number for row in open_rows(path).rows if isinstance(row, Row)] == [5]


def test_the_first_sheet_is_read_unless_another_is_named(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", one=[["q", "a"], ["1", "x"]], two=[["q", "a"], ["2", "y"]])
    assert _values(path)[0]["q"] == "1"
    assert _values(path, "two")[0]["q"] == "2"


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", one=[["q"], ["1"]])
    with pytest.raises(DataError) as caught:
        open_rows(path, "three")
    assert caught.value.code == "data.sheet_missing"
    assert "one" in caught.value.hint("en")


def test_an_empty_sheet_is_refused(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", one=[])
    with pytest.raises(DataError) as caught:
        open_rows(path)
    assert caught.value.code == "data.sheet_empty"


@pytest.mark.parametrize("content", [b"PK\x03\x04 not really", b"question,answer\n", b"\xd0\xcf\x11\xe0" * 200])
def test_a_damaged_file_is_refused_with_one_message(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_rows(path)
    assert caught.value.code == "data.excel_damaged"


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", s=[["question", "answer"], *[[f"q{n}", f"a{n}"] for n in range(200)]])
    whole = path.read_bytes()
    for size in (100, len(whole) // 2, len(whole) - 10):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError):
            open_rows(path)
