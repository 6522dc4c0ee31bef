"""Merged models as OpenVINO graphs: token ids in, token ids out, like `engine.py`, each adapter with a graph of its own.

A graph keeps its keys and values itself, as one rectangle: rows begin together and leave one by one. Who comes later gets
a batch of their own beside it, up to a few; their steps take turns.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from tuneloop.core.errors import NotFoundError
from tuneloop.engine.claims import Claims
from tuneloop.engine.handle import Counts, Handle
from tuneloop.engine.lane import choose_for
from tuneloop.engine.library import left_pad
from tuneloop.engine.pool import AdapterPool
from tuneloop.engine.request import Request, check_prompt
from tuneloop.engine.rows import Row
from tuneloop.models.openvino_graph import INPUTS

if TYPE_CHECKING:
    import openvino

BATCHES = 4
"""Batches of one model at a time; who comes then waits, and begins together with the others who wait."""
PAUSE = 0.02
"""Seconds that a step waits for a model when there is nothing else to do."""
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Graph:
    """One merged model, ready to run; it never changes."""

    name: str
    """The adapter's; empty for the base model."""
    version: str | None
    compiled: openvino.CompiledModel
    """Gives the logits of each row's last token alone."""
    bytes: int


class CompiledEngine:
    """Generates with graphs.

    Args:
        base: what answers without an adapter.
        vocabulary: rows of its embedding.
        context: tokens that prompt and answer may have together.
        make: merges, converts and compiles an adapter on its first use, in a thread of its own; None: there are none.
        batch_size: rows that are generated at one time.
        max_bytes: memory for the adapters' graphs.
    """

    def __init__(
        self,
        base: Graph,
        *,
        vocabulary: int,
        context: int,
        make: Callable[[str], Graph] | None,
        batch_size: int,
        max_bytes: int,
    ) -> None:
        self._base = base
        self._vocabulary = vocabulary
        self.context = context
        """Tokens that prompt and answer may have together."""
        self._make = make
        self._batch_size = batch_size
        self._pool: AdapterPool[Graph] = AdapterPool(make, max_bytes=max_bytes)
        self._claims = Claims(self._pool)
        self._waiting: list[Handle] = []
        self._batches: list[_Batch] = []
        self._queueing = threading.Lock()

    def submit(self, request: Request) -> Handle:
        """Put a request into the queue; safe from any thread.

        Raises:
            UsageError: the prompt is empty or fills the model's context (codes `models.prompt_…`).
            NotFoundError: there are no adapters (code `models.adapter_not_loaded`).
        """
        if request.adapter is not None and not self._pool.knows(request.adapter):
            raise NotFoundError("models.adapter_not_loaded", name=request.adapter, known="—")
        check_prompt(request.ids, vocabulary=self._vocabulary, context=self.context)
        handle = Handle(request, self.context)
        if not handle.done:
            with self._queueing:
                self._waiting.append(handle)
        return handle

    @property
    def counts(self) -> Counts:
        """How many requests wait and run."""
        return Counts(len(self._waiting), sum(len(batch.rows) for batch in self._batches))

    @property
    def resident(self) -> Sequence[str]:
        """Adapters whose graphs are in memory, the one that was not used for longest first."""
        return self._pool.names

    def fetch(self, name: str, *, pinned: bool = False) -> None:
        """Make an adapter's graph before its first use; one that is in memory is only pinned, or no longer.

        Raises:
            NotFoundError: there are no adapters (code `models.adapter_not_loaded`).
            TuneloopError: what making it raises.
        """
        if not self._pool.pin(name, pinned=pinned):
            if self._make is None:
                raise NotFoundError("models.adapter_not_loaded", name=name, known="—")
            self._pool.add(self._make(name), pinned=pinned)

    def unload(self, name: str) -> bool:
        """Forget an adapter's graph; False when it was not there. Requests under way finish with it."""
        return self._pool.remove(name)

    def step(self) -> bool:
        """One more token for everybody; False when there was nothing to do.

        What goes wrong in a forward ends the requests that took part; their handles raise it.
        """
        for handle in (*self._waiting, *(row.handle for batch in self._batches for row in batch.rows)):
            if handle.is_cancelled and not handle.done:
                handle.finish("cancelled")
        self._begin()
        for batch in self._batches:
            batch.step()
        self._batches = [batch for batch in self._batches if batch.rows]
        if not self._batches and self._waiting:
            self._pool.wait(PAUSE)
        return bool(self._batches or self._waiting)

    def _begin(self) -> None:
        """Let those who wait begin, as far as there is room: one batch for each model."""
        room = self._batch_size - self.counts.running
        starting: dict[str, tuple[Graph, list[Handle]]] = {}
        for handle in list(self._waiting):
            if room > 0 and not handle.done and (graph := self._graph_for(handle)) is not None:
                starting.setdefault(graph.name, (graph, []))[1].append(handle)
                room -= 1
            elif not handle.done:
                continue
            with self._queueing:
                self._waiting.remove(handle)
            if handle.done:
                self._claims.forget(handle)
        for graph, handles in starting.values():
            drops = [self._claims.hand_over(handle) if graph.name else _nothing for handle in handles]
            self._batches.append(_Batch(graph, handles, drops))

    def _graph_for(self, handle: Handle) -> Graph | None:
        """The model that a request may begin with now."""
        name = handle.request.adapter or ""
        if sum(batch.graph.name == name for batch in self._batches) >= BATCHES:
            return None
        return self._claims.adapter_for(handle, anything_runs=bool(self._batches)) if name else self._base


