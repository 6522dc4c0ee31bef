"""A checkpoint is old or new, never a third thing: at every step of a save, for every fault, also during recovery."""

from __future__ import annotations

import itertools
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tuneloop.core.failpoints import hooked
from tuneloop.store.checkpoint import checkpoint_step, checkpoints, newest_checkpoint, prune_checkpoints

KINDS = ("kill", "EIO", "ENOSPC")


def products(writer: Any, faults: Any) -> Iterator[tuple[int, tuple[str, str, int], tuple[str, str, int]]]:
    """Every fault in a save, times every fault in the start and the save after it."""
    _, places = faults
    writer.save(1)
    writer.save(2)
    saving = places(lambda: writer.save(3))
    assert {name for name, _ in saving} >= {
        "artifact.made", "writer.half", "artifact.filled", "file.written", "file.synced", "file.renamed",
        "artifact.sync", "artifact.synced", "artifact.renamed", "checkpoint.remove", "checkpoint.hidden",
        "checkpoint.removed",
    }  # fmt: skip
    first = [(kind, *place) for kind in KINDS for place in saving]
    yield from ((i, *pair) for i, pair in enumerate(itertools.product(first, first)))


@pytest.mark.parametrize("every", [pytest.param(67, id="sample"), pytest.param(1, marks=pytest.mark.slow, id="whole")])
def test_every_fault_in_a_save_and_again_in_its_recovery_leaves_the_old_or_the_new(
    writer: Any, faults: Any, child: Any, every: int, quick_disk: Path
) -> None:
    fault, _ = faults
    done = 0
    for number, first, second in products(type(writer)(quick_disk / "list"), faults):
        if number % every:
            continue
        shutil.rmtree(writer.folder, ignore_errors=True)
        writer.save(1)
        writer.save(2)
        newest, counted = 2, 0
        for attempt in (first, second):
            following = newest + 1

            def work(report: Any, attempt: Any = attempt, following: int = following) -> None:
                with hooked(fault(*attempt)):
                    writer.save(following)
                report(following)

            process = child(work)
            ended = process.run()
            assert ended in ((-signal.SIGKILL, 0) if attempt[0] == "kill" else (5, 0)), (attempt, ended)
            counted += ended == 0
            found = writer.newest()
            assert found in (newest, following), (first, second, found)
            assert found >= max(process.reports, default=0)
            newest = found
        writer.save(newest + 1)
        assert writer.newest() == newest + 1
        left = sorted(path.name for path in writer.folder.iterdir())
        assert left == [f"step-{step:06d}" for step in (newest, newest + 1)]
        done += 1
    assert done >= 25
    print(f"{done} scenarios: 0 failures")


@pytest.mark.parametrize("kills", [25, pytest.param(3000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_a_writer_that_is_killed_at_any_moment_goes_on_from_a_whole_checkpoint(
    writer: Any, child: Any, kills: int
) -> None:
    def work(report: Any) -> None:
        step = writer.newest()
        while True:
            step += 1
            writer.save(step)
            report(step)

    moments = random.Random(kills)
    confirmed = started = killed = 0
    while killed < kills:
        process = child(work)
        ended = process.run(kill_after=moments.uniform(0.0, 0.04))
        killed += ended == -signal.SIGKILL
        assert ended == -signal.SIGKILL
        confirmed = max([started, *process.reports])
        started = writer.newest()
        assert started >= confirmed
        assert started - confirmed <= 1
    assert started > kills / 20
    print(f"{killed} kills, {started} checkpoints: 0 failures (95% bound {3 / killed:.2%})")


def damages(path: Path) -> Iterator[tuple[str, bytes | None]]:
    """One bit flipped, cut to nothing, half and one byte less, or removed."""
    whole = path.read_bytes()
    for place in {0, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (place % 7)
        yield f"bit {place}", bytes(flipped)
    for size in (0, len(whole) // 2, len(whole) - 1):
        yield f"cut {size}", whole[:size]
    yield "removed", None


def test_a_damaged_file_of_the_newest_checkpoint_makes_the_one_before_the_newest(writer: Any) -> None:
    writer.save(1)
    writer.save(2)
    names = sorted(path.name for path in (writer.folder / "step-000002").iterdir())
    assert names == ["adapter.bin", "manifest.json", "state.json"]
    for name in names:
        path = writer.folder / "step-000002" / name
        whole = path.read_bytes()
        for kind, content in damages(path):
            path.unlink() if content is None else path.write_bytes(content)
            found = newest_checkpoint(writer.folder)
            assert found.path is not None, (name, kind)
            assert checkpoint_step(found.path) == 1, (name, kind)
            ((skipped, reason),) = found.skipped
            assert skipped.name == "step-000002"
            assert reason
            path.write_bytes(whole)
    assert writer.newest() == 2


def test_every_single_bit_of_a_manifest_is_watched(writer: Any) -> None:
    writer.save(1)
    path = writer.folder / "step-000001" / "manifest.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (place % 8)
        path.write_bytes(bytes(flipped))
        assert newest_checkpoint(writer.folder).path is None, (place, whole[place : place + 10])


def test_a_damaged_checkpoint_is_replaced_when_its_step_comes_again(writer: Any) -> None:
    writer.save(1)
    writer.save(2)
    (writer.folder / "step-000002" / "adapter.bin").write_bytes(b"")
    writer.save(2)
    assert writer.newest() == 2


def test_pruning_never_counts_a_damaged_checkpoint_as_the_last_one(writer: Any) -> None:
    for step in (1, 2, 3):
        writer.save(step, keep=5)
    for step in (2, 3):
        (writer.folder / f"step-{step:06d}" / "adapter.bin").write_bytes(b"")
    prune_checkpoints(writer.folder, keep=1)
    assert writer.newest() == 1
    writer.save(4, keep=1)
    assert [path.name for path in checkpoints(writer.folder)] == ["step-000004"]


def test_pruning_keeps_the_protected_and_at_least_one_at_every_moment(writer: Any, faults: Any) -> None:
    for step in range(1, 6):
        writer.save(step, keep=9)
    seen: list[int] = []
    with hooked(lambda name: seen.append(writer.newest()) if name.startswith("checkpoint.") else None):
        prune_checkpoints(writer.folder, keep=1, protected=[2])
    assert set(seen) == {5}
    assert [checkpoint_step(path) for path in checkpoints(writer.folder)] == [2, 5]


def test_steps_beyond_six_digits_sort_by_number_and_foreign_names_are_left_alone(writer: Any) -> None:
    writer.save(999_999)
    writer.save(1_000_000)
    (writer.folder / "step-old").mkdir()
    assert writer.newest() == 1_000_000
    writer.save(1_000_001)
    assert (writer.folder / "step-old").is_dir()
