"""Reader of .txt and .md: questions and answers as people write them down.

    问：怎么挂失？            ## How do I report a lost card?      | 问题 | 答案 |
    答：请致电客服。          Call us.                             |------|------|
                                                                 | …    | …    |
    Marks before the texts   Headings above the answers           A table

A row's number is the line its question stands in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers.delimited import read_delimited
from tuneloop.data.readers.encoding import bounded_lines, open_text
from tuneloop.data.readers.files import File
from tuneloop.data.readers.rows import LONGEST_ROW, Row, Rows, reject
from tuneloop.data.readers.table import Cells, rows_of_table

SAMPLE = 20_000
"""Lines that the way of writing is found in."""

_MARK = (
    r"^\s*(?:[-*>]\s+)?(?:\d+\s*[.、)）]\s*)?[*_]{0,2}"
    r"(?:%s)\s*\d{0,4}\s*[*_]{0,2}\s*[:：.、]\s*[*_]{0,2}\s*"
)
_QUESTION = re.compile(_MARK % "问题|问|提问|咨询|用户|客户|Question|Q|User|Customer|Human", re.IGNORECASE)
_ANSWER = re.compile(_MARK % "答案|答|回答|答复|回复|客服|律师|助手|Answer|A|Agent|Assistant|Bot", re.IGNORECASE)
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_TABLE_LINE = re.compile(r"^\s*\|.*\|\s*$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_ASKS = re.compile(r"[?？]\s*$")


def read_question_text(file: File, sheet: str | None = None) -> Rows:
    """Read a .txt or .md file. `sheet` has no meaning here.

    Raises:
        DataError: it holds no questions and answers in a form that can be told (code `data.text_unclear`).
    """
    first = _first_lines(file)
    style = find_style(first)
    if style == "tabs":
        return read_delimited(file)
    if style is None:
        raise DataError("data.text_unclear", file=file.place)
    lines = _all_lines(file)
    if style == "table":
        rows, headerless = rows_of_table(file, _table(lines))
        return Rows(max(1, sum(map(bool, map(_TABLE_LINE.match, first))) - 2), rows, headerless)
    return Rows(max(1, round(len(first) / 3)), rows_of_lines(file, lines, style))


def find_style_of(file: File) -> str | None:
    """How a file writes questions and answers (see `find_style`)."""
    return find_style(_first_lines(file))


def _first_lines(file: File) -> list[str]:
    with open_text(file) as stream:
        return [line for line, _ in islice(bounded_lines(stream, LONGEST_ROW), SAMPLE)]


def find_style(lines: Iterable[str]) -> str | None:
    """How questions and answers are written: `marks`, `table`, `tabs`, `blocks`, or the level of the headings that ask.

    >>> find_style(["问：余额？", "答：登录。"]), find_style(["# FAQ", "## Fees?", "None.", "## Cards?", "Two."])
    ('marks', '##')
    """
    texts = [line.strip() for line in lines]
    asked, answered = (sum(bool(mark.match(text)) for text in texts) for mark in (_QUESTION, _ANSWER))
    if asked and answered and answered * 2 >= asked:
        return "marks"
    if (
        any(_TABLE_RULE.match(text) and "|" in text for text in texts)
        and sum(map(bool, map(_TABLE_LINE.match, texts))) > 2
    ):
        return "table"
    if sum("\t" in text for text in texts) * 2 > sum(map(bool, texts)):
        return "tabs"
    levels = _headings_with_text(texts)
    if levels and levels.most_common(1)[0][1] > 1:
        return levels.most_common(1)[0][0]
    blocks = _blocks(texts)
    if blocks and sum(len(block) > 1 and bool(_ASKS.search(block[0])) for block in blocks) * 2 > len(blocks):
        return "blocks"
    return None


def rows_of_lines(file: File, lines: Iterable[str], style: str) -> Iterator[Row | Rejected]:
    """Questions and answers of a text as rows.

    Args:
        file: the file, for the quarantine.
        lines: all its lines.
        style: what `find_style` said.
    """
    section, draft, outside, number = "", None, list[str](), 0
    for number, kind, text in _events(lines, style):
        if kind in ("question", "section"):
            yield from _finished(file, number, draft, outside, section)
            draft, outside = (_Draft(number, [text]) if kind == "question" else None), []
            section = text if kind == "section" else section
        elif draft is None:
            outside += [text] if text.strip() else []
        elif kind == "answer" or draft.answer or style != "marks":
            draft.answer.append(text)
        else:
            draft.question.append(text)
    yield from _finished(file, number, draft, outside, section)


@dataclass(slots=True)
class _Draft:
    """A question whose answer is being read."""

    start: int
    question: list[str]
    answer: list[str] = field(default_factory=list)


def _events(lines: Iterable[str], style: str) -> Iterator[tuple[int, str, str]]:
    """What each line is: `question`, `answer`, `section` or `text`, with its number and what stands in it."""
    fenced, after_blank = False, True
    for number, ended in enumerate(lines, start=1):
        line = ended.rstrip("\r\n")
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if fenced:
            yield number, "text", line
        elif style == "marks" and (mark := _QUESTION.match(line)):
            yield number, "question", line[mark.end() :]
        elif style == "marks" and (mark := _ANSWER.match(line)):
            yield number, "answer", line[mark.end() :]
        elif style == "blocks" and after_blank and _ASKS.search(line):
            yield number, "question", line
        elif heading and heading[1] == style:
            yield number, "question", heading[2]
        elif heading and (not style.startswith("#") or len(heading[1]) < len(style)):
            yield number, "section", heading[2]
        else:
            yield number, "text", line
        after_blank = not line.strip()


def _finished(
    file: File, number: int, draft: _Draft | None, outside: list[str], section: str
) -> Iterator[Row | Rejected]:
    """The row that ends before a line, or what stood there and belongs to no question."""
    if draft is None:
        if outside:
            yield reject(file, max(1, number - 1), "data.text_outside", "\n".join(outside))
        return
    question, answer = ("\n".join(part).strip("\n") for part in (draft.question, draft.answer))
    values = {"question": question.strip(), "answer": answer, **({"section": section} if section else {})}
    if len(question) + len(answer) > LONGEST_ROW:
        yield reject(file, draft.start, "data.row_too_long", values, limit=f"{LONGEST_ROW:,}")
    else:
        yield Row(draft.start, values)


def _all_lines(file: File) -> Iterator[str]:
    """All lines; one that is too long stays too long for a row, and is set aside with it."""
    with open_text(file) as stream:
        yield from (line for line, _ in bounded_lines(stream, LONGEST_ROW))


def _table(lines: Iterable[str]) -> Iterator[Cells]:
    for line in lines:
        if _TABLE_LINE.match(line) and not _TABLE_RULE.match(line):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            yield [re.sub(r"<br\s*/?>", "\n", cell.strip().replace("\\|", "|")) for cell in cells]


def _headings_with_text(texts: list[str]) -> Counter[str]:
    """How many headings of each level have text below them before the next heading."""
    counted: Counter[str] = Counter()
    level, fenced = "", False
    for text in texts:
        fenced ^= bool(_FENCE.match(text))
        if not fenced and (heading := _HEADING.match(text)):
            level = heading[1]
        elif text and level:
            counted[level] += 1
            level = ""
    return counted


def _blocks(texts: list[str]) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for text in texts:
        if text:
            blocks[-1].append(text)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]
