"""Texts that may follow one prompt, as a tree: what they have in common is read once.

Only tokens that something follows are read; a text's last token is judged by the logits of the one before it. So
labels of one token each cost no more than their prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Tree:
    """M tokens to read, parents before children; an edge is a token that may follow one of them or the prompt."""

    ids: tuple[int, ...]
    depths: tuple[int, ...]
    """How many tokens stand between the prompt and each, [M]."""
    sees: Tensor
    """bool [M, M]: which of the M each may look at: its ancestors and itself."""
    parents: Tensor
    """int64 [edges], ascending: 0 is the prompt's last token, 1 + m the m-th token."""
    tokens: Tensor
    """int64 [edges]: the token that follows there."""
    paths: tuple[tuple[int, ...], ...]
    """The edges of each text."""

    def scores(self, shares: Sequence[float]) -> list[list[float]]:
        """Hand the edges' log-probabilities to the texts: one for every token of every text."""
        return [[shares[edge] for edge in path] for path in self.paths]


def grow_tree(texts: Sequence[Sequence[int]]) -> Tree:
    """Make the tree of texts.

    >>> tree = grow_tree([(1, 2, 3), (1, 2, 4), (5,)])
    >>> tree.ids, tree.depths, tree.parents.tolist(), tree.tokens.tolist(), tree.paths
    ((1, 2), (0, 1), [0, 0, 1, 2, 2], [1, 5, 2, 3, 4], ((0, 2, 3), (0, 2, 4), (1,)))
    """
    beginnings = {tuple(text[:end]) for text in texts for end in range(1, len(text))}
    read = sorted(beginnings, key=lambda beginning: (len(beginning), beginning))
    place = {(): 0} | {beginning: 1 + number for number, beginning in enumerate(read)}
    edges = sorted({(place[tuple(text[:end])], text[end]) for text in texts for end in range(len(text))})
    number = {edge: index for index, edge in enumerate(edges)}
    sees = torch.eye(len(read), dtype=torch.bool)
    for row, beginning in enumerate(read):
        parent = place[beginning[:-1]] - 1
        if parent >= 0:
            sees[row] |= sees[parent]
    return Tree(
        ids=tuple(beginning[-1] for beginning in read),
        depths=tuple(len(beginning) - 1 for beginning in read),
        sees=sees,
        parents=torch.tensor([parent for parent, _ in edges], dtype=torch.int64),
        tokens=torch.tensor([token for _, token in edges], dtype=torch.int64),
        paths=tuple(tuple(number[place[tuple(text[:end])], text[end]] for end in range(len(text))) for text in texts),
    )
