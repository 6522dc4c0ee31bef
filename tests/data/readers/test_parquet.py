"""parquet: rows in batches, nested values, damaged files."""

from __future__ import annotations

from pathlib import Path

import polars
import pytest

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers import Row, open_rows
from tuneloop.data.readers.parquet import BATCH


def test_rows_come_in_order_over_many_batches(tmp_path: Path) -> None:
    count = 2 * BATCH + 7
    polars.DataFrame({"question": [f"q{n}" for n in range(count)]}).write_parquet(
        tmp_path / "a.parquet", row_group_size=999
    )
    opened = open_rows(tmp_path / "a.parquet")
    assert opened.total == count
    rows = [(row.number, row.values["question"]) for row in opened.rows if isinstance(row, Row)]
    assert rows == [(n + 1, f"q{n}") for n in range(count)]


def test_messages_in_a_column_are_lists_of_objects(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    polars.DataFrame({"messages": [messages]}).write_parquet(tmp_path / "a.parquet")
    assert [row.values for row in open_rows(tmp_path / "a.parquet").rows if isinstance(row, Row)] == [
        {"messages": messages}
    ]


def test_texts_stored_as_bytes_are_decoded_or_set_aside(tmp_path: Path) -> None:
    polars.DataFrame({"q": ["好".encode(), b"\xff"], "a": ["x", "y"]}).write_parquet(tmp_path / "a.parquet")
    good, bad = open_rows(tmp_path / "a.parquet").rows
    assert isinstance(good, Row)
    assert good.values == {"q": "好", "a": "x"}
    assert isinstance(bad, Rejected)
    assert (bad.row, bad.code) == (2, "data.row_undecodable")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    polars.DataFrame({"q": [f"q{n}" for n in range(500)]}).write_parquet(path)
    whole = path.read_bytes()
    for content in (b"no parquet", whole[:-9], whole[:100], b"PAR1" + whole[4:200] + b"\0" * 300 + whole[500:]):
        path.write_bytes(content)
        with pytest.raises(DataError) as caught:
            list(open_rows(path).rows)
        assert caught.value.code == "data.parquet_damaged"
