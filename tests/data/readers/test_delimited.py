"""csv and tsv: delimiters, quotes, ragged rows; nothing good is lost."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers import Row, open_rows
from tuneloop.data.readers.delimited import find_delimiter


def _open(tmp_path: Path, content: str, name: str = "a.csv") -> list[Row | Rejected]:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", newline="")
    return list(open_rows(path).rows)


def _values(rows: list[Row | Rejected]) -> list[dict[str, object]]:
    return [row.values for row in rows if isinstance(row, Row)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    rows = _open(
        tmp_path, f"question{delimiter}answer\nwhat, when; why{delimiter}so\nq2{delimiter}a2\n".replace("\t,", ",")
    )
    expected = {"question": "what, when; why", "answer": "so"}
    if delimiter in ",;":
        rows = _open(tmp_path, f'question{delimiter}answer\n"what, when; why"{delimiter}so\nq2{delimiter}a2\n')
    assert _values(rows)[0] == expected


def test_a_tsv_file_is_cut_at_tabs(tmp_path: Path) -> None:
    assert _values(_open(tmp_path, "q\ta\nx, y\tz, w\n", "a.tsv")) == [{"q": "x, y", "a": "z, w"}]


def test_a_separator_line_of_excel_is_followed() -> None:
    assert find_delimiter(["sep=;\n", "a;b\n"]) == (";", 1)


def test_rows_are_numbered_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    rows = _open(tmp_path, "question,answer\nq1,a1\n\nq3,a3\n")
    assert [row.number for row in rows if isinstance(row, Row)] == [2, 4]


def test_line_ends_inside_quotes_belong_to_the_cell(tmp_path: Path) -> None:
    rows = _open(tmp_path, 'question,answer\r\nq,"one\r\ntwo"\r\nq2,a2\r\n')
    assert _values(rows) == [{"question": "q", "answer": "one\r\ntwo"}, {"question": "q2", "answer": "a2"}]


def test_a_row_with_too_many_cells_is_set_aside(tmp_path: Path) -> None:
    rows = _open(tmp_path, "question,answer\nq,a,b,c\nq2,a2\nq3,a3,,\n")
    assert [(row.row, row.code) for row in rows if isinstance(row, Rejected)] == [(2, "data.row_ragged")]
    assert [value["question"] for value in _values(rows)] == ["q2", "q3"]


def test_a_short_row_leaves_its_last_columns_empty(tmp_path: Path) -> None:
    assert _values(_open(tmp_path, "question,answer,note\nq,a\n")) == [{"question": "q", "answer": "a", "note": None}]


def test_an_open_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    rows = _open(tmp_path, 'question,answer\nq1,a1\nq2,"a2\nq3,a3\nq4,"a4"\nq5,a5\n')
    assert [(row.row, row.code) for row in rows if isinstance(row, Rejected)] == [(3, "data.row_quotes")]
    assert [value["question"] for value in _values(rows)] == ["q1", "q3", "q4", "q5"]


def test_an_open_quote_at_the_end_loses_nothing_before_or_after(tmp_path: Path) -> None:
    rows = _open(tmp_path, 'question,answer\nq1,"a1\n' + "".join(f"q{n},a{n}\n" for n in range(2, 6000)))
    assert len(_values(rows)) == 5998
    assert [row.row for row in rows if isinstance(row, Rejected)] == [2]


def test_a_huge_cell_is_set_aside(tmp_path: Path) -> None:
    rows = _open(tmp_path, f"question,answer\nq1,{'x' * 1_200_000}\nq2,a2\n")
    assert [row.code for row in rows if isinstance(row, Rejected)] == ["data.row_too_long"]
    assert _values(rows) == [{"question": "q2", "answer": "a2"}]


def test_columns_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    assert _values(_open(tmp_path, "question,answer,answer,\nq,a,b,c\n")) == [
        {"question": "q", "answer": "a", "answer.2": "b", "column_4": "c"}
    ]


def test_a_first_line_that_is_data_is_read_as_a_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "怎么查询账户余额？,您可以登录手机银行查询。\n卡丢了怎么办？,请立即致电客服挂失。\n", encoding="utf-8"
    )
    opened = open_rows(path)
    assert opened.headerless
    assert [row.number for row in opened.rows if isinstance(row, Row)] == [1, 2]


def test_cells_that_tuneloop_neutralised_are_read_back(tmp_path: Path) -> None:
    assert _values(_open(tmp_path, "question,answer\n'=1+1,'- first\n")) == [{"question": "=1+1", "answer": "- first"}]


@pytest.mark.parametrize("content", ["\n\n", " , \n"])
def test_a_file_of_blanks_is_empty(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError) as caught:
        _open(tmp_path, content)
    assert caught.value.code == "data.file_empty"


def test_a_broken_header_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _open(tmp_path, '"question"x,answer\nq,a\n')
    assert caught.value.code == "data.header_unreadable"


CELL = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)


@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8))
def test_what_python_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("question", "answer"), *rows])
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
    found = [tuple(row.values.values()) for row in open_rows(path).rows if isinstance(row, Row)]
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    assert [tuple(cell.lstrip("'") for cell in row) for row in found] == [
        tuple(c.lstrip("'") for c in row) for row in kept
    ]


@given(content=st.binary(max_size=300))
def test_any_bytes_give_rows_or_a_clear_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(b"question,answer\n" + content)
    numbers = [row.row if isinstance(row, Rejected) else row.number for row in open_rows(path).rows]
    assert numbers == sorted(numbers)
