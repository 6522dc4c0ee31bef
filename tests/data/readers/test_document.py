"""docx: rows of tables, and texts without tables."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers import Row, open_rows


def _table(document: docx.document.Document, rows: list[list[str]]) -> None:
    table = document.add_table(rows=len(rows), cols=len(rows[0]))
    for cells, row in zip(table.rows, rows, strict=True):
        for cell, text in zip(cells.cells, row, strict=True):
            cell.text = text


def test_the_rows_of_all_tables_are_read(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("客服问答")
    _table(document, [["问题", "答案"], ["q1", "a1\n第二行"], ["q2", "a2"]])
    document.add_paragraph("下表继续。")
    _table(document, [["问题", "答案"], ["q3", "a3"]])
    _table(document, [["q4", "a4"]])
    _table(document, [["x", "y", "z"]])
    document.save(str(tmp_path / "a.docx"))
    rows = list(open_rows(tmp_path / "a.docx").rows)
    assert [tuple(row.values.values()) for row in rows if isinstance(row, Row)] == [
        ("q1", "a1\n第二行"),
        ("q2", "a2"),
        ("q3", "a3"),
        ("q4", "a4"),
    ]
    assert [(row.row, row.code) for row in rows if isinstance(row, Rejected)] == [(6, "data.row_ragged")]


def test_headings_ask_where_there_is_no_table(tmp_path: Path) -> None:
    document = docx.Document()
    for question in ("怎么挂失？", "怎么开户？"):
        document.add_heading(question, level=2)
        document.add_paragraph("请致电客服。")
    document.save(str(tmp_path / "a.docx"))
    rows = [row.values for row in open_rows(tmp_path / "a.docx").rows if isinstance(row, Row)]
    assert rows == [
        {"question": "怎么挂失？", "answer": "请致电客服。"},
        {"question": "怎么开户？", "answer": "请致电客服。"},
    ]


def test_a_letter_is_refused(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("Dear customer, thank you.")
    document.save(str(tmp_path / "a.docx"))
    with pytest.raises(DataError) as caught:
        open_rows(tmp_path / "a.docx")
    assert caught.value.code == "data.text_unclear"


@pytest.mark.parametrize("content", [b"no archive", b"PK\x05\x06" + b"\0" * 18])
def test_a_damaged_document_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.docx").write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_rows(tmp_path / "a.docx")
    assert caught.value.code == "data.document_damaged"
