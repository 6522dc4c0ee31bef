"""Sources: found beside the recipe, fingerprinted by content."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.errors import DataError
from tuneloop.data.config import DataConfig
from tuneloop.data.sources import find_sources, fingerprint


def _config(*sources: dict[str, object]) -> DataConfig:
    return DataConfig.model_validate({"sources": list(sources)})


def test_relative_paths_start_from_the_recipes_folder(tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_text("question,answer\n")
    assert find_sources(_config({"path": "faq.csv"}), tmp_path, "en")[0].path == str(tmp_path / "faq.csv")


def test_a_row_has_the_same_identifier_wherever_the_file_lies(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).write_text("question,answer\n" if name < "c" else "other")
    one, other, different = find_sources(
        _config({"path": "a.csv"}, {"path": "b.csv"}, {"path": "c.csv"}), tmp_path, "en"
    )
    assert one.sha256 == other.sha256
    assert one.sample_id(1) != one.sample_id(2)
    assert one.sample_id(1) == find_sources(_config({"path": "b.csv"}), tmp_path, "en")[0].sample_id(1)
    assert len({one.sample_id(1), other.sample_id(1), different.sample_id(1)}) == 3


def test_sheets_of_a_book_have_identifiers_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("x")
    one, other = find_sources(
        _config({"path": "a.xlsx", "sheet": "1"}, {"path": "a.xlsx", "sheet": "2"}), tmp_path, "en"
    )
    assert one.sample_id(1) != other.sample_id(1)


def test_the_fingerprint_holds_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    config = _config({"path": str(tmp_path / "a.csv")}, {"grammar": "bank-service"})
    resolved, inputs = fingerprint(config, find_sources(config, tmp_path, "zh"))
    assert str(tmp_path) not in str(resolved)
    assert list(inputs) == ["1:a.csv", "2:grammar:bank-service.zh"]


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_sources(_config({"path": "no.csv"}), tmp_path, "en")
    assert caught.value.code == "data.file_missing"
    with pytest.raises(DataError) as caught:
        find_sources(_config({"grammar": "no-such"}), tmp_path, "en")
    assert caught.value.code == "data.grammar_missing"
