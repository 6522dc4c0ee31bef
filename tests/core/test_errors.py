"""The tree of errors: drawn, mapped, and clear to people and programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tuneloop.core import errors
from tuneloop.core.errors import STATUS, DataError, NotFoundError, RecipeError, TuneloopError, UsageError

EXITS = {
    "TuneloopError": 1,
    "UsageError": 2,
    "RecipeError": 2,
    "DataError": 3,
    "RefusedError": 4,
    "ResourceError": 5,
    "DivergedError": 6,
    "ArtifactError": 7,
    "NotFoundError": 7,
    "CorruptError": 7,
    "IncompatibleError": 7,
    "NotAllowedError": 8,
    "TryAgainError": 75,
    "Interrupted": 130,
    "Terminated": 143,
}
"""The contract of the command line: numbers that scripts depend on."""


def tree(kind: type[TuneloopError] = TuneloopError) -> Iterator[type[TuneloopError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


CLASSES = [kind for kind in tree() if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_is_drawn_mapped_and_documented(kind: type[TuneloopError]) -> None:
    assert kind.__doc__
    assert kind in STATUS
    drawn = [line for line in str(errors.__doc__).splitlines() if f" {kind.__name__} " in f"{line} "]
    assert len(drawn) == 1
    assert f"exit {STATUS[kind].exit}" in " ".join(drawn[0].split())


def test_the_exit_statuses_are_the_ones_that_were_promised() -> None:
    assert {kind.__name__: STATUS[kind].exit for kind in CLASSES} == EXITS


def test_a_class_that_is_not_mapped_has_the_status_of_its_parent() -> None:
    class NarrowError(NotFoundError):
        """Made up."""

    assert NarrowError("store.not_found", file="x").status == STATUS[NotFoundError]


def test_http_statuses_and_openai_types_agree() -> None:
    assert all(
        status.http >= 500 for status in STATUS.values() if status.openai_type == "server_error" and status.http != 499
    )
    assert all(status.http < 500 for status in STATUS.values() if status.openai_type != "server_error")


def test_an_error_tells_programs_code_message_hint_file_and_row() -> None:
    error = RecipeError("recipe.yaml", file=Path("r.yaml"), row=3, problem="x")
    assert error.as_json() == {
        "code": "recipe.yaml",
        "message": error.message(),
        "hint": error.hint(),
        "file": "r.yaml",
        "row": 3,
    }
    assert str(error).startswith("r.yaml:3: ")


def test_an_error_speaks_both_languages() -> None:
    error = NotFoundError("store.not_found", file="x")
    assert error.message("en") != error.message("zh")
    assert error.hint("en") != error.hint("zh")


def test_errors_can_be_caught_by_their_branch() -> None:
    assert issubclass(RecipeError, UsageError)
    assert not issubclass(DataError, UsageError)
