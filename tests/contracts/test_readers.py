"""Every reader of the table keeps the same promises."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import docx
import polars
import pytest
from openpyxl import Workbook

from tuneloop.core.errors import DataError
from tuneloop.data.readers import READERS, Row, local_file, open_rows
from tuneloop.data.readers.files import File

ROWS = [{"question": f"怎么办理第{n}项？", "answer": f"请致电客服，第{n}步。"} for n in range(1, 6)]
CELLS = [("question", "answer"), *((row["question"], row["answer"]) for row in ROWS)]


def _xlsx() -> bytes:
    book, content = Workbook(), io.BytesIO()
    for cells in CELLS:
        book.worksheets[0].append(cells)
    book.save(content)
    return content.getvalue()


def _docx() -> bytes:
    document, content = docx.Document(), io.BytesIO()
    table = document.add_table(rows=len(CELLS), cols=2)
    for line, cells in zip(table.rows, CELLS, strict=True):
        line.cells[0].text, line.cells[1].text = cells
    document.save(content)
    return content.getvalue()


def _parquet() -> bytes:
    content = io.BytesIO()
    polars.DataFrame(ROWS).write_parquet(content)
    return content.getvalue()


CASES: dict[str, Callable[[], bytes]] = {
    ".csv": lambda: "\n".join(",".join(cells) for cells in CELLS).encode(),
    ".tsv": lambda: "\n".join("\t".join(cells) for cells in CELLS).encode(),
    ".xlsx": _xlsx,
    ".jsonl": lambda: "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode(),
    ".json": lambda: json.dumps(ROWS).encode(),
    ".parquet": _parquet,
    ".txt": lambda: "\n".join(f"问：{row['question']}\n答：{row['answer']}" for row in ROWS).encode(),
    ".md": lambda: "\n".join(f"## {row['question']}\n{row['answer']}" for row in ROWS).encode(),
    ".docx": _docx,
}


def test_every_reader_has_a_case() -> None:
    assert CASES.keys() == READERS.keys()


@pytest.mark.parametrize("extension", READERS)
def test_a_reader_yields_numbered_rows_of_named_values(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a{extension}"
    path.write_bytes(CASES[extension]())
    opened = open_rows(path)
    rows = [row for row in opened.rows if isinstance(row, Row)]
    assert [row.values for row in rows] == ROWS
    assert opened.total >= 1
    numbers = [row.number for row in rows]
    assert numbers == sorted(set(numbers))
    assert numbers[0] >= 1


@pytest.mark.parametrize("extension", READERS)
def test_a_reader_needs_no_plain_file(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a{extension}"
    path.write_bytes(CASES[extension]())
    plain = local_file(path)
    packed = File(plain.name, plain.place, plain.kind, plain.size, plain.open, path=None)
    assert [row.values for row in open_rows(packed).rows if isinstance(row, Row)] == ROWS


@pytest.mark.parametrize("extension", READERS)
def test_a_reader_refuses_noise_with_words_or_yields_rows(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a{extension}"
    for content in (b"\x00\x01\x02" * 50, b"PK\x03\x04" + b"\xff" * 60, b"\n" * 9):
        path.write_bytes(content)
        codes = []
        try:
            list(open_rows(path).rows)
        except DataError as error:
            codes.append(error.message("zh") + error.hint("en"))
        assert all(codes)
