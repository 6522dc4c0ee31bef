from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tuneloop.core.errors import ResourceError
from tuneloop.store.checkpoint import newest_checkpoint, prune_checkpoints, save_checkpoint


def save(folder: Path, step: int) -> Path:
    return save_checkpoint(folder, step, lambda path: (path / "a.bin").write_bytes(b"x" * step) and None, config={})


def test_the_newest_whole_checkpoint_is_found_and_damaged_ones_are_named(tmp_path: Path) -> None:
    save(tmp_path, 1)
    newer = save(tmp_path, 2)
    (newer / "a.bin").write_bytes(b"")
    found = newest_checkpoint(tmp_path)
    assert found.path is not None
    assert found.path.name == "step-000001"
    assert [path.name for path, _ in found.skipped] == ["step-000002"]


def test_a_save_that_fails_leaves_the_older_checkpoint_and_nothing_half(tmp_path: Path) -> None:
    save(tmp_path, 1)

    def fill_the_disk(path: Path) -> None:
        (path / "half.bin").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ResourceError) as caught:
        save_checkpoint(tmp_path, 2, fill_the_disk, config={})
    assert caught.value.status.exit == 5
    assert [path.name for path in tmp_path.iterdir()] == ["step-000001"]


def test_pruning_keeps_the_newest_and_the_protected(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        save(tmp_path, step)
    (tmp_path / ".step-000005.abcd.tmp").mkdir()
    prune_checkpoints(tmp_path, keep=2, protected=[1])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000001", "step-000003", "step-000004"]


def test_checkpoints_are_written_without_torch() -> None:
    code = "import tuneloop.store.checkpoint, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_one_that_says_less_is_replaced_when_asked_and_not_before(tmp_path: Path) -> None:
    def write(text: str) -> None:
        save_checkpoint(
            tmp_path, 5, lambda path: (path / "a").write_text(text) and None, config={}, replace=text == "c"
        )

    for text in "abc":
        write(text)
        assert (tmp_path / "step-000005" / "a").read_text() == ("c" if text == "c" else "a")
    assert [path.name for path in tmp_path.iterdir()] == ["step-000005"]
