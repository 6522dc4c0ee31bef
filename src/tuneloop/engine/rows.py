"""One request in a batch: what it has read, what it reads next, and what it does with logits."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tuneloop.engine.handle import Handle, ScoreHandle
from tuneloop.engine.lora import Adapter
from tuneloop.engine.plan import Chunk
from tuneloop.engine.prefix import block_keys
from tuneloop.engine.sampling import Chooser
from tuneloop.engine.tree import Tree, grow_tree


class Row:
    """A request that has a slot in the cache.

    Args:
        handle: whose request it is.
        slot: where its keys and values go.
        root: model, adapter and version, for the keys of its blocks; empty: it has none.
        adapter: what the base model's products are changed by.
    """

    def __init__(self, handle: Handle | ScoreHandle, slot: int, root: str = "", adapter: Adapter | None = None) -> None:
        self.handle = handle
        self.slot = slot
        self.adapter = adapter
        self.prompt = handle.request.ids
        self.read = 0
        """Cells that are filled."""
        self.kept = 0
        """Blocks of the prompt that the prefix cache has seen."""
        self._root = root
        self.keys = block_keys(root, self.prompt) if root else []
        self.chooser = Chooser(handle.request) if isinstance(handle, Handle) else None
        self.tree: Tree | None = grow_tree(handle.request.continuations) if isinstance(handle, ScoreHandle) else None
        self.ids = self.prompt if self.tree is None else (*self.prompt, *self.tree.ids)
        self._judged: list[Tensor] = []
        self._judged_tokens = 0
        self.drop: Callable[[], None] = lambda: None
        """Lets go of what the row holds beside its slot."""

    @property
    def most_cells(self) -> int:
        """Cells that it needs at most."""
        return len(self.ids) + (self.handle.most if isinstance(self.handle, Handle) else 0)

    @property
    def is_reading(self) -> bool:
        """Whether tokens that were asked have still to be read."""
        return self.read < len(self.ids)

    @property
    def last(self) -> int:
        """The token that a writing row reads next."""
        assert isinstance(self.handle, Handle)
        return self.handle.ids[-1]

    def add_answer_keys(self) -> None:
        """Name the blocks of prompt and answer: the next turn of a conversation begins with both."""
        if self._root and isinstance(self.handle, Handle):
            self.keys = block_keys(self._root, (*self.prompt, *self.handle.ids)[: self.read])

    def chunk(self, most: int) -> Chunk:
        """The next tokens to read, `most` at most."""
        start, stop = self.read, min(self.read + most, len(self.ids))
        first = len(self.prompt) - 1  # whose logits are the first that anybody wants
        if self.tree is None:
            wanted = [len(self.ids) - 1 - start] if stop == len(self.ids) else []
            return Chunk(self.slot, start, self.ids[start:stop], range(start, stop), wanted=wanted)
        depths = [len(self.prompt) + depth for depth in self.tree.depths]
        places = [*range(len(self.prompt)), *depths][:stop]
        sees = self._sees(start, stop) if stop > len(self.prompt) else None
        wanted = [place - start for place in range(max(first, start), stop)]
        return Chunk(self.slot, start, self.ids[start:stop], places[start:], sees, places, wanted)

    def judge(self, logits: Tensor) -> None:
        """Take the logits of a scoring row's next wanted tokens, [n, vocabulary]; the last ones finish it."""
        assert self.tree is not None
        assert isinstance(self.handle, ScoreHandle)
        shares = logits.float().log_softmax(-1)
        bounds = torch.tensor([self._judged_tokens, self._judged_tokens + len(shares)])
        first, last = torch.searchsorted(self.tree.parents, bounds).tolist()
        parents = (self.tree.parents[first:last] - self._judged_tokens).to(shares.device)
        self._judged.append(shares[parents, self.tree.tokens[first:last].to(shares.device)])
        self._judged_tokens += len(shares)
        if self._judged_tokens == 1 + len(self.tree.ids):
            self.handle.scores = self.tree.scores(torch.cat(self._judged).tolist())

    def _sees(self, start: int, stop: int) -> Tensor:
        """bool [stop − start, stop]: prompt tokens see what is before them, tree tokens the prompt and their ancestors."""
        assert self.tree is not None
        length = len(self.prompt)
        sees = torch.ones(stop, stop, dtype=torch.bool).tril()
        sees[length:, length:] = self.tree.sees[: stop - length, : stop - length]
        return sees[start:]
