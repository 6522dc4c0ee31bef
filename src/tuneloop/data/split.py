"""Which side each sample stands on. Works on names of groups alone, never on texts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from tuneloop.core.records import Split
from tuneloop.core.seeds import derive_seed
from tuneloop.data.config import SplitConfig
from tuneloop.data.duplicates import PRIORITY


@dataclass(frozen=True, slots=True)
class Division:
    """The side of every sample."""

    sides: tuple[Split | None, ...]
    """Side of each sample; None: removed, because its question stands on the test or the validation side."""
    validation_taken: bool
    """The sources name training and test rows but none for validation, so that some training rows were taken."""


def divide(groups: Sequence[str], own: Sequence[Split | None], config: SplitConfig, seed: int) -> Division:
    """Divide samples by groups, the same way every time.

    A side that the source names is kept. A group that stands on several sides stays on the test side, else on the
    validation side, and its other samples are removed. The rest is divided in an order that depends on the seed and on
    the group's own name alone, so that a question stays on its side when rows are added.

    Args:
        groups: name of each sample's group.
        own: the side that the sample's source puts it on, or None.
        config: shares of the groups that go to validation and test.
        seed: seed of the recipe.
    """
    held: dict[str, Split] = {}
    for group, side in zip(groups, own, strict=True):
        if side is not None and PRIORITY[side] < PRIORITY[held.get(group)]:
            held[group] = side
    free = sorted(set(groups) - held.keys(), key=lambda group: _rank(group, seed))
    to_test, to_validation = _counts(len(free), config, keep_training="train" not in held.values())
    placed: dict[str, Split] = {}
    for position, group in enumerate(free):
        validation = position < to_test + to_validation
        placed[group] = "test" if position < to_test else "validation" if validation else "train"
    taken = False
    if config.validation > 0 and "validation" not in held.values() and not to_validation:
        training = sorted((group for group, side in held.items() if side == "train"), key=lambda g: _rank(g, seed))
        taking = training[: min(max(1, round(config.validation * len(training))), len(training) - 1)]
        taken = len(taking) > 0
        for group in taking:
            placed[group] = "validation"
    sides = [_side(group, side, held, placed) for group, side in zip(groups, own, strict=True)]
    return Division(tuple(sides), taken)


def _rank(group: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{derive_seed(seed, 'split')}/{group}".encode(), digest_size=16).digest()


def _counts(groups: int, config: SplitConfig, *, keep_training: bool) -> tuple[int, int]:
    """How many of the undivided groups go to test and to validation.

    Every wanted side gets at least one group, the test side first; training keeps one if it has none elsewhere.
    """
    spare = groups - 1 if keep_training else groups
    test = min(max(1, round(config.test * groups)) if config.test > 0 else 0, max(spare, 0))
    validation = max(1, round(config.validation * groups)) if config.validation > 0 else 0
    return test, min(validation, max(spare - test, 0))


def _side(group: str, own: Split | None, held: dict[str, Split], placed: dict[str, Split]) -> Split | None:
    if group not in held:
        return placed[group]
    if held[group] == "train":
        return placed.get(group, "train")
    return own if own == held[group] else None
