"""Files damaged at random: no crash, no hang, and no row is lost beside those that the damage touched.

Each case writes 24 rows in one format, damages the bytes of one row (or, where rows have no bytes of their own, of the
file), and reads it. The short form runs a few cases of every format; the whole suite is `pytest -m slow`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.config import SourceConfig
from tuneloop.data.readers import READERS, Row, open_rows
from tuneloop.data.sources import sources_of_file

ROWS = [
    (f"How do I get item {n:03d}, 第{n:03d}项?", f"You get item {n:03d} here, 在这里领取第{n:03d}项。")
    for n in range(24)
]
SHORT, WHOLE = 4, 60
"""Damaged files of each format."""

SPECIAL = [
    b'"', b'""', b"\\", b"[", b"]", b"{", b"}", b",", b"\n", b"\r\n", b"\x00", b"\x00" * 8, b"\xff\xfe", b"\xef\xbb\xbf", b"\x1a",
    b"\\ud800", b"\xed\xa0\x80", b"\xc3", b"\xe2\x80\xae", b"\t", b"|", b"'", b"<a&b>", b"NaN", b"]]]", b'"}',
    b'{"', b"=1+1", b"\x85",
]  # fmt: skip


def _line(*cells: str, **options: object) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", **options).writerow(cells)  # type: ignore[arg-type]
    return text.getvalue().encode()


def _object(question: str, answer: str, indent: int | None = None) -> bytes:
    return json.dumps({"question": question, "answer": answer}, ensure_ascii=False, indent=indent).encode()


Pieces = tuple[bytes, list[bytes], bytes]
"""What stands before the rows, the rows, and what stands after them."""

TEXTS: dict[str, tuple[str, Callable[[], Pieces]]] = {
    "csv": ("a.csv", lambda: (b"question,answer\n", [_line(*row) for row in ROWS], b"")),
    "csv, quoted": ("a.csv", lambda: (b"question,answer\n", [_line(*row, quoting=csv.QUOTE_ALL) for row in ROWS], b"")),
    "tsv": ("a.tsv", lambda: (b"question\tanswer\n", [_line(*row, delimiter="\t") for row in ROWS], b"")),
    "jsonl": ("a.jsonl", lambda: (b"", [_object(*row) + b"\n" for row in ROWS], b"")),
    "json, a line a row": ("a.json", lambda: (b"[\n", [_object(*row) + b",\n" for row in ROWS], b"{}]")),
    "json, one line": ("a.json", lambda: (b"[", [_object(*row) + b", " for row in ROWS], b"{}]")),
    "json, indented": ("a.json", lambda: (b"[\n", [_object(*row, indent=2) + b",\n" for row in ROWS], b"{}]\n")),
    "marks": ("a.txt", lambda: (b"", [f"Q: {q}\nA: {a}\n\n".encode() for q, a in ROWS], b"")),
    "headings": ("a.md", lambda: (b"# FAQ\n\n", [f"## {q}\n\n{a}\n\n".encode() for q, a in ROWS], b"")),
    "table": (
        "a.md",
        lambda: (b"| question | answer |\n|---|---|\n", [f"| {q} | {a} |\n".encode() for q, a in ROWS], b""),
    ),
}


def _xlsx() -> bytes:
    book, content = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in [("question", "answer"), *ROWS]:
        sheet.append(row)
    book.save(content)
    return content.getvalue()


def _docx() -> bytes:
    document, content = docx.Document(), io.BytesIO()
    table = document.add_table(rows=5, cols=2)
    for cells, row in zip(table.rows, [("question", "answer"), *ROWS], strict=False):
        cells.cells[0].text, cells.cells[1].text = row
    document.save(content)
    return content.getvalue()


def _parquet() -> bytes:
    content = io.BytesIO()
    polars.DataFrame(ROWS, schema=["question", "answer"], orient="row").write_parquet(content)
    return content.getvalue()


def _zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"question,answer\n" + b"".join(_line(*row) for row in ROWS))
    return content.getvalue()


BINARY: dict[str, tuple[str, Callable[[], bytes]]] = {
    "xlsx": ("a.xlsx", _xlsx),
    "docx": ("a.docx", _docx),
    "parquet": ("a.parquet", _parquet),
    "zip": ("a.zip", _zip),
    "gz": ("a.csv.gz", lambda: gzip.compress(b"question,answer\n" + b"".join(_line(*row) for row in ROWS))),
    "utf-16": ("a.csv", lambda: ("question,answer\n" + "".join(_line(*r).decode() for r in ROWS)).encode("utf-16")),
    "gb18030": ("a.csv", lambda: ("question,answer\n" + "".join(_line(*r).decode() for r in ROWS)).encode("gb18030")),
    "big5": ("a.csv", lambda: ("question,answer\n" + "怎麼辦?,請洽客服\n" * 9).encode("big5")),
}


def damage(content: bytes, chance: random.Random) -> bytes:
    """Overwrite, insert or delete a few bytes somewhere."""
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        place = chance.randrange(len(content) + 1)
        size = chance.choice([0, 0, 1, 2, 8])
        new = chance.choice(
            [b"", chance.randbytes(chance.choice([1, 2, 8])), chance.choice(SPECIAL), chance.choice(SPECIAL)]
        )
        content = content[:place] + new + content[place + size :]
    return content


def _read(path: Path) -> list[Row | Rejected]:
    (source,) = sources_of_file(SourceConfig(path=str(path)), Path())
    assert source.file is not None
    return list(open_rows(source.file).rows)


def _check_words(error: DataError) -> None:
    """A refused file is told in both languages."""
    assert error.message("en")
    assert error.hint("zh")


def _check_text(folder: Path, form: str, seed: int) -> None:
    chance = random.Random(f"{form} {seed}")
    name, make = TEXTS[form]
    head, rows, tail = make()
    hurt = chance.randrange(1, len(rows) - 1)
    rows[hurt] = damage(rows[hurt], chance)
    path = folder / name
    path.write_bytes(head + b"".join(rows) + tail)
    read = _read(path)
    found = {tuple(list(row.values.values())[:2]) for row in read if isinstance(row, Row)}
    lost = [row for place, row in enumerate(ROWS) if row not in found and abs(place - hurt) > 1]
    assert not lost, (form, seed, hurt, rows[hurt])


def _check_binary(folder: Path, form: str, seed: int) -> None:
    chance = random.Random(f"{form} {seed}")
    name, make = BINARY[form]
    content = make()
    content = content[: chance.randrange(len(content))] if seed % 5 == 0 else damage(content, chance)
    path = folder / name
    path.write_bytes(content)
    try:
        read = _read(path)
    except DataError as error:
        _check_words(error)
        return
    assert all(isinstance(row, Row) or (row.reason and row.row >= 0) for row in read)


@pytest.mark.parametrize("form", TEXTS)
def test_damage_of_one_row_costs_no_other_row(tmp_path: Path, form: str) -> None:
    for seed in range(SHORT):
        _check_text(tmp_path, form, seed)


@pytest.mark.parametrize("form", BINARY)
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, form: str) -> None:
    for seed in range(SHORT):
        _check_binary(tmp_path, form, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SHORT, WHOLE))
def test_the_whole_suite_of_damaged_files(tmp_path: Path, seed: int) -> None:
    for form in TEXTS:
        _check_text(tmp_path, form, seed)
    for form in BINARY:
        _check_binary(tmp_path, form, seed)


def test_the_suite_has_at_least_five_hundred_files() -> None:
    assert WHOLE * (len(TEXTS) + len(BINARY)) >= 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(content=st.binary(max_size=120), extension=st.sampled_from(sorted(READERS)))
def test_any_bytes_under_any_name_are_read_or_refused(tmp_path: Path, content: bytes, extension: str) -> None:
    path = tmp_path / f"any{extension}"
    path.write_bytes(content)
    try:
        rows = list(open_rows(path).rows)
    except DataError as error:
        _check_words(error)
        return
    assert all(isinstance(row, Row | Rejected) for row in rows)
