"""Work in forked children that are killed, or whose disk fails at a named place. A kill costs milliseconds."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tuneloop.core.errors import TuneloopError
from tuneloop.core.failpoints import hooked
from tuneloop.core.hashing import hash_file
from tuneloop.core.progress import SILENT
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.store.artifacts import new_artifact
from tuneloop.store.checkpoint import checkpoint_step, newest_checkpoint, prune_checkpoints, save_checkpoint
from tuneloop.store.samples import write_samples
from tuneloop.store.workspace import Workspace

BROKEN = 99
"""How a child ends that raised anything but an error of the tree; those end it with their own exit status."""


@dataclass
class Child:
    """A forked process. `work` gets a function that reports a number to the parent: what it says is done."""

    work: Callable[[Callable[[int], None]], None]
    reports: list[int] = field(default_factory=list)

    def run(self, kill_after: float | None = None) -> int:
        """Wait for the child's end, or kill it after some seconds; the exit status, negative for a signal."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            os._exit(self._child(writer))
        os.close(writer)
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with os.fdopen(reader) as pipe:
            lines = pipe.read().split("\n")[:-1]
        self.reports = [int(line) for line in lines]
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _child(self, writer: int) -> int:
        try:
            self.work(lambda number: os.write(writer, f"{number}\n".encode()) and None)
        except TuneloopError as error:
            return error.status.exit
        except BaseException:
            traceback.print_exc()
            return BROKEN
        return 0


