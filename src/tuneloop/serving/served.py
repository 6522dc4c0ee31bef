"""Which models a server has: the base model, and every registered adapter of it by name, version or alias."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedModel

from tuneloop.adapters.folder import check_adapter
from tuneloop.adapters.low_rank import LowRank, read_low_rank
from tuneloop.core.errors import NotFoundError
from tuneloop.core.records import Adapter
from tuneloop.engine.engine import Engine
from tuneloop.models.loaded import KnownModel
from tuneloop.registry.versions import choose, list_adapters, resolve
from tuneloop.store.access import LOCAL, Key
from tuneloop.store.artifacts import read_manifest
from tuneloop.store.workspace import Workspace

BASE = "base"
AUTO = "auto"
"""The router's choice."""
FRESH_SECONDS = 1.0
"""How old the view of the registry may be: a promotion is followed within it."""


@dataclass(frozen=True, slots=True)
class Model:
    """What answers a request."""

    name: str
    """`base`, or the adapter's label: `bank-service@v0003`."""
    adapter: str | None
    """The engine's name for the adapter; None for the base model. A version never changes, so its label is one."""
    system: str | None = None
    """The system message that every training sample had."""


class ServedModels:
    """The models of one server.

    Args:
        loaded: the base model; its weights may lie with another process.
        base_name: its name in the catalogue, as adapters name it.
        workspace: whose registry is followed.
    """

    def __init__(self, loaded: KnownModel, base_name: str, workspace: Workspace) -> None:
        self.loaded = loaded
        self.base_name = base_name
        self.workspace = workspace
        self._seen: tuple[float, list[Adapter]] = (-1e9, [])
        self._systems: dict[str, str | None] = {}

    def adapters(self, key: Key = LOCAL) -> list[Adapter]:
        """Registered versions that fit the base model and exist for the key, as of at most a second ago."""
        return [adapter for adapter in self._registered() if self._fits(adapter) and key.may_use(adapter.name)]

    def find(self, name: str, key: Key = LOCAL) -> Model:
        """Find what a request's `model` means: `base`, the base model's own name, or an adapter's.

        Args:
            name: as the request has it.
            key: what does not exist for it is not found.

        Raises:
            NotFoundError: there is none of that name (codes `registry.…`, `serving.other_base`).
            UsageError: it can't be a name.
        """
        if name in (BASE, self.base_name):
            if not key.may_use(BASE):
                raise NotFoundError("serving.model_unknown", name=name)
            return Model(BASE, None)
        try:
            adapter = self._choose(name, key)
        except NotFoundError:  # it may have been registered a moment ago
            self._seen = (-1e9, [])
            adapter = self._choose(name, key)
        if not self._fits(adapter):
            raise NotFoundError(
                "serving.other_base", name=adapter.label, base=adapter.base_model, served=self.base_name
            )
        return Model(adapter.label, adapter.label, self._system(adapter))

    def _choose(self, name: str, key: Key) -> Adapter:
        return choose([adapter for adapter in self._registered() if key.may_use(adapter.name)], name)

    def _registered(self) -> list[Adapter]:
        at, found = self._seen
        if time.monotonic() - at > FRESH_SECONDS:
            found = list_adapters(self.workspace)
            self._seen = (time.monotonic(), found)
        return found

    def updates(self, label: str) -> tuple[str, dict[str, LowRank]]:
        """Read an adapter for the engine: its version, and its updates by module.

        Raises:
            CorruptError: its files differ from its manifest.
            IncompatibleError: it was trained on other weights or with another template, or is more than low-rank updates.
        """
        folder = self.folder(label)
        return label.rpartition("@")[2], read_low_rank(folder)

    def folder(self, label: str) -> Path:
        """An adapter's folder, once it is known to be whole and to fit.

        Raises:
            CorruptError, IncompatibleError: as `updates`.
        """
        adapter = resolve(self.workspace, label)
        check_adapter(adapter.path, self.loaded)
        return adapter.path

    def _fits(self, adapter: Adapter) -> bool:
        return adapter.base_model == self.base_name

    def _system(self, adapter: Adapter) -> str | None:
        if adapter.label not in self._systems:
            config = read_manifest(adapter.path).config
            self._systems[adapter.label] = config.get("system") if isinstance(config, dict) else None
        return self._systems[adapter.label]


def make_engine(models: ServedModels, model: PreTrainedModel, *, batch_size: int, adapter_bytes: int) -> Engine:
    """An engine that loads the registry's adapters on their first use."""
    return Engine(model, find_adapter=models.updates, batch_size=batch_size, adapter_bytes=adapter_bytes)
