"""Checkpoints on disk, without torch: written atomically, verified when read, pruned by a rule that keeps what matters."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tuneloop.core.errors import ArtifactError
from tuneloop.store.artifacts import new_artifact, verify


class Found(NamedTuple):
    """The newest whole checkpoint, and the newer ones that were passed over with the reason."""

    path: Path | None
    skipped: tuple[tuple[Path, str], ...]


def checkpoint_name(step: int) -> str:
    """Folder name of a step's checkpoint.

    >>> checkpoint_name(500)
    'step-000500'
    """
    return f"step-{step:06d}"


def save_checkpoint(folder: Path, step: int, write: Callable[[Path], None], *, config: Any) -> Path:
    """Write the checkpoint of `step` below `folder`; it is whole or it is not there.

    Args:
        folder: `runs/<id>/checkpoints`.
        step: optimiser steps done.
        write: fills the folder it is given.
        config: what must be the same at resume; kept in the manifest.

    Raises:
        ResourceError: the disk has no room; older checkpoints are untouched.
    """
    final = folder / checkpoint_name(step)
    if final.exists():
        return final
    with new_artifact(final, kind="checkpoint", config=config) as temporary:
        write(temporary)
    return final


def newest_checkpoint(folder: Path) -> Found:
    """Find the newest checkpoint whose every file is what its manifest says."""
    skipped: list[tuple[Path, str]] = []
    for path in sorted(folder.glob("step-*"), reverse=True):
        try:
            verify(path)
        except ArtifactError as error:
            skipped.append((path, error.message()))
            continue
        return Found(path, tuple(skipped))
    return Found(None, tuple(skipped))


def prune_checkpoints(folder: Path, *, keep: int, protected: Iterable[int] = ()) -> list[Path]:
    """Remove all but the newest `keep` checkpoints and the protected steps; remove what a killed save left behind."""
    for leftover in folder.glob(".step-*.tmp"):
        shutil.rmtree(leftover)
    safe = {checkpoint_name(step) for step in protected}
    removed = [path for path in sorted(folder.glob("step-*"), reverse=True)[keep:] if path.name not in safe]
    for path in removed:
        shutil.rmtree(path)
    return removed
