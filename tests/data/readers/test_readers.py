"""Files that can't be a source are refused with one clear message."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.errors import DataError
from tuneloop.data.readers import READERS, open_rows


def test_a_missing_file_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_text("question,answer\n")
    with pytest.raises(DataError) as caught:
        open_rows(tmp_path / "faqs.csv")
    assert caught.value.code == "data.file_missing"
    assert "faq.csv" in caught.value.hint("en")


def test_a_missing_folder_is_no_crash(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_rows(tmp_path / "no" / "such.csv")
    assert caught.value.code == "data.file_missing"


def test_a_folder_is_refused_with_the_files_it_holds(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text("{}")
    with pytest.raises(DataError) as caught:
        open_rows(tmp_path)
    assert caught.value.code == "data.is_folder"
    assert "b.jsonl" in caught.value.hint("en")


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.CSVX"])
def test_an_unknown_extension_is_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(DataError) as caught:
        open_rows(tmp_path / name)
    assert caught.value.code == "data.extension_unknown"
    assert ".xlsx" in caught.value.hint("zh")


@pytest.mark.parametrize("extension", READERS)
def test_a_file_without_bytes_is_refused(tmp_path: Path, extension: str) -> None:
    (tmp_path / f"a{extension}").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        open_rows(tmp_path / f"a{extension}")
    assert caught.value.code == "data.file_empty"
    assert caught.value.status.exit == 3


def test_extensions_may_be_upper_case(tmp_path: Path) -> None:
    (tmp_path / "a.CSV").write_text("question,answer\nq,a\n")
    assert len(list(open_rows(tmp_path / "a.CSV").rows)) == 1
