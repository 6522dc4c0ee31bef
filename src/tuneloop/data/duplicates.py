"""Which samples are the same, and which must stay on one side: decided on keys alone, never on texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tuneloop.data.keys import Hashes, KeyTable, Mask, Sides

COMMON_OPENING = 0.1
"""Share of all samples above which a first turn ("Hi") is an opening, not the question of a dialogue."""
LARGEST_CLUSTER = 0.05
"""Share of all samples above which nearly equal questions are joined no further: a template is no question."""


def find_duplicates(keys: Hashes, own: Sides) -> dict[int, int]:
    """Find samples whose whole text another one has.

    Args:
        keys: `KeyTable.whole`.
        own: the side that each sample's source puts it on; the test side's copy is the one that stays.
    Returns:
        Number of each duplicate, and the number of the sample that stays.

    >>> find_duplicates(np.array([7, 8, 7], dtype=np.uint64), np.array([2, 3, 0], dtype=np.int8))
    {0: 2}
    """
    order = np.lexsort((own, keys))
    ordered = keys[order]
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(order)]
    stays = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]
    return dict(sorted(zip(order[~begins].tolist(), stays[~begins].tolist(), strict=True)))


def group_names(table: KeyTable, near: NDArray[np.int64]) -> Hashes:
    """Name the group of each sample: samples of one group must stay on one side.

    One group are samples with the same first question, those with nearly the same, and those with the same tag. A dialogue
    contains the answers to its earlier turns, which is why the first question counts, not only the last one; a greeting
    that opens many dialogues is no question, and then the whole prompt counts.

    Args:
        table: the keys.
        near: pairs of samples that ask nearly the same.
    Returns:
        For each sample the smallest question of its group.
    """
    names, question = np.unique(_questions(table), return_inverse=True)
    tagged = np.flatnonzero(table.tag)
    _, first, tag = np.unique(table.tag[tagged], return_index=True, return_inverse=True)
    joined = np.stack([question[tagged], question[tagged][first][tag]], axis=1)
    if len(near):
        joined = np.concatenate([joined, _clusters(question[near], np.bincount(question))])
    if not len(joined):
        return names[question]
    graph = coo_array((np.ones(len(joined), dtype=bool), (joined[:, 0], joined[:, 1])), shape=(len(names),) * 2)
    _, part = connected_components(graph, directed=False)
    smallest: Hashes = np.full(part.max() + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(smallest, part, names)
    named: Hashes = smallest[part[question]]
    return named


def contradictions(table: KeyTable, kept: Mask) -> list[list[int]]:
    """Numbers of samples that have the same prompt but different answers, one list a question, in the order of the file."""
    numbers = np.flatnonzero(kept)
    order = numbers[np.lexsort((numbers, table.answer[numbers], table.prompt[numbers]))]
    prompts, answers = table.prompt[order], table.answer[order]
    begins = np.flatnonzero(np.concatenate([[True], prompts[1:] != prompts[:-1]])[: len(order)])
    differs = np.concatenate([[False], (answers[1:] != answers[:-1]) & (prompts[1:] == prompts[:-1])])[: len(order)]
    ends = np.append(begins[1:], len(order))
    several = np.add.reduceat(differs, begins) > 0 if len(order) else np.empty(0, dtype=bool)
    found = [sorted(order[begin:end].tolist()) for begin, end in zip(begins[several], ends[several], strict=True)]
    return sorted(found)


def _questions(table: KeyTable) -> Hashes:
    """The question that each sample is about."""
    _, opening, often = np.unique(table.opening, return_inverse=True, return_counts=True)
    limit = max(20.0, COMMON_OPENING * len(table))
    return np.where((often[opening] <= limit) | (table.turns == 1), table.opening, table.prompt)


def _clusters(pairs: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the pairs of questions that make no cluster too large."""
    limit = max(20.0, LARGEST_CLUSTER * sizes.sum())
    parent = {question: question for question in np.unique(pairs).tolist()}
    size = {question: int(sizes[question]) for question in parent}

    def root(question: int) -> int:
        while parent[question] != question:
            parent[question] = parent[parent[question]]
            question = parent[question]
        return question

    kept = np.zeros(len(pairs), dtype=bool)
    for place, (one, other) in enumerate(pairs.tolist()):
        first, second = root(one), root(other)
        if first == second or size[first] + size[second] > limit:
            continue
        parent[second] = first
        size[first] += size[second]
        kept[place] = True
    return pairs[kept]
