"""Tables that open in spreadsheet programs, and files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.errors import ResourceError
from tuneloop.data.readers import Row, open_rows
from tuneloop.data.tables import CELL_LIMIT, WRITERS, write_whole, write_xlsx

# Excel's own files can't hold these, and a lone carriage return becomes a line end in XML.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(str.strip)


@pytest.mark.parametrize("extension", WRITERS)
@given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, extension: str, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("table") / f"a{extension}"
    WRITERS[extension](path, [{"question": question, "answer": answer} for question, answer in rows])
    found = [row.values for row in open_rows(path).rows if isinstance(row, Row)]
    assert [(row["question"], row["answer"]) for row in found] == rows


def test_what_no_cell_can_hold_is_left_out_of_a_sheet(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", [{"q": "a\x00b\x0bc", "long": "x" * (CELL_LIMIT + 5)}])
    row = next(iter(open_rows(tmp_path / "a.xlsx").rows))
    assert isinstance(row, Row)
    assert row.values["q"] == "abc"
    assert len(row.values["long"]) == CELL_LIMIT
    assert row.values["long"].endswith("x…")


def test_rows_may_have_different_columns(tmp_path: Path) -> None:
    WRITERS[".csv"](tmp_path / "a.csv", [{"question": "1"}, {"answer": ["x"], "question": None}])
    rows = [row.values for row in open_rows(tmp_path / "a.csv").rows if isinstance(row, Row)]
    assert rows == [{"question": "1", "answer": ""}, {"question": "", "answer": '["x"]'}]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ResourceError) as caught:
        write_whole(path, fail)
    assert caught.value.code == "data.out_unwritable"
    assert [item.name for item in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text() == "old"
