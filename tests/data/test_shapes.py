"""The shape of a file is found, and every shape becomes turns."""

from __future__ import annotations

from typing import Any

import pytest

from tuneloop.core.errors import DataError
from tuneloop.data.shapes import SHAPES, find_layout, find_question

QA = [("user", "q"), ("assistant", "a")]

CASES: dict[str, dict[str, Any]] = {
    "input_target": {"input_text": "q", "target_text": "a"},
    "alpaca": {"instruction": "q", "input": "", "output": "a"},
    "messages": {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]},
    "sharegpt": {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
    "prompt_completion": {"prompt": "q", "completion": "a"},
    "preference": {"prompt": "q", "chosen": "a", "rejected": "b"},
    "dialogue": {"query": "q", "laws": ["x"], "history": ["[客户] q", "[律师] a"]},
}


def test_every_shape_has_a_case() -> None:
    assert CASES.keys() == SHAPES.keys()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_recognised_and_read(shape: str) -> None:
    layout = find_layout("f", [CASES[shape]], {})
    assert layout.shape == shape
    assert SHAPES[shape].build(layout.fields(CASES[shape])) == QA


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "dialogue"])
def test_a_system_message_comes_first(shape: str) -> None:
    row = {**CASES[shape], "system": "s"}
    layout = find_layout("f", [row], {})
    assert SHAPES[layout.shape].build(layout.fields(row)) == [("system", "s"), *QA]


@pytest.mark.parametrize("shape", ["input_target", "alpaca"])
def test_a_history_comes_before_the_question(shape: str) -> None:
    row = {**CASES[shape], "history": [["q0", "a0"]]}
    layout = find_layout("f", [row], {})
    assert SHAPES[layout.shape].build(layout.fields(row)) == [("user", "q0"), ("assistant", "a0"), *QA]


def test_chinese_alpaca_columns_are_alpaca() -> None:
    row = {"指令": "翻译", "输入": "猫", "输出": "cat"}
    layout = find_layout("f", [row], {})
    assert SHAPES[layout.shape].build(layout.fields(row)) == [("user", "翻译\n猫"), ("assistant", "cat")]


def test_conversational_prompts_and_preferences_are_read() -> None:
    row = {"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}]}
    layout = find_layout("f", [row], {})
    assert SHAPES[layout.shape].build(layout.fields(row)) == QA
    row = {"conversations": [{"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "a"}, "rejected": {}}
    layout = find_layout("f", [row], {})
    assert SHAPES[layout.shape].build(layout.fields(row)) == QA


def test_instruction_and_response_are_question_and_answer() -> None:
    row = {"instruction": "q", "intent": "i", "category": "c", "response": "a"}
    layout = find_layout("f", [row], {})
    assert (layout.shape, layout.how, layout.guessed) == ("input_target", "names", True)
    assert layout.tags(row) == {"intent": "i"}


def test_the_recipe_wins_over_every_guess() -> None:
    row = {"question": "no", "answer": "no", "x": "q", "y": "a"}
    layout = find_layout("f", [row], {"input_text": "x", "target_text": "y"})
    assert layout.how == "given"
    assert SHAPES[layout.shape].build(layout.fields(row)) == QA


def test_one_given_column_is_completed_by_a_guess() -> None:
    row = {"question": "no", "answer": "a", "x": "q"}
    layout = find_layout("f", [row], {"input_text": "x"})
    assert layout.columns["target_text"] == "answer"


def test_a_column_of_the_recipe_becomes_a_tag() -> None:
    row = {"question": "q", "answer": "a", "客户号": "7"}
    assert find_layout("f", [row], {"customer": "客户号"}).tags(row) == {"customer": "7"}


def test_a_label_of_true_and_false_says_which_answers_are_good() -> None:
    rows = [{**CASES["messages"], "label": True}, {**CASES["messages"], "label": False}]
    layout = find_layout("f", rows, {})
    assert layout.columns["good"] == "label"
    assert layout.tags(rows[0]) == {}


def test_the_answer_is_not_the_intent_as_well() -> None:
    rows = [{"text": f"my card number {n} is lost", "label": "lost_card"} for n in range(5)]
    layout = find_layout("f", rows, {})
    assert layout.columns == {"input_text": "text", "target_text": "label"}


@pytest.mark.parametrize("row", [{"id": "1", "date": "2024"}, {"only": "one text column of words"}, {}])
def test_columns_that_can_not_be_made_out_are_named(row: dict[str, Any]) -> None:
    with pytest.raises(DataError) as caught:
        find_layout("f", [row], {})
    assert caught.value.code == "data.columns_unclear"


def test_questions_are_found_without_answers() -> None:
    rows = [{"编号": str(n), "内容": f"我的第{n}张卡怎么办理"} for n in range(5)]
    layout = find_question("f", rows, {})
    assert layout.columns["input_text"] == "内容"


def test_a_file_without_a_question_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        find_question("f", [{"id": "1"}], {})
    assert caught.value.code == "data.question_unclear"
