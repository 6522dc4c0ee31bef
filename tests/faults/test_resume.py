"""A training that was stopped anywhere goes on bit for bit: adapter, optimiser, schedule, random numbers, order, metrics."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tuneloop.core.errors import IncompatibleError, TryAgainError, UsageError
from tuneloop.core.failpoints import hooked

pytestmark = pytest.mark.usefixtures("short_answers")

PACKED: dict[str, Any] = {}
UNPACKED: dict[str, Any] = {"max_tokens_per_batch": "auto", "per_device_train_batch_size": 1, "num_train_epochs": 1}

STOPS: dict[str, tuple[str, str, int]] = {
    "mid-epoch": ("terminate", "train.forward", 4),
    "epoch end": ("terminate", "train.forward", 8),
    "first micro-batch": ("interrupt", "train.forward", 1),
    "mid-accumulation": ("terminate", "train.backward", 5),
    "short last accumulation": ("terminate", "train.backward", 7),
    "in the optimiser": ("kill", "train.optimizer", 3),
    "between the last step and its evaluation": ("terminate", "train.optimizer", 6),
    "during an evaluation": ("terminate", "evaluate.forward", 2),
    "killed in an evaluation": ("kill", "evaluate.forward", 2),
    "during a save": ("terminate", "tensors.optimizer", 2),
    "killed in a save": ("kill", "artifact.filled", 3),
    "killed in a pruning": ("kill", "checkpoint.hidden", 1),
    "killed before the first checkpoint": ("kill", "artifact.made", 1),
    "killed in a step": ("kill", "train.backward", 6),
    "killed while the adapter is saved": ("kill", "tensors.adapter_model", 1),
}
"""Kind of stop: the signal, the place, and how often the place is passed before it."""
ENDS = {"kill": -signal.SIGKILL, "terminate": 143, "interrupt": 130}


def in_child(child: Any, work: Callable[[], Any], hook: Callable[[str], None] = lambda name: None) -> int:
    """Train in a forked process, one thread, so that a kill costs little and nothing is left behind."""

    def train(report: Any) -> None:
        torch.set_num_threads(1)
        with hooked(hook):
            work()

    return int(child(train).run())


def check_stop(trainer: Any, child: Any, whole: dict[str, Any], hook: Any, kind: str, settings: dict[str, Any]) -> None:
    """Stop a training, go on, and compare with the whole one."""
    stop = STOPS[kind]
    ended = in_child(child, lambda: trainer.train("parts", **settings), hook(*stop))
    assert ended == ENDS[stop[0]], (stop, ended)
    assert in_child(child, lambda: trainer.train("parts", **settings)) == 0
    assert trainer.result("parts") == whole, stop


RARE = ("first micro-batch", "killed in an evaluation", "killed while the adapter is saved")
"""Kinds that only the whole suite goes through."""


@pytest.mark.parametrize("kind", [pytest.param(k, marks=[pytest.mark.slow] if k in RARE else []) for k in STOPS])
def test_a_training_goes_on_bit_for_bit(trainer: Any, child: Any, faults: Any, undisturbed: Any, kind: str) -> None:
    check_stop(trainer, child, undisturbed(**PACKED), faults[0], kind, PACKED)


@pytest.mark.parametrize("kind", ["mid-accumulation", pytest.param("killed in a save", marks=pytest.mark.slow)])
def test_a_training_without_packing_goes_on_bit_for_bit(
    trainer: Any, child: Any, faults: Any, undisturbed: Any, kind: str
) -> None:
    check_stop(trainer, child, undisturbed(**UNPACKED), faults[0], kind, UNPACKED)


def test_the_schedule_has_the_stops_that_the_table_names(trainer: Any, child: Any) -> None:
    """Micro-batches of the steps: the table's numbers mean what their names say."""
    process = child(lambda report: _count(lambda: trainer.train("count"), report))
    assert process.run() == 0
    assert process.reports == [3, 3, 1, 3, 3, 1]  # an epoch: two whole accumulations and a short one


def _count(work: Callable[[], Any], report: Callable[[int], None]) -> None:
    torch.set_num_threads(1)
    forwards = [0]

    def hook(name: str) -> None:
        if name == "train.forward":
            forwards[0] += 1
        if name == "train.optimizer":
            report(forwards[0])
            forwards[0] = 0

    with hooked(hook):
        work()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["terminate", "kill"])
def test_every_place_of_a_training_can_be_its_stop(
    trainer: Any, child: Any, faults: Any, undisturbed: Any, kind: str, tmp_path: Path
) -> None:
    fault, _ = faults
    log = tmp_path / "places"

    def work() -> None:
        trainer.train("whole")

    assert in_child(child, work, lambda name: log.open("a").write(name + "\n") and None) == 0
    passed = log.read_text().split()
    whole = undisturbed()
    stops = 0
    for index, place in enumerate(passed):
        occurrence = passed[: index + 1].count(place)
        ended = in_child(child, lambda: trainer.train("parts"), fault(kind, place, occurrence))
        # A signal after the loop's last look finds a finished training.
        assert ended in (ENDS[kind], 0, -signal.SIGTERM), (place, occurrence, ended)
        stops += ended != 0
        assert in_child(child, lambda: trainer.train("parts")) == 0, (place, occurrence)
        parts = trainer.result("parts")
        assert parts == whole, (place, occurrence)
        shutil.rmtree(trainer.folder / "parts")
    assert stops > 0.8 * len(passed)
    print(f"{kind}: {stops} stops at {len(passed)} places, all equal bit for bit")


