"""Which dataset an adapter was trained on: its manifest names the hash of the dataset's manifest."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tuneloop.core.errors import ArtifactError
from tuneloop.store.artifacts import manifest_hash
from tuneloop.store.workspace import Workspace


def datasets_by_hash(workspace: Workspace) -> dict[str, Path]:
    """The workspace's datasets by what adapters call them; unfinished ones, and those that can't be read, are left out."""
    found: dict[str, Path] = {}
    for folder in sorted(workspace.datasets.glob("*/*"), reverse=True):  # of equal ones, the first
        with suppress(ArtifactError):
            found[manifest_hash(folder)] = folder
    return found
