"""Which side each sample stands on. Works on names of groups alone, never on texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneloop.core.seeds import derive_seed
from tuneloop.data.config import SplitConfig
from tuneloop.data.keys import NOWHERE, TEST, TRAIN, VALIDATION, Hashes, Sides

Groups = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Division:
    """The side of every sample."""

    sides: Sides
    """Side of each sample (see `keys.SIDES`); nowhere: removed, because its question stands on the test or the validation
    side."""
    validation_taken: bool
    """The sources name training and test rows but none for validation, so that some training rows were taken."""


def divide(names: Hashes, own: Sides, strata: NDArray[np.int32], config: SplitConfig, seed: int) -> Division:
    """Divide samples by groups, the same way every time.

    A side that the source names is kept. A group that stands on several sides stays on the test side, else on the
    validation side, and its other samples are removed. The rest is divided in an order that depends on the seed and on
    the group's own name alone, so that a question stays on its side when rows are added, and so that every stratum gives
    its share.

    Args:
        names: name of each sample's group.
        own: the side that the sample's source puts it on, or nowhere.
        strata: number of each sample's label; a group counts for its smallest one.
        config: shares of the groups that go to validation and test.
        seed: seed of the recipe.
    """
    groups, member = np.unique(names, return_inverse=True)
    held = np.full(len(groups), NOWHERE, dtype=np.int8)
    np.minimum.at(held, member, own)
    stratum = np.full(len(groups), np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(stratum, member, strata)
    order = np.argsort(_ranks(groups, seed), kind="stable")

    free = order[held[order] == NOWHERE]
    to_test, to_validation = _counts(len(free), config, keep_training=not (held == TRAIN).any())
    placed = np.where(held == NOWHERE, TRAIN, held).astype(np.int8)
    test = pick(free, stratum, to_test)
    placed[test] = TEST
    placed[pick(free[~np.isin(free, test)], stratum, to_validation)] = VALIDATION
    taken = False
    if config.validation > 0 and not (held == VALIDATION).any() and not to_validation:
        training = order[held[order] == TRAIN]
        taking = min(max(1, round(config.validation * len(training))), len(training) - 1)
        taken = taking > 0
        placed[pick(training, stratum, taking)] = VALIDATION

    sides = placed[member]
    bound = np.isin(held[member], (TEST, VALIDATION))
    sides[bound & (own != held[member])] = NOWHERE
    return Division(sides, taken)


def pick(groups: Groups, stratum: NDArray[np.int32], count: int) -> Groups:
    """Pick groups so that every stratum gives its share, and the last group of a stratum only when nothing else is left.

    Args:
        groups: numbers of the groups to choose from, in the order in which they are to be preferred.
        stratum: stratum of every group.
        count: how many.
    """
    if count <= 0 or not len(groups):
        return groups[:0]
    _, first, where, sizes = np.unique(stratum[groups], return_index=True, return_inverse=True, return_counts=True)
    wanted = count * sizes / len(groups)
    given = np.floor(wanted).astype(np.int64)
    # What rounding left over goes to the strata that lost most by it; those in preferred order where they lost the same.
    for place in np.lexsort((first, given - wanted, given + 1 >= sizes))[: count - given.sum()]:
        given[place] += 1
    by_stratum = np.argsort(where, kind="stable")
    within = np.empty(len(groups), dtype=np.int64)
    within[by_stratum] = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return groups[within < given[where]]


def _ranks(groups: Hashes, seed: int) -> Hashes:
    """A number for every group that looks random (the finaliser of SplitMix64)."""
    mixed = groups ^ np.uint64(derive_seed(seed, "split"))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _counts(groups: int, config: SplitConfig, *, keep_training: bool) -> tuple[int, int]:
    """How many of the undivided groups go to test and to validation.

    Every wanted side gets at least one group, the test side first; training keeps one if it has none elsewhere.
    """
    spare = groups - 1 if keep_training else groups
    test = min(max(1, round(config.test * groups)) if config.test > 0 else 0, max(spare, 0))
    validation = max(1, round(config.validation * groups)) if config.validation > 0 else 0
    return test, min(validation, max(spare - test, 0))
