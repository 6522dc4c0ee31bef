"""Out of memory, values that are not finite, spikes, a full disk, signals: what the run does, and that it does it once."""

from __future__ import annotations

import json
import math
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tuneloop.core.errors import DivergedError, ResourceError
from tuneloop.core.failpoints import hooked
from tuneloop.store.checkpoint import checkpoint_step, newest_checkpoint
from tuneloop.training import loop, mishaps
from tuneloop.training.curves import is_spike
from tuneloop.training.journal import read_metrics
from tuneloop.training.memory import Budget, Room, is_out_of_memory

pytestmark = pytest.mark.usefixtures("short_answers")

LONG = {"num_train_epochs": 8, "gradient_accumulation_steps": 1, "eval_steps": 50, "save_steps": 5, "dropout": 0.0}
"""56 steps: enough to know what is usual before a spike."""


def adapter(trainer: Any, place: str) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(trainer.run_folder(place) / "adapter" / "adapter_model.safetensors")


def relative_difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    far = math.sqrt(sum(float((one[name] - other[name]).square().sum()) for name in one))
    return far / math.sqrt(sum(float(tensor.square().sum()) for tensor in one.values()))


def recovery(trainer: Any, place: str) -> dict[str, Any]:
    return json.loads((trainer.run_folder(place) / "recovery.json").read_text())


def losses(trainer: Any, place: str) -> dict[int, float]:
    lines = read_metrics(trainer.run_folder(place) / "metrics.jsonl")
    return {line["step"]: line["loss"] for line in lines if "loss" in line}