def test_a_stop_after_an_out_of_memory_goes_on_bit_for_bit(trainer: Any, child: Any, faults: Any) -> None:
    fault, _ = faults

    def both(*stops: Callable[[str], None]) -> Callable[[str], None]:
        return lambda name: [stop(name) for stop in stops] and None

    memory = ("memory", "train.backward", 5)
    assert in_child(child, lambda: trainer.train("whole"), fault(*memory)) == 0
    stop = both(fault(*memory), fault("terminate", "train.forward", 12))
    assert in_child(child, lambda: trainer.train("parts"), stop) == 143
    assert in_child(child, lambda: trainer.train("parts")) == 0
    assert trainer.result("parts") == trainer.result("whole")
    recovery = (trainer.run_folder("parts") / "recovery.json").read_text()
    assert recovery == (trainer.run_folder("whole") / "recovery.json").read_text()


def test_many_stops_in_one_training_end_in_the_same_adapter(
    trainer: Any, child: Any, faults: Any, undisturbed: Any
) -> None:
    fault, _ = faults
    ends = [
        in_child(child, lambda: trainer.train("parts"), fault("terminate", "train.forward", n)) for n in (1, 5, 2, 4)
    ]
    assert ends == [143] * 4
    assert in_child(child, lambda: trainer.train("parts")) == 0
    assert trainer.result("parts") == undisturbed()


def test_a_damaged_newest_checkpoint_is_passed_over_with_the_reason(
    trainer: Any, child: Any, faults: Any, undisturbed: Any
) -> None:
    fault, _ = faults
    assert in_child(child, lambda: trainer.train("parts"), fault("terminate", "train.forward", 12)) == 143
    newest = sorted((trainer.run_folder("parts") / "checkpoints").glob("step-*"))[-1]
    damaged = bytearray((newest / "optimizer.safetensors").read_bytes())
    damaged[-1] ^= 1
    (newest / "optimizer.safetensors").write_bytes(damaged)
    notes: list[str] = []

    def work() -> None:
        trainer.train("parts", notes=notes)
        assert any(newest.name in note and "optimizer.safetensors" in note for note in notes), notes

    assert in_child(child, work) == 0
    assert trainer.result("parts") == undisturbed()


# ---- other inputs, other processes -----------------------------------------------------------------------------------


@pytest.fixture
def stopped(trainer: Any, child: Any, faults: Any) -> Any:
    """A training that was stopped in its third step."""
    assert in_child(child, lambda: trainer.train("w"), faults[0]("terminate", "train.forward", 8)) == 143
    return trainer


def test_a_changed_recipe_is_refused_at_resume_with_the_difference(stopped: Any) -> None:
    with pytest.raises(IncompatibleError) as caught:
        stopped.train("w", resume=True, learning_rate=1e-3)
    assert "training.learning_rate: 0.005 → 0.001" in caught.value.message("en")
    assert "--force" in caught.value.hint("zh")


@pytest.mark.parametrize("what", ["dataset", "base", "template", "tokenizer"])
def test_changed_data_model_or_tokeniser_is_refused_at_resume(
    stopped: Any, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tuneloop.training import run as stage

    original = stage.make_identity
    monkeypatch.setattr(stage, "make_identity", lambda *a, **k: {**original(*a, **k), what: "another"})
    with pytest.raises(IncompatibleError, match=f"{what}: "):
        stopped.train("w", resume=True)


def test_a_forced_resume_goes_on_and_is_marked(stopped: Any, child: Any) -> None:
    work = lambda: stopped.train("w", resume=True, force=True, learning_rate=1e-3)  # noqa: E731
    assert in_child(child, work) == 0
    summary = (stopped.run_folder("w") / "trainer_state.json").read_text()
    assert json.loads(summary)["forced"] == ["training.learning_rate: 0.005 → 0.001"]


def test_without_a_word_on_resuming_a_changed_recipe_begins_a_run_of_its_own(stopped: Any, child: Any) -> None:
    assert in_child(child, lambda: stopped.train("w", learning_rate=1e-3)) == 0
    assert len([path for path in (stopped.folder / "w" / "runs").iterdir() if path.is_dir()]) == 2


def test_resume_without_an_unfinished_run_says_so(trainer: Any) -> None:
    with pytest.raises(UsageError) as caught:
        trainer.train("empty", resume=True)
    assert caught.value.code == "training.nothing_to_resume"


def test_the_plan_of_a_begun_run_stays_whatever_the_machine_looks_like(
    stopped: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tuneloop.training import prepare as stage

    def forbidden(*_: Any) -> None:
        raise AssertionError("planned again")

    monkeypatch.setattr(stage, "make_plan", forbidden)
    assert stopped.train("w", resume=True).finished


def test_a_second_process_on_the_same_run_is_refused_and_a_killed_ones_lock_is_taken_over(
    stopped: Any, child: Any, faults: Any
) -> None:
    from tuneloop.store.lock import only_process

    folder = stopped.run_folder("w")
    with only_process(folder):
        assert in_child(child, lambda: stopped.train("w")) == 75
    with only_process(folder), pytest.raises(TryAgainError, match=r"Process [0-9]+"), only_process(folder):
        pass
    assert in_child(child, lambda: stopped.train("w"), faults[0]("kill", "train.forward", 1)) == -signal.SIGKILL
    assert (folder.parent / f".{folder.name}.lock").exists()
    assert in_child(child, lambda: stopped.train("w")) == 0
