"""Calls of the program within the test's own process."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tuneloop.cli.main import run
from tuneloop.core.messages import set_language


class Called(NamedTuple):
    """How a call ended."""

    status: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


Call = Callable[..., Called]


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """English, wide, without the workspace of whoever runs the tests."""
    monkeypatch.setenv("TUNELOOP_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("TUNELOOP_WORKSPACE", raising=False)
    yield
    set_language(None)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*arguments: object) -> Called:
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        return Called(status, *capsys.readouterr())

    return call


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_sheet(path: Path, rows: int = 40) -> Path:
    """A small file of questions and answers."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "answer"])
        writer.writerows([f"What is card {1000 + n}?", f"Card {1000 + n} is active."] for n in range(rows))
    return path


def write_recipe(path: Path, **changes: str) -> Path:
    """A recipe on the built-in model that is done in a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_sheet(path.parent / "faq.csv")
    lines = {
        "name": "bank",
        "model": "{name_or_path: tiny}",
        "data": "{sources: [{path: faq.csv}]}",
        "training": "{num_train_epochs: 1}",
        "generation": "{max_new_tokens: 6}",
        "evaluation": "{max_rows: 3}",
    }
    path.write_text("".join(f"{key}: {value}\n" for key, value in (lines | changes).items()), encoding="utf-8")
    return path


@pytest.fixture
def recipe(here: Path) -> Callable[..., Path]:
    """Writes `bank.yaml` with a sheet beside it into the current folder; keyword arguments replace lines."""
    return lambda **changes: write_recipe(here / "bank.yaml", **changes)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which the whole loop has run once. Tests read it, and write elsewhere."""
    root = tmp_path_factory.mktemp("finished")
    recipe = write_recipe(root / "bank.yaml")
    assert run(["run", str(recipe), "--workspace", str(root)]) == 0
    return root
