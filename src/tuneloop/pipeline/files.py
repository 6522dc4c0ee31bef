"""A file instead of a recipe: a registered adapter compared on it, or its questions answered."""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from itertools import chain, count
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from tuneloop.core.errors import CorruptError
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Evaluation, Record
from tuneloop.data.cleaning.config import CleanConfig
from tuneloop.data.config import DataConfig, SourceConfig
from tuneloop.engine.config import GenerationConfig
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.serving.named import Named
from tuneloop.store.artifacts import read_manifest
from tuneloop.store.datasets import datasets_by_hash
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
        force: do it again even if the result exists, and although its rows were trained on.
        progress: where to report.

    Raises:
        RefusedError: rows of the file stand in the adapter's training split (code `evaluation.leak`), and not `force`.
    """
    from tuneloop.data.run import run as prepare
    from tuneloop.evaluation.run import run
    from tuneloop.evaluation.subject import Subject
    from tuneloop.models.load import load_model
    from tuneloop.registry.evaluations import record_evaluation

    here = Path.cwd()
    name = _file_name(data)
    source = SourceConfig(path=str(data.absolute()), split="test")
    dataset = prepare(
        DataConfig(sources=(source,), system=named.system, clean=_clean_rules(named)),
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
        Subject(
            name=name,
            language=language,
            seed=0,
            dataset=dataset.path,
            loaded=load_model(named.model, progress=progress),
            adapter=named.folder,
            folder=here,
            workspace=workspace,
            trained_on=_trained_on(named, workspace),
        ),
        force=force,
        progress=progress,
    )
    if named.run_id is not None:
        record_evaluation(workspace, evaluation, run_id=named.run_id)
    return evaluation


def _trained_on(named: Named, workspace: Workspace) -> Path | None:
    """The dataset that an adapter was trained on, where it still lies in the workspace."""
    if named.folder is None:
        return None
    return datasets_by_hash(workspace).get(read_manifest(named.folder).inputs.get("dataset", ""))


class Predictions(Record):
    """What a prediction wrote."""

    path: Path
    adapter: str
    rows: int
    answered: int
    """Rows with a question; the others keep an empty answer."""
    column: str
    """Name of the column with the answers."""
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
    """Answer a file of questions and write its rows with a column of answers added.

    Args:
        named: what answers.
        data: the questions; no references are needed.
        out: the file to write.
        question: the column of the questions; guessed by name and content when None.
        max_new_tokens: longest answer; by default what the adapter's recipe or evaluation allowed, else 512.
        force: replace `out`.
        progress: where to report.

    Raises:
        DataError, UsageError: the questions can't be read or `out` can't be written; told before anything is answered.
    """
    from tuneloop.data.questions import check_answers_file, read_questions, write_answers
    from tuneloop.serving.answer import MAX_NEW_TOKENS, load_answerer

    start = time.perf_counter()
    check_answers_file(out, force=force)
    given = {} if question is None else {"input_text": question}
    rules = _clean_rules(named)
    questions = read_questions(data, given, system=named.system, rules=rules, language=named.language)
    asked = [messages for _, messages, _ in questions if messages]
    longest = max_new_tokens or named.max_new_tokens or MAX_NEW_TOKENS
    answerer = load_answerer(named, max_new_tokens=longest, progress=progress)
    answers = answerer.answer_many(asked, progress=progress)
    column = answer_column(named.name, {name for _, _, row in questions for name in row})
    said = iter(answers)
    rows = [{**row, column: next(said).text if messages else ""} for _, messages, row in questions]
    write_answers(out, rows, force=force)
    return Predictions(
        path=out,
        adapter=named.name,
        rows=len(rows),
        answered=len(asked),
        column=column,
        cut=sum(answer.finish_reason == "length" for answer in answers),
        max_new_tokens=longest,
        seconds=round(time.perf_counter() - start, 3),
    )


def _clean_rules(named: Named) -> CleanConfig:
    """The rules that the adapter's training data was cleaned by; the defaults where its run no longer lies here.

    Raises:
        CorruptError: the run's recipe holds no such rules.
    """
    try:
        return CleanConfig.model_validate(named.clean)
    except ValidationError as error:
        raise CorruptError("store.manifest_unreadable", file=named.folder) from error


def answer_column(adapter: str, columns: Collection[str]) -> str:
    """The name of the column that answers are written to: `answer`, or where the file has one, with who answered.

    Args:
        adapter: what answers.
        columns: those of the file; case and spaces make no other name, since a reader would confuse them.

    >>> answer_column("bank@v0001", ["question"]), answer_column("bank@v0001", ["Question", "Answer "])
    ('answer', 'answer (bank@v0001)')
    """
    taken = {column.strip().casefold() for column in columns}
    own = f"answer ({adapter})"
    names = chain(["answer", own], (f"{own} {number}" for number in count(2)))
    return next(name for name in names if name.casefold() not in taken)


def _file_name(data: Path) -> str:
    """A file's name as the name of a dataset: letters, digits, dot, dash and underscore."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", data.stem).strip("-._")[:64]
    return name or "file"
