"""The scheduler of one model: requests wait, get a slot, read their prompt in chunks, write, and leave.

Each step is one forward over one token of every writing row and, within a budget, the next tokens of prompts. A row
that has finished leaves at once and the next request takes its place. Writing rows stand in slots 0 … B − 1 without a
gap, so that their keys and values are one slice of the cache; reading rows stand behind them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import torch
from torch import Tensor

from tuneloop.engine.claims import Claims
from tuneloop.engine.decoder import HEAD_ROWS, Decoder
from tuneloop.engine.handle import AnyHandle, Counts, Handle
from tuneloop.engine.lora import Adapter, MixedUpdates, Stack, restack
from tuneloop.engine.plan import Chunk, make_plan
from tuneloop.engine.prefix import BLOCK, PrefixCache
from tuneloop.engine.rows import Row
from tuneloop.engine.sampling import choose_tokens
from tuneloop.engine.weights import Weights

SHARED_BLOCKS = 3
"""A request waits for another one that is reading the same beginning when it saves at least so many blocks."""
CACHE_BYTES = 4 * 2**30
"""Memory for keys and values of one model."""
LOOK_AHEAD = 64
"""Waiting requests that are looked at for a free place."""


class Lane:
    """Runs requests on one decoder.

    Args:
        decoder: the model.
        batch_size: rows at one time.
        prefill_tokens: tokens of prompts that one forward reads at most.
        prefix: blocks of prompts that were read before.
        root: names this model in the keys of the prefix cache.
        cache_bytes: memory for keys and values: a request waits while the longest answers of all could need more.
        claims: gets the adapters that requests name; None: the model answers as it is, whatever they name.
        version: of the adapter that is merged into the model.
    """

    def __init__(
        self,
        decoder: Decoder,
        *,
        batch_size: int,
        prefill_tokens: int,
        prefix: PrefixCache,
        root: str,
        cache_bytes: int = CACHE_BYTES,
        claims: Claims[Adapter] | None = None,
        version: str | None = None,
    ) -> None:
        self._decoder = decoder
        self._batch_size = batch_size
        self._prefill_tokens = prefill_tokens
        self._prefix = prefix
        self._root = root
        self._cache_bytes = cache_bytes
        self._claims = claims
        self._version = version
        self._stack: Stack | None = None
        self._cache = decoder.make_cache()
        self._waiting: deque[AnyHandle] = deque()
        self._writing: list[Row] = []
        self._reading: list[Row] = []

    def submit(self, handle: AnyHandle) -> None:
        """Put a request into the queue; safe from any thread."""
        self._waiting.append(handle)

    @property
    def weights(self) -> Weights:
        """The model's."""
        return self._decoder.weights

    @property
    def busy(self) -> bool:
        """Whether `step` has anything to do."""
        return bool(self._waiting or self._writing or self._reading)

    @property
    def counts(self) -> Counts:
        """How many requests wait and run."""
        return Counts(len(self._waiting), self._running)

    def step(self) -> bool:
        """One forward. Whatever goes wrong in it ends the requests that took part, and no others.

        Returns:
            Whether there was anything to do: not when all requests wait for an adapter that is being loaded.
        """
        self._drop_cancelled()
        self._admit()
        if not self._running:
            return False
        try:
            self._forward()
        except Exception as error:  # out of memory, say: told to everybody who took part; the next step starts afresh
            for row in [*self._writing, *self._reading]:
                if not row.handle.done:
                    row.handle.fail(error)
                row.drop()
            self._writing, self._reading = [], []
        for row in [row for row in self._reading if row.handle.done]:
            self._leave_reading(row)
        for place in reversed([place for place, row in enumerate(self._writing) if row.handle.done]):
            self._leave_writing(place)
        return True

    # ---- coming and going --------------------------------------------------------------------------------------------

    def _drop_cancelled(self) -> None:
        for _ in range(len(self._waiting)):
            handle = self._waiting.popleft()
            if handle.is_cancelled:
                handle.finish("cancelled")
                if self._claims is not None:
                    self._claims.forget(handle)
            else:
                self._waiting.append(handle)
        for row in [row for row in self._reading if row.handle.is_cancelled]:
            row.handle.finish("cancelled")
            self._leave_reading(row)
        for place in reversed([place for place, row in enumerate(self._writing) if row.handle.is_cancelled]):
            self._writing[place].handle.finish("cancelled")
            self._leave_writing(place)

    @property
    def _running(self) -> int:
        return len(self._writing) + len(self._reading)

    def _admit(self) -> None:
        """Give free places to waiting requests, in their order but for those whose adapter is not there yet."""
        if self._running >= self._batch_size:
            return
        promised = {key for row in self._reading for key in row.keys[row.kept :]}
        for handle in list(islice(self._waiting, LOOK_AHEAD)):
            row = self._make_row(handle)
            if handle.done:
                self._waiting.remove(handle)
            if row is None:
                if self._claims is not None and self._claims.must_yield(handle, self._waiting):
                    return
                continue
            # The last token of a prompt is always read: its logits are wanted.
            usable = row.keys[: (len(row.prompt) - 1) // BLOCK]
            pending = any(key in promised for key in usable)
            if pending and sum(key in promised or key in self._prefix for key in usable) >= SHARED_BLOCKS:
                continue
            if not self._has_room(row):
                return
            self._waiting.remove(handle)
            try:
                self._enter(row, usable)
            except Exception as error:  # no memory for its cells: the others go on
                handle.fail(error)
                if self._claims is not None:
                    self._claims.forget(handle)
                continue
            promised.update(row.keys[row.kept :])
            if self._running >= self._batch_size:
                return

    def _make_row(self, handle: AnyHandle) -> Row | None:
        """The request's row, once its adapter is there."""
        adapter: Adapter | None = None
        root = self._root
        if self._claims is not None and handle.request.adapter is not None:
            adapter = self._claims.adapter_for(handle, anything_runs=self._running > 0)
            if adapter is None:
                return None
            root = f"{root}/{adapter.name}@{adapter.version}"
        return Row(handle, self._running, root if self._prefix.is_on else "", adapter)

    def _has_room(self, row: Row) -> bool:
        """Whether the cache could hold all rows up to their ends; one row alone may always try."""
        longest = max([row.most_cells, *(other.most_cells for other in (*self._writing, *self._reading))])
        return not self._running or self._cache.bytes_for(self._running + 1, longest) <= self._cache_bytes

    def _enter(self, row: Row, usable: Sequence[bytes]) -> None:
        self._cache.reserve(row.slot + 1, len(row.ids))
        for block in self._prefix.find(usable):
            self._cache.write(row.slot, row.read, block)
            row.read += BLOCK
            row.kept += 1
        if self._claims is not None and row.adapter is not None:
            row.drop = self._claims.hand_over(row.handle)
        row.handle.start(row.adapter.version if row.adapter is not None else self._version)
        self._reading.append(row)

    def _leave_reading(self, row: Row) -> None:
        self._reading.remove(row)
        row.drop()
        self._close_gap(row.slot)

    def _leave_writing(self, place: int) -> None:
        self._writing[place].add_answer_keys()
        self._keep_blocks(self._writing[place])
        self._writing[place].drop()
        last = self._writing.pop()
        if place < len(self._writing):
            self._cache.move(last.slot, place, last.read)
            self._writing[place] = last
            last.slot = place
        self._close_gap(len(self._writing))

    def _close_gap(self, slot: int) -> None:
        """Let the reading row in the last slot move into a free one before it."""
        last = max(self._reading, key=lambda row: row.slot, default=None)
        if last is not None and last.slot > slot:
            self._cache.move(last.slot, slot, last.read)
            last.slot = slot

    def _start_writing(self, row: Row) -> None:
        """Move a row that has read its prompt behind the writing ones."""
        self._reading.remove(row)
        target = len(self._writing)
        if row.slot != target:
            other = next(other for other in self._reading if other.slot == target)
            kept = self._cache.read(target, 0, other.read)
            self._cache.move(row.slot, target, row.read)
            self._cache.write(row.slot, 0, kept)
            row.slot, other.slot = target, row.slot
        self._writing.append(row)

    # ---- one forward -------------------------------------------------------------------------------------------------

    def _forward(self) -> None:
        chunks = list(self._chunks())
        self._cache.reserve(1, max((row.read + 1 for row in self._writing), default=0))
        weights = self._decoder.weights
        plan = make_plan(
            [(row.last, row.read) for row in self._writing],
            [chunk for _, chunk in chunks],
            cells=self._cache.cells,
            windows=self._decoder.windows,
            dtype=weights.dtype,
            device=weights.device,
        )
        hidden = self._decoder.forward(plan, self._cache, self._updates(chunks))  # [wanted, E]
        owners = [*self._writing, *(row for row, chunk in chunks for _ in chunk.wanted)]
        for row in self._writing:
            row.read += 1
        for row, chunk in chunks:
            row.read += len(chunk.ids)
            self._keep_blocks(row)
        for start in range(0, len(owners), HEAD_ROWS):
            self._use(self._decoder.logits(hidden[start : start + HEAD_ROWS]), owners[start : start + HEAD_ROWS])
        for row, _ in chunks:
            if not row.is_reading and not row.handle.done:
                self._start_writing(row)

    def _chunks(self) -> Iterator[tuple[Row, Chunk]]:
        budget = self._prefill_tokens
        for row in self._reading:
            if budget == 0:
                return
            chunk = row.chunk(budget)
            budget -= len(chunk.ids)
            yield row, chunk

    def _updates(self, chunks: Sequence[tuple[Row, Chunk]]) -> MixedUpdates | None:
        """What the rows' adapters add in this forward; None when nobody has one."""
        writing = [row.adapter for row in self._writing]
        pieces, first = [], len(writing)
        for row, chunk in chunks:
            if row.adapter is not None:
                pieces.append((first, first + len(chunk.ids), row.adapter))
            first += len(chunk.ids)
        needed = [adapter for adapter in dict.fromkeys(writing) if adapter is not None]
        if not needed and not pieces:
            return None
        if needed:
            self._stack = restack(self._stack, needed)
        return MixedUpdates(self._stack if needed else None, writing, pieces, self._decoder.weights)

    def _keep_blocks(self, row: Row) -> None:
        while row.kept < len(row.keys) and (row.kept + 1) * BLOCK <= row.read:
            key, start = row.keys[row.kept], row.kept * BLOCK
            if key not in self._prefix:
                self._prefix.keep(key, self._cache.read(row.slot, start, start + BLOCK))
            row.kept += 1

    def _use(self, logits: Tensor, owners: Sequence[Row]) -> None:
        """Give logits [n, vocabulary] to the rows that want them, one or more for each."""
        writing = [place for place, row in enumerate(owners) if row.tree is None]
        if writing:
            choose_for([owners[place] for place in writing], logits if len(writing) == len(owners) else logits[writing])
        for row in dict.fromkeys(row for row in owners if row.tree is not None):
            row.judge(logits[[place for place, owner in enumerate(owners) if owner is row]])


@torch.inference_mode()
def choose_for(rows: Sequence[Row], logits: Tensor) -> None:
    """Choose the next token of rows by their logits [rows, vocabulary]."""
    handles = [row.handle for row in rows]
    choosers = [row.chooser for row in rows]
    chosen = choose_tokens(logits, [c for c in choosers if c], [h.ids for h in handles if isinstance(h, Handle)])
    for place, (handle, chooser, token) in enumerate(zip(handles, choosers, chosen, strict=True)):
        assert chooser is not None
        assert isinstance(handle, Handle)
        if isinstance(token, Exception):
            handle.fail(token)
        else:
            handle.accept(token, chooser.report(logits[place].float(), token) if chooser.reports else None)
