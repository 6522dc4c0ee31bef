"""txt and md: questions and answers as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers import Row, open_rows


def _open(tmp_path: Path, content: str, name: str = "a.md") -> list[Row | Rejected]:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return list(open_rows(path).rows)


def _pairs(rows: list[Row | Rejected]) -> list[tuple[str, str]]:
    return [tuple(list(row.values.values())[:2]) for row in rows if isinstance(row, Row)]  # type: ignore[misc]


@pytest.mark.parametrize(
    "content",
    [
        "问：余额在哪看？\n答：登录手机银行。\n\n问：卡丢了？\n答：请致电客服。\n",
        "Q: 余额在哪看？\nA: 登录手机银行。\nQ: 卡丢了？\nA: 请致电客服。\n",
        "1. 问题：余额在哪看？\n   答案：登录手机银行。\n2. 问题：卡丢了？\n   答案：请致电客服。\n",
        "**Q1:** 余额在哪看？\n\n**A1:** 登录手机银行。\n\n**Q2:** 卡丢了？\n\n**A2:** 请致电客服。\n",
        "- 用户：余额在哪看？\n- 客服：登录手机银行。\n- 用户：卡丢了？\n- 客服：请致电客服。\n",
        "# 常见问题\n\n## 余额在哪看？\n登录手机银行。\n\n## 卡丢了？\n\n请致电客服。\n",
        "| 问题 | 答案 |\n| --- | --- |\n| 余额在哪看？ | 登录手机银行。 |\n| 卡丢了？ | 请致电客服。 |\n",
        "余额在哪看？\n登录手机银行。\n\n卡丢了？\n请致电客服。\n",
        "余额在哪看？\t登录手机银行。\n卡丢了？\t请致电客服。\n",
    ],
)
def test_every_usual_way_is_read(tmp_path: Path, content: str) -> None:
    assert _pairs(_open(tmp_path, content)) == [("余额在哪看？", "登录手机银行。"), ("卡丢了？", "请致电客服。")]


def test_answers_keep_their_paragraphs_lists_and_code(tmp_path: Path) -> None:
    answer = "First:\n\n1. open\n2. press\n\n```\n# Q: no question\n## no heading\n```\n### note\nDone."
    rows = _open(tmp_path, f"# Help\n## How?\n{answer}\n\n## Why?\nSo.\n")
    assert _pairs(rows) == [("How?", answer), ("Why?", "So.")]


def test_rows_are_numbered_by_line_and_keep_their_section(tmp_path: Path) -> None:
    rows = _open(tmp_path, "# Bank\n## Cards\n### Lost?\nCall.\n### Stolen?\nCall.\n## Loans\n### Rate?\nFive.\n")
    assert [(row.number, row.values["section"]) for row in rows if isinstance(row, Row)] == [
        (3, "Cards"),
        (5, "Cards"),
        (8, "Loans"),
    ]


def test_text_that_belongs_to_no_question_is_set_aside(tmp_path: Path) -> None:
    rows = _open(tmp_path, "Welcome to our bank.\nRead this.\n\nQ: one?\nA: 1\nQ: two?\nA: 2\n", "a.txt")
    assert [(row.row, row.code) for row in rows if isinstance(row, Rejected)] == [(3, "data.text_outside")]
    assert "Read this." in next(row.text for row in rows if isinstance(row, Rejected))
    assert len(_pairs(rows)) == 2


def test_a_question_without_an_answer_comes_back_with_none(tmp_path: Path) -> None:
    assert _pairs(_open(tmp_path, "Q: a?\nQ: b?\nA: 2\nQ: c?\nA: 3\n")) == [("a?", ""), ("b?", "2"), ("c?", "3")]


@pytest.mark.parametrize("content", ["just some words\n", "a\n\nb\n\nc\n", "# One heading\nand text\n"])
def test_a_text_without_questions_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError) as caught:
        _open(tmp_path, content)
    assert caught.value.code == "data.text_unclear"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(
        "问：信用卡余额在哪里查询？\n答：请登录手机银行查询。\n问：卡丢了怎么办？\n答：请致电客服挂失。\n".encode(
            encoding
        )
    )
    assert len(_pairs(list(open_rows(path).rows))) == 2
