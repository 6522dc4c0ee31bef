"""Which column holds what: given in the recipe, recognised by its name, or guessed from its content.

The names of fields are ours (`input_text`, `intent`, …); the names of columns are the file's. A guess is always shown.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tuneloop.core.errors import DataError
from tuneloop.core.messages import text

NATIVE: dict[str, tuple[str, ...]] = {
    "messages": ("messages",),
    "conversations": ("conversations", "conversation"),
    "chosen": ("chosen",),
    "rejected": ("rejected",),
    "instruction": ("instruction", "指令"),
    "input": ("input", "输入"),
    "output": ("output", "输出"),
    "prompt": ("prompt",),
    "completion": ("completion",),
    "input_text": ("input_text",),
    "target_text": ("target_text",),
    "system": ("system", "system_prompt", "系统", "系统提示", "系统提示词"),
    "history": ("history", "历史", "历史对话", "对话历史"),
    "intent": ("intent", "意图", "label", "标签", "category", "类别", "分类"),
    "split": ("split", "划分"),
    "tools": ("tools", "functions", "工具"),
    "good": (),
}
"""Fields and the column names that mean them, in order of preference. Names are compared by `plain`.

`good` is a label column of true and false (labelled feedback): rows with false are answers that nobody wants.
"""

# fmt: off
QUESTIONS: tuple[str, ...] = (
    "input_text", "question", "问题", "query", "用户咨询", "客户咨询", "咨询内容", "用户问题", "客户问题", "咨询问题", "提问",
    "问", "咨询", "user_question", "customer_question", "user_query", "instruction", "指令", "prompt", "input", "输入",
    "用户输入", "用户", "客户", "user", "customer", "human", "ask", "q", "text", "文本",
)
# fmt: on
"""Column names of a question, in order of preference."""

# fmt: off
ANSWERS: tuple[str, ...] = (
    "target_text", "answer", "答案", "response", "回答", "答复", "回复", "客服回复", "客服答复", "客服回答", "标准答案", "参考答案",
    "律师回复", "解答", "reply", "completion", "agent_response", "output", "输出", "target", "reference", "assistant", "客服", "答",
    "a",
)
# fmt: on
"""Column names of an answer, in order of preference."""

_QUESTION_PART = re.compile(r"问题|咨询|提问|问句|question|query", re.IGNORECASE)
_ANSWER_PART = re.compile(r"答案|回答|答复|回复|解答|answer|response|reply", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")

SIDE_FIELDS = ("system", "history", "intent", "split", "good", "tools")
"""Fields that stand beside a question and an answer in any shape."""


def plain(name: str) -> str:
    """A column's name without case, spaces, dashes and underscores.

    >>> plain(" Input-Text ") == plain("input_text")
    True
    """
    return re.sub(r"[\s_\-]+", "", name).casefold()


_KNOWN = {plain(name) for names in (*NATIVE.values(), QUESTIONS, ANSWERS) for name in names}


def is_known_name(name: str) -> bool:
    """Say whether a column's name is one that we recognise."""
    return plain(name) in _KNOWN or bool(_QUESTION_PART.search(name)) or bool(_ANSWER_PART.search(name))


def find_name(columns: Sequence[str], names: Iterable[str]) -> str | None:
    """The first of `names` that is a column, as the file spells it.

    >>> find_name(["ID", "Question"], ["query", "question"])
    'Question'
    """
    spelled = {plain(column): column for column in reversed(columns)}
    return next((spelled[plain(name)] for name in names if plain(name) in spelled), None)


def native_fields(columns: Sequence[str]) -> dict[str, str]:
    """Fields whose columns have a name of their own: `{field: column}`."""
    found = {field: find_name(columns, names) for field, names in NATIVE.items()}
    return {field: column for field, column in found.items() if column is not None}


def check_given(file: str, given: Mapping[str, str], columns: Sequence[str]) -> None:
    """Check the recipe's `columns:` against the file.

    Raises:
        DataError: a column is not in the file (code `data.column_missing`, with the nearest one), or a field is
            misspelt (`data.field_unknown`). A field of another name is a tag, and is fine.
    """
    for field, column in given.items():
        if field not in NATIVE and (near := difflib.get_close_matches(field, NATIVE, n=1, cutoff=0.75)):
            raise DataError("data.field_unknown", file=file, field=field, near=near[0], known=", ".join(NATIVE))
        if column not in columns:
            raise DataError(
                "data.column_missing",
                file=file,
                field=field,
                column=column,
                found=", ".join(columns) or text("general.none"),
                near=nearest_name(column, columns) or text("general.none"),
            )


def nearest_name(name: str, columns: Sequence[str]) -> str | None:
    """The column whose name is most like `name`: the same but for case and spaces, else by spelling."""
    same = find_name(columns, [name])
    return same or next(iter(difflib.get_close_matches(name, columns, n=1, cutoff=0.4)), None)


class Pair(NamedTuple):
    """A guessed question column and answer column, and how they were found: `names`, `content` or `label`."""

    question: str
    answer: str | None
    how: str


def guess_pair(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    question: str | None = None,
    answer: str | None = None,
    label: str | None = None,
) -> Pair | None:
    """Guess which column is the question and which the answer.

    Args:
        rows: the first rows of the file.
        columns: the columns to choose from.
        question: the question column, if the recipe names it.
        answer: the answer column, if the recipe names it.
        label: the column of labels, which is the answer when no other column can be.
    Returns:
        The pair, with no answer if only a question was found; None if there is not even a question.
    """
    given = question, answer
    free = [column for column in columns if column not in (question, answer, label)]
    question = question or find_name(free, QUESTIONS) or _containing(free, _QUESTION_PART)
    free = [column for column in free if column != question]
    answer = answer or find_name(free, ANSWERS) or _containing(free, _ANSWER_PART)
    if question and answer:
        return Pair(question, answer, "given" if all(given) else "names")
    free = [column for column in free if column != answer]
    texts = {column: figures for column in free if (figures := _figures(rows, column)) is not None}
    if answer is None and texts and (question is not None or len(texts) > 1):
        answer = max(texts, key=lambda column: texts[column].answer_score)
        del texts[answer]
    if question is None and texts:
        question = max(texts, key=lambda column: texts[column].question_score)
    if question is None:
        return None
    if answer is None and label is not None and label != question:
        return Pair(question, label, "label")
    return Pair(question, answer, "content")


def _containing(columns: Sequence[str], part: re.Pattern[str]) -> str | None:
    return next((column for column in columns if part.search(column)), None)


class _Figures(NamedTuple):
    """What the values of a text column look like."""

    length: float
    distinct: float
    asking: float

    @property
    def answer_score(self) -> float:
        """The longer column with fewer repeated values is the answer."""
        return self.length * self.distinct * (1 - 0.5 * self.asking)

    @property
    def question_score(self) -> float:
        return min(self.length, 60) * self.distinct * (1 + self.asking)


def _figures(rows: Sequence[Mapping[str, Any]], column: str) -> _Figures | None:
    """Figures of a column of texts; None for numbers, dates, identifiers and mostly empty columns."""
    values = [str(row[column]).strip() for row in rows if isinstance(row.get(column), str) and str(row[column]).strip()]
    if not values or len(values) < 0.5 * len(rows):
        return None
    worded = sum(len(_LETTER.findall(value)) >= 2 for value in values)
    length = sum(map(len, values)) / len(values)
    if worded < 0.8 * len(values) or length < 4:
        return None
    asking = sum(value.endswith(("?", "？", "吗", "呢")) for value in values) / len(values)
    return _Figures(length, len(set(values)) / len(values), asking)