@pytest.fixture
def plain(trainer: Any, undisturbed: Any, tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The adapter of an undisturbed training without dropout."""
    trainer.train("plain", dropout=0.0)
    return adapter(trainer, "plain")


# ---- memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["train.forward", "train.backward", "train.optimizer"])
def test_out_of_memory_halves_the_micro_batch_and_repeats_the_same_step(
    trainer: Any, plain: Any, faults: Any, place: str
) -> None:
    notes: list[str] = []
    with hooked(faults[0]("memory", place, 4)):
        trainer.train("w", dropout=0.0, notes=notes)
    (smaller,) = recovery(trainer, "w")["smaller"]
    assert smaller["place"] == "training"
    assert 0 < smaller["tokens"] < 300
    assert any("Memory ran out" in note for note in notes)
    # The optimiser's batch is the same: only the order of floating-point sums differs.
    assert relative_difference(plain, adapter(trainer, "w")) < 1e-5


def test_out_of_memory_in_an_evaluation_leaves_the_training_as_it_is(trainer: Any, plain: Any, faults: Any) -> None:
    with hooked(faults[0]("memory", "evaluate.forward", 1)):
        trainer.train("w", dropout=0.0)
    assert [s["place"] for s in recovery(trainer, "w")["smaller"]] == ["evaluation"]
    assert relative_difference(plain, adapter(trainer, "w")) == 0.0


def test_out_of_memory_at_one_sample_is_a_clear_error_with_a_checkpoint(trainer: Any) -> None:
    def always(name: str) -> None:
        if name == "train.forward" and len(list((trainer.folder / "w").rglob("step-000002"))) > 0:
            raise MemoryError

    with hooked(always), pytest.raises(ResourceError) as caught:
        trainer.train("w")
    assert caught.value.status.exit == 5
    assert "single sample" in caught.value.message("en")
    found = newest_checkpoint(trainer.run_folder("w") / "checkpoints")
    assert found.path is not None
    assert checkpoint_step(found.path) == 2
    assert trainer.train("w").finished


def test_torchs_own_errors_of_the_cpu_count_as_out_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("shape mismatch"))


def test_a_real_limit_of_the_address_space_is_answered_with_smaller_micro_batches(trainer: Any, child: Any) -> None:
    """RLIMIT_AS a little above what is mapped: a large micro-batch does not fit, small ones do."""
    settings = {"max_tokens_per_batch": 4000, "gradient_accumulation_steps": 1, "dropout": 0.0}

    def work(report: Any) -> None:
        torch.set_num_threads(1)
        trainer.train("warm", **settings, num_train_epochs=1)
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + 12_000_000, resource.RLIM_INFINITY))
        trainer.train("w", **settings)

    assert child(work).run() == 0
    assert recovery(trainer, "w")["smaller"]
    trainer.train("plain", **settings)
    assert relative_difference(adapter(trainer, "plain"), adapter(trainer, "w")) < 1e-5


def test_the_budget_guard_raises_our_error_before_the_kernel_kills(
    trainer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tuneloop.training import run as stage

    trainer.train("plain", dropout=0.0)
    # Room for 200 tokens at a million bytes each; what is resident does not grow.
    budget = Budget(
        predict=lambda tokens, longest: tokens * 1_000_000, room=lambda: 200_000_000, resident=lambda: 10**9
    )
    monkeypatch.setattr(stage, "make_budget", lambda inputs, plan: budget)
    trainer.train("w", dropout=0.0)
    (smaller,) = recovery(trainer, "w")["smaller"]
    assert smaller["tokens"] <= 200
    assert relative_difference(adapter(trainer, "plain"), adapter(trainer, "w")) < 1e-5


def test_the_room_is_the_smallest_of_machine_cgroups_and_address_space(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    second = tmp_path / "v2" / "user" / "job"
    second.mkdir(parents=True)
    (second / "memory.max").write_text("2000000\n")
    (second / "memory.current").write_text("1500000\n")
    (second / "memory.stat").write_text("active_file 1\ninactive_file 300000\n")
    (second.parent / "memory.max").write_text("max\n")
    membership.write_text("0::/user/job\n")
    assert Room(tmp_path / "v2", membership).left() == 800_000
    first = tmp_path / "v1" / "memory"
    first.mkdir(parents=True)
    for name, value in (("limit_in_bytes", 900_000), ("usage_in_bytes", 400_000)):
        (first / f"memory.{name}").write_text(f"{value}\n")
    membership.write_text("4:memory:/docker/0123\n3:cpu:/\n")  # the host's path, not mounted in here
    assert Room(tmp_path / "v1", membership).left() == 500_000
    assert Room(tmp_path / "none", tmp_path / "nothing").left() > 1_000_000


# ---- not finite ------------------------------------------------------------------------------------------------------


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int, float], float]], None]:
    """Multiply the loss of every forward pass of the training by a factor, from its number."""

    def set_factor(factor: Callable[[int], float]) -> None:
        original, calls = loop.supervised_loss, [0]

        def poisoned(model: Any, batch: Any, smoothing: float) -> Any:
            calls[0] += 1
            return original(model, batch, smoothing) * factor(calls[0])

        monkeypatch.setattr(loop, "supervised_loss", poisoned)

    return set_factor


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_step_that_is_not_finite_leaves_no_trace_and_its_samples_are_named(
    trainer: Any, poison: Any, value: float
) -> None:
    seen: list[tuple[int, str]] = []
    notes: list[str] = []
    poison(lambda call: value if call == 4 else 1.0)
    original = mishaps.leave_out

    def watched(now: Any, number: int, loss: float, norm: float) -> None:
        hashes = []
        for _ in range(2):
            tensors = [*(p for p in now.task.model.parameters() if p.requires_grad)]
            tensors += [v for state in now.optimizer.state.values() for v in state.values()]
            hashes.append([float(t.detach().double().sum()) for t in tensors])
            if len(hashes) == 1:
                original(now, number, loss, norm)
        assert hashes[0] == hashes[1]
        seen.append((number, str(value)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mishaps, "leave_out", watched)
        trainer.train("w", notes=notes, gradient_accumulation_steps=1, dropout=0.0)
    assert [number for number, _ in seen] == [4]
    assert 4 not in losses(trainer, "w")
    (note,) = [note for note in notes if "left out" in note]
    assert "Step 4" in note
    assert "Samples: s" in note
    assert all(bool(tensor.isfinite().all()) for tensor in adapter(trainer, "w").values())


def test_the_one_sample_with_a_bad_loss_is_named(trainer: Any, poison: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(lambda call: math.nan if call == 4 else 1.0)
    alone = mishaps._loss_alone
    monkeypatch.setattr(mishaps, "_loss_alone", lambda now, e: math.nan if e.id == named[-1] else alone(now, e))
    named: list[str] = []
    original = mishaps.culprits

    def first(now: Any, number: int) -> list[str]:
        named.append(now.pieces(number)[0][0].id)
        return original(now, number)

    monkeypatch.setattr(mishaps, "culprits", first)
    trainer.train("w", gradient_accumulation_steps=1)
    (line,) = [m for m in read_metrics(trainer.run_folder("w") / "metrics.jsonl") if "left_out" in m]
    assert line["samples"] == named


def test_values_that_are_never_finite_end_in_exit_6_with_a_report(trainer: Any, poison: Any) -> None:
    poison(lambda call: math.nan)
    with pytest.raises(DivergedError, match=r"s[0-9]+") as caught:
        trainer.train("w", **LONG)
    assert caught.value.status.exit == 6
    assert len(recovery(trainer, "w")["rollbacks"]) == 3
    assert "diverged" in (trainer.run_folder("w") / "report.html").read_text()
    assert "diverged" in json.loads((trainer.run_folder("w") / "trainer_state.json").read_text())


def test_a_scaled_loss_gives_the_same_training_and_halves_its_scale_instead_of_leaving_a_step_out(
    trainer: Any, plain: Any, poison: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What float16 does, in float32: an overflow is answered with a smaller scale and the same step."""
    original = loop.State
    monkeypatch.setattr(loop, "State", lambda **given: original(**{**given, "loss_scale": 1024.0}))
    poison(lambda call: math.inf if call == 4 else 1.0)
    trainer.train("w", dropout=0.0)
    assert len(losses(trainer, "w")) == 6
    last = newest_checkpoint(trainer.run_folder("w") / "checkpoints").path
    assert last is not None
    assert json.loads((last / "trainer_state.json").read_text())["loss_scale"] == 512.0
    assert relative_difference(plain, adapter(trainer, "w")) < 1e-5


# ---- spikes ----------------------------------------------------------------------------------------------------------


def test_a_spike_is_found_within_five_steps_rolled_back_and_left_out(trainer: Any, poison: Any) -> None:
    trainer.train("clean", **LONG)
    notes: list[str] = []
    poison(lambda call: 20.0 if 31 <= call <= 35 else 1.0)
    trainer.train("w", notes=notes, **LONG)
    (rollback,) = recovery(trainer, "w")["rollbacks"]
    assert rollback == {"back_to": 30, "first": 31, "last": 35, "reason": "spike"}
    done = losses(trainer, "w")
    assert not {31, 32, 33, 34, 35} & done.keys()
    assert max(done) == 56
    assert any("back to step 30" in note for note in notes)
    clean, spiked = (losses(trainer, place) for place in ("clean", "w"))
    assert {n: spiked[n] for n in range(1, 31)} == {n: clean[n] for n in range(1, 31)}


def test_a_spike_that_always_returns_ends_after_three_attempts_with_a_lower_rate(trainer: Any, poison: Any) -> None:
    poison(lambda call: 20.0 if call >= 31 else 1.0)
    notes: list[str] = []
    with pytest.raises(DivergedError) as caught:
        trainer.train("w", notes=notes, **LONG)
    assert caught.value.status.exit == 6
    rollbacks = recovery(trainer, "w")["rollbacks"]
    assert [r["back_to"] for r in rollbacks] == [30, 35, 40]  # nothing was learned in the windows left out
    assert [(r["first"], r["last"]) for r in rollbacks] == [(31, 35), (36, 40), (41, 45)]
    assert caught.value.values["rate"] == pytest.approx(5e-3 / 8)
    assert (trainer.run_folder("w") / "report.html").exists()


@pytest.mark.slow
def test_a_stop_between_spike_and_end_goes_on_bit_for_bit(
    trainer: Any, child: Any, faults: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spike comes from the data: the same steps are bad whenever they are done."""
    original = loop.Training.pieces
    now_at = [0]

    def pieces(self: Any, number: int) -> Any:
        now_at[0] = number
        return original(self, number)

    loss = loop.supervised_loss
    monkeypatch.setattr(loop.Training, "pieces", pieces)
    monkeypatch.setattr(
        loop, "supervised_loss", lambda m, b, s: loss(m, b, s) * (20.0 if 31 <= now_at[0] <= 35 else 1.0)
    )

    def work(place: str, hook: Callable[[str], None] = lambda name: None) -> int:
        def train(report: Any) -> None:
            torch.set_num_threads(1)
            with hooked(hook):
                trainer.train(place, **LONG)

        return int(child(train).run())

    assert work("whole") == 0
    for stop in (("terminate", "train.forward", 34), ("kill", "train.forward", 37), ("kill", "checkpoint.removed", 5)):
        work("parts", faults[0](*stop))
    assert work("parts") == 0
    assert trainer.result("parts") == trainer.result("whole")
    assert recovery(trainer, "parts") == recovery(trainer, "whole")
    assert len(recovery(trainer, "whole")["rollbacks"]) == 1


def curves() -> Iterator[list[float]]:
    """Losses as trainings make them: falling, noisy, with outliers, near zero, rising at the start."""
    for seed in range(60):
        dice = random.Random(seed)
        start, end = dice.uniform(1.0, 8.0), 10 ** dice.uniform(-3.0, 0.5)
        noise, speed = dice.uniform(0.05, 0.9), dice.uniform(5.0, 100.0)
        yield [
            (end + (start - end) * math.exp(-i / speed)) * math.exp(dice.gauss(0.0, noise)) for i in range(300)
        ]  # fmt: skip


def test_noise_outliers_and_small_losses_are_no_spikes() -> None:
    for losses_ in curves():
        assert not any(is_spike(losses_[: i + 1]) for i in range(len(losses_)))
    assert not is_spike([0.002] * 30 + [0.04] * 5)
    assert is_spike([2.0] * 30 + [40.0] * 5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_thirty_clean_trainings_give_no_false_alarm(trainer: Any) -> None:
    done = 0
    for rate in (1e-4, 1e-3, 5e-3, 2e-2, 5e-2):
        for budget in (80, 300, 1000):
            for warmup in (0, 10):
                place = f"clean-{rate}-{budget}-{warmup}"
                settings = {**LONG, "learning_rate": rate, "max_tokens_per_batch": budget, "warmup_steps": warmup}
                trainer.train(
                    place, num_train_epochs=6, **{k: v for k, v in settings.items() if k != "num_train_epochs"}
                )
                assert not (trainer.run_folder(place) / "recovery.json").exists(), place
                done += 1
    assert done == 30
    print(f"{done} clean trainings: 0 false alarms (95% bound {3 / done:.0%})")


# ---- signals and disks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["train.backward", "tensors.optimizer", "evaluate.forward"])
def test_sigterm_ends_with_a_whole_checkpoint_and_143_within_ten_seconds(trainer: Any, child: Any, place: str) -> None:
    passed = [0]

    def twice(name: str) -> None:
        passed[0] += name == place
        if name == place and passed[0] >= 2:  # the second signal, of an impatient sender, does not hurt
            os.kill(os.getpid(), signal.SIGTERM)

    def work(report: Any) -> None:
        torch.set_num_threads(1)
        with hooked(twice):
            trainer.train("w")

    start = time.monotonic()
    assert child(work).run() == 143
    assert time.monotonic() - start < 60  # the start included; the machine may be busy
    found = newest_checkpoint(trainer.run_folder("w") / "checkpoints")
    assert found.path is not None
    assert not found.skipped


def test_an_injected_full_disk_ends_with_5_leaves_the_older_checkpoint_and_goes_on_later(
    trainer: Any, faults: Any, undisturbed: Any
) -> None:
    with hooked(faults[0]("ENOSPC", "tensors.optimizer", 3)), pytest.raises(ResourceError) as caught:
        trainer.train("w")
    assert caught.value.code == "store.disk_full"
    assert caught.value.status.exit == 5
    folder = trainer.run_folder("w") / "checkpoints"
    assert not list(folder.glob(".*"))
    assert newest_checkpoint(folder).path is not None
    trainer.train("w")
    assert trainer.result("w") == undisturbed()


@pytest.mark.slow
def test_a_really_full_disk_leaves_the_older_checkpoint_and_goes_on_after_room_is_made(tmp_path: Path) -> None:
    """A file system of its own, in a mount namespace of its own: needs the right to make one."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("no right to make a mount namespace")
    program = tmp_path / "fill.py"
    program.write_text(FILL)
    command = f"mount -t tmpfs -o size=1m tmpfs {tmp_path}/disk && exec $PYTHON {program} {tmp_path}/disk"
    (tmp_path / "disk").mkdir()
    import sys

    environment = {**os.environ, "PYTHON": sys.executable}
    ended = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command], env=environment, check=False, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert "intact" in ended.stdout


FILL = """
import sys
from pathlib import Path
import torch
from tuneloop.adapters.tensors import save_tensors
from tuneloop.core.errors import ResourceError
from tuneloop.store.checkpoint import newest_checkpoint, save_checkpoint

folder = Path(sys.argv[1]) / "checkpoints"
def save(step, size):
    save_checkpoint(folder, step, lambda p: save_tensors({"a": torch.zeros(size)}, p / "adapter.safetensors"), config={})
save(1, 50_000)
ballast = folder.parent / "ballast"
ballast.write_bytes(b"x" * 500_000)
try:
    save(2, 200_000)
except ResourceError as error:
    assert error.code == "store.disk_full" and error.status.exit == 5, error.code
else:
    raise AssertionError("it fitted")
assert newest_checkpoint(folder).path.name == "step-000001" and [p.name for p in folder.iterdir()] == ["step-000001"]
ballast.unlink()
save(2, 100_000)
assert newest_checkpoint(folder).path.name == "step-000002"
print("intact")
"""
