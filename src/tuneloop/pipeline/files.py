"""A file instead of a recipe: a registered adapter compared on it, or its questions answered."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

from tuneloop.core.errors import DataError
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Evaluation, Message, Record
from tuneloop.data.config import DataConfig, SourceConfig
from tuneloop.engine.config import GenerationConfig
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.serving.named import Named
from tuneloop.store.workspace import Workspace


def evaluate_file(
    named: Named,
    data: Path,
    *,
    workspace: Workspace,
    script: str | None = None,
    language: Literal["en", "zh"] = "en",
    force: bool = False,
    progress: Progress = SILENT,
) -> Evaluation:
    """Compare an adapter with its base on a file of questions and reference answers, all of them held out.

    Args:
        named: what answers.
        data: the file.
        workspace: where the dataset and the evaluation go.
        script: rules to score: a file, relative to the current folder, or a built-in name.
        language: of rows whose own can't be told.
        force: do it again even if the result exists.
        progress: where to report.
    """
    from tuneloop.data.run import run as prepare
    from tuneloop.evaluation.run import run
    from tuneloop.models.load import load_model
    from tuneloop.registry.evaluations import record_evaluation

    here = Path.cwd()
    name = _file_name(data)
    source = SourceConfig(path=str(data.absolute()), split="test")
    dataset = prepare(
        DataConfig(sources=(source,), system=named.system),
        name=name,
        language=language,
        seed=0,
        folder=here,
        workspace=workspace,
        progress=progress,
    )
    evaluation = run(
        EvaluationConfig(script=script),
        GenerationConfig(),
        name=name,
        language=language,
        seed=0,
        dataset=dataset.path,
        loaded=load_model(named.model, progress=progress),
        adapter=named.folder,
        folder=here,
        workspace=workspace,
        force=force,
        progress=progress,
    )
    if named.run_id is not None:
        record_evaluation(workspace, evaluation, run_id=named.run_id)
    return evaluation


class Predictions(Record):
    """What a prediction wrote."""

    path: Path
    question_column: str
    rows: int
    answered: int
    """Rows with a question; the others keep an empty answer."""
    cut: int
    """Answers that reached the limit before they ended."""
    max_new_tokens: int
    seconds: float


def predict_file(
    named: Named,
    data: Path,
    out: Path,
    *,
    question: str | None = None,
    max_new_tokens: int | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Predictions:
    """Answer a file of questions and write its rows with an `answer` column added.

    Args:
        named: what answers.
        data: the questions; no references are needed.
        out: the file to write.
        question: the column of the questions; guessed by name and content when None.
        max_new_tokens: longest answer.
        force: replace `out`.
        progress: where to report.

    Raises:
        DataError: the file can't be read, or no column looks like questions (code `serving.no_question_column`).
    """
    from tuneloop.data.cells import neutralise
    from tuneloop.serving.answer import MAX_NEW_TOKENS, load_answerer
    from tuneloop.serving.sheet import check_target, write_sheet

    start = time.perf_counter()
    check_target(out, force=force)
    columns, rows, question = _read_questions(data, question)
    asked = [place for place, row in enumerate(rows) if str(row.get(question) or "").strip()]
    answerer = load_answerer(named, max_new_tokens=max_new_tokens, progress=progress)
    conversations = [[Message(role="user", content=str(rows[place][question]).strip())] for place in asked]
    answers = answerer.answer_many(conversations, progress=progress)
    column = next(name for name in _names("answer") if name not in columns)
    filled = [{**row, column: ""} for row in rows]
    for place, answer in zip(asked, answers, strict=True):
        filled[place][column] = answer.text
    write_sheet(out, [*columns, column], filled, cell=neutralise)
    return Predictions(
        path=out,
        question_column=question,
        rows=len(rows),
        answered=len(asked),
        cut=sum(answer.finish_reason == "length" for answer in answers),
        max_new_tokens=max_new_tokens or MAX_NEW_TOKENS,
        seconds=time.perf_counter() - start,
    )


def _read_questions(data: Path, question: str | None) -> tuple[list[str], list[dict[str, Any]], str]:
    """Columns, rows and the question column of a file; a row that can't be read stays, with nothing in it."""
    from tuneloop.data.columns import check_given, guess_pair
    from tuneloop.data.readers import Row, open_rows

    rows = [dict(row.values) if isinstance(row, Row) else {} for row in open_rows(data).rows]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if question is None:
        guess = guess_pair([row for row in rows if row][:200], columns)
        if guess is None:
            raise DataError("serving.no_question_column", file=data, found=", ".join(columns) or "–")
        return columns, rows, guess.question
    check_given(data.name, {"input_text": question}, columns)
    return columns, rows, question


def _names(first: str) -> Iterator[str]:
    """`answer`, `answer.2`, `answer.3`, …"""
    return chain([first], (f"{first}.{number}" for number in count(2)))


def _file_name(data: Path) -> str:
    """A file's name as the name of a dataset: letters, digits, dot, dash and underscore."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", data.stem).strip("-._")[:64]
    return name or "file"
