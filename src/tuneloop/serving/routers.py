"""The router of a running server: fitted from the registry's lineage, kept in the workspace, renewed when adapters change."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuneloop.core.records import Adapter
from tuneloop.registry.versions import meant_by_bare_names
from tuneloop.store.artifacts import manifest_hash, new_artifact, read_manifest, verify
from tuneloop.store.datasets import datasets_by_hash
from tuneloop.store.samples import read_split
from tuneloop.store.workspace import Workspace

if TYPE_CHECKING:
    from tuneloop.serving.router import Router

FORMAT = 3
"""Raised when fitting changes: what was kept is fitted anew."""


class Routers:
    """Gives the router that fits the registered adapters.

    Args:
        workspace: where adapters, their datasets, and the fitted routers are.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._kept: tuple[frozenset[str], Router] | None = None

    def current(self, adapters: Sequence[Adapter]) -> Router:
        """The router over what the bare names mean now; fitted if there is none yet, which takes seconds.

        Args:
            adapters: registered versions that the server has.
        """
        meant = list(meant_by_bare_names(adapters).values())
        labels = frozenset(adapter.label for adapter in meant)
        with self._lock:
            if self._kept is None or self._kept[0] != labels:
                self._kept = (labels, self._make(meant))
            return self._kept[1]

    def _make(self, adapters: Sequence[Adapter]) -> Router:
        from tuneloop.serving.general import general_questions
        from tuneloop.serving.router import fit_router, load_router

        places = datasets_by_hash(self._workspace)
        trained_on = {adapter.name: read_manifest(adapter.path).inputs.get("dataset") for adapter in adapters}
        datasets = {name: places[digest] for name, digest in trained_on.items() if digest in places}
        inputs = {name: manifest_hash(folder) for name, folder in datasets.items()}
        key = hashlib.sha256(json.dumps([FORMAT, inputs], sort_keys=True).encode()).hexdigest()[:12]
        folder = self._workspace.root / "routers" / key
        if folder.exists():
            verify(folder)
            return load_router(folder)
        asked = {name: training_questions(place) for name, place in datasets.items()}
        router = fit_router(asked, general_questions())
        try:
            with new_artifact(folder, kind="router", config={"format": FORMAT}, inputs=inputs, seeds={}) as made:
                router.save(made)
        except FileExistsError:  # another server was faster
            return load_router(folder)
        return router


def training_questions(dataset: Path) -> list[str]:
    """What users say in the training split of a dataset, as the router sees conversations: some when they begin, some later.

    A conversation of k turns is taken up to its first, second, … or k-th one, in turn from sample to sample: a question that
    opens a conversation must be like others that do, and no conversation counts twice as its own likeness.
    """
    found: list[str] = []
    for number, sample in enumerate(read_split(dataset, "train")):
        said = [message.content for message in sample.prompt if message.role == "user"]
        found.append("\n".join(said[: 1 + number % max(1, len(said))]))
    return found
