"""Checkpoints on disk, without torch: written atomically, verified when read, pruned by a rule that keeps what matters.

Every change is one rename: a checkpoint appears whole, and disappears whole. What a kill leaves behind has a name that
starts with a dot, is never read, and goes with the next pruning.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tuneloop.core.errors import ArtifactError
from tuneloop.core.failpoints import failpoint
from tuneloop.store.artifacts import disk_errors, new_artifact, sync_folder, verify

_NAME = re.compile(r"step-(\d{6,})")


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


def checkpoint_step(path: Path) -> int:
    """The step that a checkpoint's folder is named after.

    >>> checkpoint_step(Path("step-000500"))
    500
    """
    return int(path.name.removeprefix("step-"))


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints below `folder`, oldest first; whether they are whole is not looked at."""
    named = (path for path in folder.glob("step-*") if _NAME.fullmatch(path.name))
    return sorted(named, key=checkpoint_step)


def save_checkpoint(
    folder: Path, step: int, write: Callable[[Path], None], *, config: Any, replace: bool = False
) -> Path:
    """Write the checkpoint of `step` below `folder`; it is whole or it is not there.

    A whole one of the same step is left as it is, unless it is to be replaced; a damaged one always is. The new one is
    whole before the old one goes: a full disk costs nothing, and a kill between the two goes back to the one before.

    Args:
        folder: `runs/<id>/checkpoints`.
        step: optimiser steps done.
        write: fills the folder it is given.
        config: what must be the same at resume; kept in the manifest.
        replace: the one that is there says less than the new one.

    Raises:
        ResourceError: the disk has no room or fails; older checkpoints are untouched.
    """
    final = folder / checkpoint_name(step)
    if not final.exists():
        with new_artifact(final, kind="checkpoint", config=config) as temporary:
            write(temporary)
        return final
    if _damage(final) is None and not replace:
        return final
    newer = folder / f".{final.name}.newer.tmp"
    with disk_errors(folder):
        if newer.exists():
            shutil.rmtree(newer)
        with new_artifact(newer, kind="checkpoint", config=config) as temporary:
            write(temporary)
        remove_checkpoint(final)
        newer.rename(final)
        sync_folder(folder)
    return final


def newest_checkpoint(folder: Path, *, accept: Callable[[int], bool] = lambda step: True) -> Found:
    """Find the newest checkpoint whose every file is what its manifest says, among the accepted steps."""
    skipped: list[tuple[Path, str]] = []
    for path in reversed(checkpoints(folder)):
        if not accept(checkpoint_step(path)):
            continue
        reason = _damage(path)
        if reason is None:
            return Found(path, tuple(skipped))
        skipped.append((path, reason))
    return Found(None, tuple(skipped))


def prune_checkpoints(folder: Path, *, keep: int, protected: Iterable[int] = ()) -> list[Path]:
    """Remove all but the newest `keep` whole checkpoints and the protected steps, and what a killed save left behind.

    Damaged ones are not counted, so that the last whole one is never removed for them; those older than the newest
    whole one are removed, newer ones stay to be looked at.

    Args:
        folder: `runs/<id>/checkpoints`.
        keep: at least 1.
        protected: steps that stay: the best, and what a rollback may need. Registered adapters are copies that only a
            finished run hands out, and nothing is pruned in a finished run.

    Raises:
        ResourceError: the disk fails.
    """
    with disk_errors(folder):
        for leftover in folder.glob(".*step-*.tmp"):
            shutil.rmtree(leftover)
    safe = {checkpoint_name(step) for step in protected}
    removed: list[Path] = []
    whole = 0
    for path in reversed(checkpoints(folder)):
        if whole >= keep:
            if path.name not in safe:
                remove_checkpoint(path)
                removed.append(path)
            continue
        if _damage(path) is None:
            whole += 1
        elif whole:
            remove_checkpoint(path)
            removed.append(path)
    return removed


def remove_checkpoint(path: Path) -> None:
    """Remove a checkpoint: it is renamed away first, so that no half of it is ever seen.

    Raises:
        ResourceError: the disk fails.
    """
    hidden = path.with_name(f".{path.name}.removed.tmp")
    with disk_errors(path.parent):
        failpoint("checkpoint.remove")
        if hidden.exists():
            shutil.rmtree(hidden)
        path.rename(hidden)
        failpoint("checkpoint.hidden")
        sync_folder(path.parent)
        shutil.rmtree(hidden)
        failpoint("checkpoint.removed")


def _damage(path: Path) -> str | None:
    """Why a checkpoint can't be used, or None."""
    try:
        verify(path)
    except ArtifactError as error:
        return error.message()
    return None
