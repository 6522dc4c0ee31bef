"""A first recipe for one's own file."""

from __future__ import annotations

import pytest

from tuneloop.core.errors import DataError
from tuneloop.data.config import DataConfig
from tuneloop.data.suggest import suggest_recipe

from .conftest import Prepare, Write, questions


def test_guessed_columns_are_written_down(write: Write, prepare: Prepare) -> None:
    path = write("faq.csv", "咨询,回复,类别,划分\n" + "".join(f"第{n}问？,答{n},卡,train\n" for n in range(5)))
    data, notes = suggest_recipe(path)
    assert data == {
        "sources": [
            {
                "path": str(path),
                "columns": {"input_text": "咨询", "target_text": "回复", "intent": "类别", "split": "划分"},
            }
        ]
    }
    assert (notes.language, notes.has_split, notes.intent, notes.guessed) == ("zh", True, "类别", True)
    assert notes.rows == 5
    assert any("类别" in line for line in notes.lines)
    assert DataConfig.model_validate(data)
    assert prepare(*data["sources"]).report["sources"][0]["how"] == "given"


def test_a_native_shape_needs_no_columns(write: Write) -> None:
    path = write("faq.jsonl", [{"input_text": "Where is it?", "target_text": "Here."} for _ in range(3)])
    data, notes = suggest_recipe(path)
    assert data == {"sources": [{"path": str(path)}]}
    assert (notes.language, notes.has_split, notes.intent, notes.guessed) == ("en", False, None, False)


def test_what_can_not_be_understood_is_said(write: Write) -> None:
    with pytest.raises(DataError) as caught:
        suggest_recipe(write("faq.csv", "id,date\n1,2\n"))
    assert caught.value.code == "data.columns_unclear"
    with pytest.raises(DataError):
        suggest_recipe(write("faq.jsonl", questions(0)))