class Writer:
    """Saves small checkpoints whose content follows from their step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, step: int, keep: int = 2) -> None:
        from tuneloop.core.failpoints import failpoint

        def write(path: Path) -> None:
            with (path / "adapter.bin").open("wb") as file:
                file.write(self.content(step)[:500])
                failpoint("writer.half")
                file.write(self.content(step)[500:])
            (path / "state.json").write_text(f'{{"step": {step}}}')

        save_checkpoint(self.folder, step, write, config={"seed": 1})
        prune_checkpoints(self.folder, keep=keep)

    @staticmethod
    def content(step: int) -> bytes:
        return bytes((step * 31 + i) % 251 for i in range(1000))

    def newest(self) -> int:
        """The step a start resumes from, after a look at its content; 0 when there is none."""
        found = newest_checkpoint(self.folder)
        if found.path is None:
            return 0
        step = checkpoint_step(found.path)
        assert (found.path / "adapter.bin").read_bytes() == self.content(step)
        return step


SIGNALS = {"kill": signal.SIGKILL, "terminate": signal.SIGTERM, "interrupt": signal.SIGINT}


def fault(kind: str, place: str, occurrence: int = 1) -> Callable[[str], None]:
    """A hook that sends a signal, runs out of memory, or raises EIO or ENOSPC, at the n-th passage of a failpoint."""
    left = [occurrence]

    def hook(name: str) -> None:
        if name != place:
            return
        left[0] -= 1
        if left[0] == 0:
            if kind in SIGNALS:
                os.kill(os.getpid(), SIGNALS[kind])
                return
            if kind == "memory":
                raise MemoryError(place)
            number = getattr(errno, kind)
            raise OSError(number, os.strerror(number))

    return hook


def places(work: Callable[[], None]) -> list[tuple[str, int]]:
    """Every failpoint that `work` passes, with its occurrence."""
    seen: list[str] = []
    with hooked(seen.append):
        work()
    return [(name, seen[: i + 1].count(name)) for i, name in enumerate(seen)]


def make_sample(number: int) -> Sample:
    question, answer = f"What is {number} plus one?", f"It is {number + 1}." + " Sure." * (number % 4)
    messages = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return Sample(id=f"s{number}", messages=messages, meta=Meta(source="test", row=number))


class Trainer:
    """Trains the tiny model; with dropout, so that random numbers count."""

    SETTINGS: ClassVar[dict[str, Any]] = {
        "num_train_epochs": 2, "max_tokens_per_batch": 300, "gradient_accumulation_steps": 3, "learning_rate": 5e-3,
        "eval_steps": 3, "save_steps": 2, "report_to": (),
    }  # fmt: skip

    def __init__(self, folder: Path, loaded: Any) -> None:
        self.folder, self.loaded = folder, loaded
        self.dataset = folder / "datasets" / "sums" / "abc"
        with new_artifact(self.dataset, kind="dataset", config={"name": "sums"}) as temporary:
            write_samples(temporary / "train.jsonl", [make_sample(n) for n in range(30)])
            write_samples(temporary / "validation.jsonl", [make_sample(n) for n in range(40, 44)])
            write_samples(temporary / "test.jsonl", [make_sample(n) for n in range(48, 50)])

    def train(self, place: str, *, notes: list[str] | None = None, dropout: float = 0.1, **settings: Any) -> Any:
        from tuneloop.adapters.config import AdapterConfig
        from tuneloop.training import run as stage
        from tuneloop.training.config import TrainingConfig
        from tuneloop.training.identity import Inputs

        options = {key: settings.pop(key) for key in ("resume", "force") if key in settings}
        config = TrainingConfig(**{**self.SETTINGS, **settings})
        inputs = Inputs(config, AdapterConfig(r=4, lora_dropout=dropout), self.dataset, self.loaded, "sums", 7)
        told = Notes([] if notes is None else notes)
        return stage.run(inputs, Workspace(self.folder / place), recipe_yaml="name: sums\n", progress=told, **options)

    def run_folder(self, place: str) -> Path:
        (folder,) = (path for path in (self.folder / place / "runs").iterdir() if path.is_dir())
        return folder

    def result(self, place: str) -> dict[str, Any]:
        """Hashes of everything that must be equal: adapter, optimiser, best, state with schedule and seed; the metrics."""
        from tuneloop.training.journal import read_metrics

        folder = self.run_folder(place)
        last = newest_checkpoint(folder / "checkpoints").path
        assert last is not None
        files = {
            path.name: hash_file(path) for path in last.iterdir() if path.name not in ("manifest.json", "measured.json")
        }
        files["adapter"] = hash_file(folder / "adapter" / "adapter_model.safetensors")
        measured = ("tokens_per_second", "memory_bytes")
        metrics = read_metrics(folder / "metrics.jsonl")
        return {**files, "metrics": [{k: v for k, v in line.items() if k not in measured} for line in metrics]}


class Notes:
    """Keeps what the training says."""

    def __init__(self, said: list[str]) -> None:
        self.said = said

    @contextlib.contextmanager
    def track(self, label: str, total: float | None, unit: str) -> Iterator[Any]:
        with SILENT.track(label, total, unit) as tracker:
            yield tracker

    def note(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The loaded model, after one training in this process: what is imported late is there for all forked children."""
    import torch

    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model

    torch.set_num_threads(1)
    loaded = load_model(ModelConfig(name_or_path="tiny"))
    Trainer(tmp_path_factory.mktemp("warm"), loaded).train("warm", num_train_epochs=1)
    return loaded


@pytest.fixture(scope="session")
def undisturbed(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Results of whole trainings, each made once."""
    known: dict[str, dict[str, Any]] = {}

    def result(**settings: Any) -> dict[str, Any]:
        key = repr(settings)
        if key not in known:
            trainer = Trainer(tmp_path_factory.mktemp("whole"), tiny)
            trainer.train("whole", **settings)
            known[key] = trainer.result("whole")
        return known[key]

    return result


@pytest.fixture
def trainer(quick_disk: Path, tiny: Any) -> Trainer:
    return Trainer(quick_disk, tiny)


@pytest.fixture
def child() -> type[Child]:
    return Child


@pytest.fixture
def quick_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: SIGKILL loses nothing that was handed to the kernel, and syncing is free."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def writer(quick_disk: Path) -> Writer:
    return Writer(quick_disk / "checkpoints")


@pytest.fixture
def faults() -> tuple[Callable[..., Callable[[str], None]], Callable[..., list[tuple[str, int]]]]:
    return fault, places
