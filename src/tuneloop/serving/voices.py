"""Everybody whom one conversation in the terminal can switch between: the base model and its adapters, in one engine."""

from __future__ import annotations

from tuneloop.adapters.folder import check_adapter
from tuneloop.adapters.low_rank import read_low_rank
from tuneloop.core.errors import IncompatibleError, NotFoundError
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import Sampling
from tuneloop.models.load import LoadedModel
from tuneloop.serving.answer import MAX_NEW_TOKENS, Answerer, merged_engine
from tuneloop.serving.named import BASE, Named, find
from tuneloop.serving.served import BASE as BASE_ALONE
from tuneloop.store.workspace import Workspace

MERGED_ONLY = ("adapters.not_low_rank", "adapters.not_mixed")
"""Codes that say: this adapter or this base can't share a batch; a merged copy answers."""


class Voices:
    """Finds what answers under a name, and loads it at its first use.

    Args:
        loaded: the base model.
        base_name: its name, as adapters name it.
        workspace: where adapters are registered.
        max_new_tokens: longest answer.
    """

    def __init__(
        self, loaded: LoadedModel, base_name: str, workspace: Workspace, *, max_new_tokens: int | None = None
    ) -> None:
        self._loaded = loaded
        self._base_name = base_name
        self._workspace = workspace
        self._sampling = Sampling(max_new_tokens=max_new_tokens or MAX_NEW_TOKENS)
        self._engine = Engine(loaded.model, batch_size=1)
        self._found: dict[str, Answerer] = {}

    def find(self, name: str) -> Answerer:
        """What answers under a name: `base`, `base:MODEL`, an adapter as `chat --adapter` takes it, or its folder.

        Raises:
            UsageError: it can't be a name.
            NotFoundError: there is none (codes `registry.…`), or it belongs to another base (`serving.other_base`).
            IncompatibleError, CorruptError: the adapter does not fit the base, or is damaged.
        """
        named = find(f"{BASE}{self._base_name}" if name == BASE_ALONE else name, self._workspace)
        if named.model.name_or_path != self._base_name:
            raise NotFoundError(
                "serving.other_base", name=named.name, base=named.model.name_or_path, served=self._base_name
            )
        if named.name not in self._found:
            self._found[named.name] = self._load(named)
        return self._found[named.name]

    def _load(self, named: Named) -> Answerer:
        adapter, engine = None, self._engine
        if named.folder is not None:
            check_adapter(named.folder, self._loaded)
            try:
                engine.load(named.name, read_low_rank(named.folder), version=named.name)
                adapter = named.name
            except IncompatibleError as error:
                if error.code not in MERGED_ONLY:
                    raise
                engine = merged_engine(self._loaded, named.folder, batch_size=1)
        return Answerer(
            self._loaded, engine, name=named.name, adapter=adapter, system=named.system, sampling=self._sampling
        )
