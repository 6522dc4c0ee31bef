"""Everything that arrives broken or as an attack: an error or a row set aside, at once, and nothing good is lost."""

from __future__ import annotations

import gzip
import io
import json
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers import Row, open_rows

SECONDS = 2.0
"""What a bad file may take on a quiet machine; the tests allow ten times that, as they share theirs."""
MEMORY = 256 << 20
"""Bytes that Python may hold beside the file's own size."""

GOOD = {"question": "q", "answer": "a"}


def _jsonl(bad: bytes) -> bytes:
    good = json.dumps(GOOD).encode()
    return b"\n".join([good, bad, good]) + b"\n"


def _csv(bad: bytes) -> bytes:
    return b"question,answer\nq,a\n" + bad + b"\nq,a\n"


def _json(bad: bytes) -> bytes:
    good = json.dumps(GOOD).encode()
    return b"[" + b",\n".join([good, bad, good]) + b"]"


NESTED = b'{"question": "x", "answer": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"
WIDE = json.dumps({f"k{n}": n for n in range(20_000)}).encode()

ONE_BAD_ROW: dict[str, tuple[str, Callable[[], bytes]]] = {
    "json lines: invalid UTF-8": ("a.jsonl", lambda: _jsonl(b'{"question": "\xff\xfe", "answer": "b"}')),
    "json lines: lone surrogate": ("a.jsonl", lambda: _jsonl(b'{"question": "\\ud800", "answer": "b"}')),
    "json lines: raw NUL": ("a.jsonl", lambda: _jsonl(b'{"question": "a\x00b", "answer": "b"}')),
    "json lines: a key twice": ("a.jsonl", lambda: _jsonl(b'{"question": "x", "question": "y", "answer": "b"}')),
    "json lines: half a line": ("a.jsonl", lambda: _jsonl(b'{"question": "x", "ans')),
    "json lines: nested 10,000 deep": ("a.jsonl", lambda: _jsonl(NESTED)),
    "json lines: 20,000 fields": ("a.jsonl", lambda: _jsonl(WIDE)),
    "json lines: a list": ("a.jsonl", lambda: _jsonl(b'["q", "a"]')),
    "json: a quote is missing": ("a.json", lambda: _json(b'{"question": "x, "answer": "b"}')),
    "json: a bracket is missing": ("a.json", lambda: _json(b'{"question": "x", "answer": "b"')),
    "json: a comma too many": ("a.json", lambda: _json(b'{"question": "x", "answer": "b",}')),
    "json: nested 10,000 deep": ("a.json", lambda: _json(NESTED)),
    "json: a key twice": ("a.json", lambda: _json(b'{"question": "x", "question": "y", "answer": "b"}')),
    "csv: ragged": ("a.csv", lambda: _csv(b"x,y,z,w")),
    "csv: a quote is not closed": ("a.csv", lambda: _csv(b'"x,y')),
}


def _read(path: Path) -> tuple[list[Row], list[Rejected]]:
    began = time.perf_counter()
    rows = list(open_rows(path).rows)
    assert time.perf_counter() - began < 10 * SECONDS
    return [row for row in rows if isinstance(row, Row)], [row for row in rows if isinstance(row, Rejected)]


@pytest.mark.parametrize("case", ONE_BAD_ROW)
def test_one_bad_row_is_set_aside_and_the_others_are_kept(tmp_path: Path, case: str) -> None:
    name, make = ONE_BAD_ROW[case]
    path = tmp_path / name
    path.write_bytes(make())
    rows, rejected = _read(path)
    kept = [row.values for row in rows if row.values == GOOD]
    undecoded = [row for row in rows if row.values != GOOD]  # a text with damaged bytes is set aside as it is built
    assert len(kept) == 2
    assert len(rejected) + len(undecoded) == 1
    for row in rejected:
        assert row.row == (3 if name.endswith(".csv") else 2), "a table counts its header"
        assert row.source == name
        assert row.reason
        assert 0 < len(row.text) <= 2000


LONG: dict[str, Callable[[], bytes]] = {
    "a.jsonl": lambda: _jsonl(b'{"question": "x", "answer": "' + b"y" * 50_000_000 + b'"}'),
    "a.json": lambda: _json(b'{"question": "x", "answer": "' + b"y" * 50_000_000 + b'"}'),
    "a.csv": lambda: _csv(b"x," + b"y" * 50_000_000),
}


@pytest.mark.parametrize("name", LONG)
def test_a_field_of_50_megabytes_is_set_aside_and_does_not_fill_the_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(LONG[name]())
    tracemalloc.start()
    rows, rejected = _read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row.values for row in rows] == [GOOD, GOOD]
    assert [(row.row, row.code) for row in rejected] == [(3 if name == "a.csv" else 2, "data.row_too_long")]
    assert peak < MEMORY


def test_a_million_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(f"c{n}" for n in range(1_000_000)) + "\n1,2\n")
    with pytest.raises(DataError) as caught:
        _read(path)
    assert caught.value.code in ("data.header_unreadable", "data.too_many_columns")
    path.write_text("," * 999_999 + "\n")
    with pytest.raises(DataError):
        _read(path)