class _Batch:
    """Rows of one model that have begun together."""

    def __init__(self, graph: Graph, handles: Sequence[Handle], drops: Sequence[Callable[[], None]]) -> None:
        self.graph = graph
        self.rows: list[Row] = []
        self._request = graph.compiled.create_infer_request()
        self._mask = np.zeros((0, 0), dtype=np.int64)  # [rows, cells]: 1 where a token is
        for slot, (handle, drop) in enumerate(zip(handles, drops, strict=True)):
            handle.start(graph.version)
            self.rows.append(Row(handle, slot))
            self.rows[-1].drop = drop

    def step(self) -> None:
        """One forward for the rows that go on."""
        before = self.rows
        self._leave()
        if not self.rows:
            return
        try:
            logits = self._read() if self._mask.size else self._read_prompts()
            choose_for(self.rows, torch.from_numpy(logits))
        except Exception as error:  # told to everybody who took part
            for row in before:
                if not row.handle.done:
                    row.handle.fail(error)
        self._leave()

    def _leave(self) -> None:
        """Let go of rows that are finished; their keys and values go with the next forward."""
        for row in self.rows:
            if row.handle.done:
                row.drop()
        self.rows = [row for row in self.rows if not row.handle.done]

    def _read_prompts(self) -> np.ndarray:
        ids, mask = left_pad([row.prompt for row in self.rows], CPU)
        self._mask = mask.numpy()
        places = (mask.cumsum(1) - 1).clamp_min(0).numpy()
        return self._forward(ids.numpy(), places, np.arange(len(self.rows), dtype=np.int32))

    def _read(self) -> np.ndarray:
        going = np.array([row.slot for row in self.rows], dtype=np.int32)
        one = np.ones((len(going), 1), dtype=np.int64)
        self._mask = np.concatenate([self._mask[going], one], axis=1)
        tokens = np.array([[row.last] for row in self.rows], dtype=np.int64)
        return self._forward(tokens, self._mask.sum(1, keepdims=True) - 1, going)

    def _forward(self, ids: np.ndarray, places: np.ndarray, going: np.ndarray) -> np.ndarray:
        """Logits of each row's last token, [rows, vocabulary]; afterwards a row's slot is its place among the rows."""
        out = self._request.infer(dict(zip(INPUTS, (ids, self._mask, places, going), strict=True)))
        for slot, row in enumerate(self.rows):
            row.slot = slot
        logits: np.ndarray = out["logits"][:, -1].copy()
        return logits


def _nothing() -> None:
    """The base model is not leased."""
