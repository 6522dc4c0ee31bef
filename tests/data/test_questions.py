"""Sheets of questions: every row comes back with its answer beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tuneloop.core.errors import DataError, UsageError
from tuneloop.data.cleaning.config import CleanConfig
from tuneloop.data.cleaning.custom import TooSlow
from tuneloop.data.questions import check_answers_file, read_questions, write_answers
from tuneloop.data.readers import Row, open_rows

from .conftest import Write


def _asked(path: Path, **settings: Any) -> list[tuple[int, list[tuple[str, str]]]]:
    return [
        (row, [(message.role, message.content) for message in messages])
        for row, messages, _ in read_questions(path, **settings)
    ]


def test_questions_are_read_without_answers(write: Write) -> None:
    path = write("q.csv", "编号,用户咨询\n1,怎么查询余额？\n2, 卡丢了  怎么办 \n")
    assert _asked(path) == [(2, [("user", "怎么查询余额？")]), (3, [("user", "卡丢了 怎么办")])]
    assert read_questions(path)[1][2] == {"编号": "2", "用户咨询": " 卡丢了  怎么办 "}


def test_questions_are_cleaned_by_the_rules_of_the_training_data(write: Write) -> None:
    path = write("q.csv", 'question\n"<b>Fees?</b>  ＡＢＣ REF123"\n')
    assert _asked(path) == [(2, [("user", "Fees? ＡＢＣ REF123")])]
    own = {"name": "reference", "pattern": r" REF\d+", "test": "a REF1", "expected": "a"}
    rules = CleanConfig.model_validate({"html": False, "width": True, "custom": [own]})
    assert _asked(path, rules=rules, language="zh") == [(2, [("user", "<b>Fees?</b> ABC")])]


def test_a_rule_that_takes_too_long_names_the_row(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(text: str) -> str:
        raise TooSlow("mine")

    monkeypatch.setattr("tuneloop.data.questions.active_cleaners", lambda rules, language: {"custom:mine": slow})
    with pytest.raises(DataError) as caught:
        read_questions(write("q.csv", "question\nWhy?\n"))
    assert (caught.value.code, caught.value.row) == ("data.question_unreadable", 2)
    assert "mine" in caught.value.message()


def test_a_row_that_asks_nothing_comes_back_too(write: Write) -> None:
    path = write("q.csv", "id,question\n1,\n2,Why?\n")
    assert _asked(path) == [(2, []), (3, [("user", "Why?")])]


def test_a_column_can_be_named(write: Write) -> None:
    path = write("q.csv", "question,note\nno,Really?\n")
    assert _asked(path, columns={"input_text": "note"}) == [(2, [("user", "Really?")])]
    with pytest.raises(DataError) as caught:
        read_questions(path, {"input_text": "nota"})
    assert caught.value.code == "data.column_missing"


def test_answers_in_the_file_are_not_looked_at(write: Write) -> None:
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    assert _asked(write("q.jsonl", [{"messages": messages}])) == [(1, [("user", "q")])]
    assert _asked(write("p.jsonl", [{"question": "q", "answer": ""}])) == [(1, [("user", "q")])]


def test_dialogues_and_system_messages_stay(write: Write) -> None:
    path = write("q.jsonl", [{"instruction": "q2", "input": "x", "output": "", "history": [["q1", "a1"]]}])
    assert _asked(path, system="s") == [
        (1, [("system", "s"), ("user", "q1"), ("assistant", "a1"), ("user", "q2\nx")]),
    ]


def test_a_row_that_can_not_be_read_is_named(write: Write) -> None:
    with pytest.raises(DataError) as caught:
        read_questions(write("q.jsonl", '{"question": "a"}\n{"question": \n'))
    assert (caught.value.code, caught.value.row) == ("data.question_unreadable", 2)


@pytest.mark.parametrize(
    ("content", "code"), [("question\n", "data.no_rows"), ("id,n\n1,2\n", "data.question_unclear")]
)
def test_a_file_without_questions_is_refused(write: Write, content: str, code: str) -> None:
    with pytest.raises(DataError) as caught:
        read_questions(write("q.csv", content))
    assert caught.value.code == code


@pytest.mark.parametrize("extension", [".csv", ".xlsx", ".json", ".jsonl"])
def test_answers_stand_beside_the_questions(tmp_path: Path, write: Write, extension: str) -> None:
    path = write("q.csv", "编号,问题\n007,怎么办？\n008,为什么？\n")
    rows = [{**row, "answer": f"回答{number}"} for number, _, row in read_questions(path)]
    out = tmp_path / f"a{extension}"
    write_answers(out, rows)
    found = [row.values for row in open_rows(out).rows if isinstance(row, Row)]
    assert found == [
        {"编号": "007", "问题": "怎么办？", "answer": "回答2"},
        {"编号": "008", "问题": "为什么？", "answer": "回答3"},
    ]


def test_an_answer_never_runs_as_a_formula(tmp_path: Path) -> None:
    write_answers(tmp_path / "a.xlsx", [{"question": "q", "answer": "=1+1"}])
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx").active["B2"]  # type: ignore[index]
    assert (cell.data_type, cell.value) == ("s", "'=1+1")


def test_a_file_that_can_not_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        check_answers_file(tmp_path / "a.docx")
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(UsageError):
        check_answers_file(tmp_path / "a.csv")
    check_answers_file(tmp_path / "a.csv", force=True)
    with pytest.raises(UsageError):
        check_answers_file(tmp_path / "no" / "a.csv")