def test_columns_of_one_name_by_the_thousand_are_told_apart_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(["answer"] * 16_000) + "\n" + ",".join(["x"] * 16_000) + "\n")
    rows, _ = _read(path)
    assert len(rows[0].values) == 16_000


def test_texts_with_bidirectional_and_invisible_characters_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("question,answer\n\u202eabc\u200b,\u2066x\u2069\ufeff\n", encoding="utf-8")
    assert _read(path)[0][0].values == {"question": "\u202eabc\u200b", "answer": "\u2066x\u2069\ufeff"}


# ---- archives and documents --------------------------------------------------------------------------------------------


def _sheet_file(path: Path, sheet: bytes, **members: bytes) -> Path:
    """A minimal workbook around the XML of its sheet."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{types}"><Override PartName="/xl/workbook.xml" '
        f'ContentType="{kind}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _sheet(cells: bytes) -> bytes:
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<worksheet xmlns="' + main + b'"><sheetData>' + cells + b"</sheetData></worksheet>"


CELLS = b"".join(
    b'<row r="%d"><c r="A%d" t="inlineStr"><is><t>%s</t></is></c><c r="B%d" t="inlineStr"><is><t>%s</t></is></c></row>'
    % (n, n, q, n, a)
    for n, (q, a) in enumerate([(b"question", b"answer"), (b"q", b"a")], start=1)
)


def test_the_minimal_workbook_of_these_tests_is_read(tmp_path: Path) -> None:
    rows, _ = _read(_sheet_file(tmp_path / "a.xlsx", _sheet(CELLS)))
    assert [row.values for row in rows] == [GOOD]


def _refused(path: Path) -> str:
    began = time.perf_counter()
    with pytest.raises(DataError) as caught:
        list(open_rows(path).rows)
    assert time.perf_counter() - began < 10 * SECONDS
    assert caught.value.message("en")
    assert caught.value.hint("zh")
    return caught.value.code


def test_a_workbook_that_inflates_a_hundredfold_is_refused_whatever_it_says_of_its_size(tmp_path: Path) -> None:
    path = _sheet_file(tmp_path / "a.xlsx", _sheet(CELLS + b" " * (80 << 20)))
    assert _refused(path) == "data.inflates"
    content = path.read_bytes()
    true = (len(_sheet(CELLS)) + (80 << 20)).to_bytes(4, "little")
    assert content.count(true) == 2
    path.write_bytes(content.replace(true, (1000).to_bytes(4, "little")))
    assert _refused(path) == "data.inflates"


def test_xml_entities_in_a_workbook_are_refused(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY b%d "&b%d;&b%d;">' % (n + 1, n, n) for n in range(40)
    )
    sheet = b'<?xml version="1.0"?>' + bomb + b"]>" + _sheet(CELLS)
    assert _refused(_sheet_file(tmp_path / "a.xlsx", sheet)) == "data.document_entities"
    outside = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + _sheet(CELLS)
    assert _refused(_sheet_file(tmp_path / "b.xlsx", outside)) == "data.document_entities"


@pytest.mark.parametrize("name", ["../../evil.xml", "/etc/evil.xml", "..\\evil.xml", "C:\\evil.xml"])
@pytest.mark.parametrize("extension", [".xlsx", ".docx"])
def test_a_document_with_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str, extension: str) -> None:
    path = _sheet_file(tmp_path / f"a{extension}", _sheet(CELLS), **{name: b"x"})
    assert _refused(path) == "data.archive_name"


def test_every_sheet_and_no_formula_is_lost(tmp_path: Path) -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    for row in (["question", "answer"], ["q1", "a1"], ["q2", '="a"&2']):
        first.append(row)
    book.save(tmp_path / "a.xlsx")
    rows, rejected = _read(tmp_path / "a.xlsx")
    assert (len(rows), [row.row for row in rejected]) == (1, [3])


def test_a_gzip_bomb_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b"question,answer\n")
        block = b"q,a\n" * (1 << 18)
        for _ in range(70):
            file.write(block)
    assert _refused(path) == "data.inflates"


@pytest.mark.parametrize("cut", [5, 30, -4])
def test_a_cut_off_gzip_is_named(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"question,answer\n" + b"".join(b"q%d,a\n" % n for n in range(5000)))[:cut])
    assert _refused(path) == "data.archive_damaged"


def test_ten_thousand_nulls_and_then_texts_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"x": null, "y": null}\n' * 10_000 + '{"x": "what?", "y": "that"}\n' * 3)
    rows, rejected = _read(path)
    assert (len(rows), rejected) == (10_003, [])
    assert rows[-1].values == {"x": "what?", "y": "that"}


def test_an_archive_is_never_written_to_the_disk(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("faq.csv", "question,answer\nq,a\n")
    (tmp_path / "a.zip").write_bytes(buffer.getvalue())
    from tuneloop.data.places import find_places

    place = find_places("a.zip", tmp_path).places[0]
    assert [row.values for row in open_rows(place.file).rows if isinstance(row, Row)] == [GOOD]
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
