"""A script tried out on data: reads the answers of a file or of a built-in grammar, and runs the rules over them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pydantic import ValidationError

from tuneloop.core.errors import DataError
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Sample
from tuneloop.data.config import DataConfig, MaskConfig, SourceConfig
from tuneloop.evaluation.script import Script, load_script
from tuneloop.evaluation.script_check import ScriptCheck, check_script
from tuneloop.store.samples import read_samples, read_split
from tuneloop.store.workspace import Workspace

GRAMMAR = "grammar:"
"""Before the name of a built-in grammar, in place of a file."""


def check_rules(script: str, data: str, *, rows: int | None = None, progress: Progress = SILENT) -> ScriptCheck:
    """Run a script over the answers of a file, over broken ones, and over rephrased ones.

    Args:
        script: a file, relative to the current folder, or a built-in name.
        data: a file of questions and answers, a split of a dataset (`test.jsonl`), or `grammar:` and a built-in
            grammar's name.
        rows: at most so many rows.
        progress: where to report.

    Raises:
        RecipeError: the script is wrong, or a pattern of it takes too long.
        DataError: the file can't be used, or holds no answer.
    """
    rules = load_script(script, Path.cwd())
    samples = _samples(data, rules, rows, progress)
    if not samples:
        raise DataError("data.no_rows", file=data)
    return check_script(rules, samples)


def _samples(data: str, script: Script, rows: int | None, progress: Progress) -> list[Sample]:
    if data.startswith(GRAMMAR):
        source = SourceConfig(grammar=data.removeprefix(GRAMMAR), rows=rows or 300, split="test")
    else:
        path = Path(data).expanduser()
        if _is_split(path):
            return list(read_samples(path))[:rows]
        source = SourceConfig(path=str(path.absolute()), rows=rows, split="test")
    return _prepared(source, script.language, progress)


def _is_split(path: Path) -> bool:
    """Say whether a file is a split that tuneloop wrote: its tags are whole."""
    if path.suffix != ".jsonl" or not path.is_file():
        return False
    with path.open("rb") as file:
        try:
            Sample.model_validate_json(file.readline())
        except ValidationError:
            return False
    return True


def _prepared(source: SourceConfig, language: str, progress: Progress) -> list[Sample]:
    """Read and clean the source as the data stage does; nothing of it is kept."""
    from tuneloop.data.run import run as prepare

    with tempfile.TemporaryDirectory() as folder:
        dataset = prepare(
            DataConfig(sources=(source,), mask=MaskConfig(mode="off")),
            name="rules",
            language=language,
            seed=0,
            folder=Path.cwd(),
            workspace=Workspace(Path(folder)),
            progress=progress,
        )
        return read_split(dataset.path, "test")
