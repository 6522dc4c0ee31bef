"""What the tests of the data stage share: files of samples, and a dataset made of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tuneloop.core.messages import set_language
from tuneloop.core.progress import Tracker
from tuneloop.core.records import Dataset
from tuneloop.data.config import DataConfig
from tuneloop.data.run import run
from tuneloop.store.workspace import Workspace

Write = Callable[..., Path]
Prepare = Callable[..., Dataset]


class Listener:
    """Keeps what a stage reports."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.bars: list[tuple[str, float | None]] = []
        self.done = 0.0

    @contextmanager
    def track(self, label: str, total: float | None, unit: str) -> Iterator[Tracker]:
        self.bars.append((label, total))
        yield self

    def advance(self, amount: float = 1, **figures: float | str) -> None:
        self.done += amount

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Messages in English, whatever the machine's language."""
    set_language("en")
    yield
    set_language(None)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write rows as JSON lines, or a text as it is."""

    def write_file(name: str, content: str | Sequence[Mapping[str, Any]]) -> Path:
        path = tmp_path / name
        if not isinstance(content, str):
            content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
        path.write_text(content, encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    """Prepare a dataset from files, with any setting of `data:`."""

    def prepare_files(*paths: Path | Mapping[str, Any], **settings: Any) -> Dataset:
        arguments = {name: settings.pop(name) for name in ("progress", "force", "measure") if name in settings}
        sources = [{"path": str(item)} if isinstance(item, Path) else item for item in paths]
        return run(
            DataConfig.model_validate({"sources": sources, **settings}),
            name="faq",
            language="en",
            seed=42,
            folder=tmp_path,
            workspace=Workspace(tmp_path / "workspace"),
            **arguments,
        )

    return prepare_files


def questions(count: int, **columns: str) -> list[dict[str, str]]:
    """Rows with different questions and answers."""
    return [{"question": f"What is {n}?", "answer": f"It is {n}.", **columns} for n in range(count)]
