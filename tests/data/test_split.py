"""Division: by groups, the same every time, and no group on two sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.records import SPLITS, Split
from tuneloop.data.config import SplitConfig
from tuneloop.data.keys import SIDES, hash64
from tuneloop.data.split import divide as divide_names

SAMPLES = st.lists(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(SIDES)), min_size=1, max_size=30)
SHARES = st.sampled_from([0.0, 0.1, 0.3])


class Divided(NamedTuple):
    sides: tuple[Split | None, ...]
    validation_taken: bool


def divide(
    groups: Sequence[str],
    own: Sequence[Split | None],
    config: SplitConfig,
    seed: int,
    labels: Sequence[int] | None = None,
) -> Divided:
    """Divide groups that are named by texts."""
    division = divide_names(
        np.array([hash64(group) for group in groups], dtype=np.uint64),
        np.array([SIDES.index(side) for side in own], dtype=np.int8),
        np.array(labels or [0] * len(groups), dtype=np.int32),
        config,
        seed,
    )
    return Divided(tuple(SIDES[side] for side in division.sides.tolist()), division.validation_taken)


def _count(sides: tuple[Split | None, ...]) -> dict[Split | None, int]:
    return {side: sides.count(side) for side in (*SPLITS, None)}


@given(SAMPLES, SHARES, SHARES, st.integers(0, 5))
def test_no_group_stands_on_two_sides(
    samples: list[tuple[str, Split | None]], validation: float, test: float, seed: int
) -> None:
    groups, own = [group for group, _ in samples], [side for _, side in samples]
    sides = divide(groups, own, SplitConfig(validation=validation, test=test), seed).sides
    found: defaultdict[str, set[Split]] = defaultdict(set)
    for group, side in zip(groups, sides, strict=True):
        if side is not None:
            found[group].add(side)
    assert all(len(places) == 1 for places in found.values())
    assert found.keys() == set(groups)


@given(SAMPLES, st.integers(0, 5))
def test_what_a_source_puts_on_the_test_side_stays_there(samples: list[tuple[str, Split | None]], seed: int) -> None:
    groups, own = [group for group, _ in samples], [side for _, side in samples]
    sides = divide(groups, own, SplitConfig(), seed).sides
    for wanted, side in zip(own, sides, strict=True):
        if wanted == "test":
            assert side == "test"
        if wanted == "validation":
            assert side in ("validation", None)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=20), st.integers(0, 5), st.randoms())
def test_the_order_of_the_rows_does_not_matter(groups: list[str], seed: int, random_: object) -> None:
    own: list[Split | None] = [None] * len(groups)
    placed = dict(zip(groups, divide(groups, own, SplitConfig(), seed).sides, strict=True))
    turned = groups[::-1]
    assert dict(zip(turned, divide(turned, own, SplitConfig(), seed).sides, strict=True)) == placed


def test_shares_are_those_of_the_questions() -> None:
    sides = divide([f"q{n}" for n in range(1000)], [None] * 1000, SplitConfig(validation=0.1, test=0.2), 42).sides
    assert _count(sides) == {"train": 700, "validation": 100, "test": 200, None: 0}


def test_another_seed_divides_otherwise() -> None:
    groups = [f"q{n}" for n in range(100)]
    one, other = (divide(groups, [None] * 100, SplitConfig(), seed).sides for seed in (1, 2))
    assert one != other


def test_a_test_question_stays_one_when_rows_are_added() -> None:
    groups = [f"q{n}" for n in range(100)]
    few = dict(zip(groups, divide(groups, [None] * 100, SplitConfig(), 42).sides, strict=True))
    more = [*groups, *(f"new{n}" for n in range(50))]
    many = dict(zip(more, divide(more, [None] * 150, SplitConfig(), 42).sides, strict=True))
    assert all(many[group] != "train" for group, side in few.items() if side == "test")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (12, (10, 1, 1))],
)
def test_very_small_data_is_divided_as_far_as_it_goes(groups: int, expected: tuple[int, int, int]) -> None:
    sides = divide([f"q{n}" for n in range(groups)], [None] * groups, SplitConfig(), 42).sides
    assert tuple(sides.count(split) for split in SPLITS) == expected


def test_a_side_that_is_not_wanted_stays_empty() -> None:
    sides = divide([f"q{n}" for n in range(9)], [None] * 9, SplitConfig(validation=0.0, test=0.0), 42).sides
    assert sides.count("train") == 9


def test_a_question_of_the_test_side_leaves_training() -> None:
    division = divide(
        ["a", "b", "c", "a", "b"], ["train", "train", "train", "test", None], SplitConfig(validation=0.0), 42
    )
    assert division.sides == (None, "train", "train", "test", "train")


def test_validation_is_taken_from_training_where_sources_name_none() -> None:
    groups = [*(f"q{n}" for n in range(20)), "t"]
    own: list[Split | None] = [*["train"] * 20, "test"]  # type: ignore[list-item]
    division = divide(groups, own, SplitConfig(), 42)
    assert division.validation_taken
    assert _count(division.sides) == {"train": 18, "validation": 2, "test": 1, None: 0}
    assert not divide(groups, own, SplitConfig(validation=0.0), 42).validation_taken


def test_the_only_training_question_is_not_taken() -> None:
    assert divide(["a", "t"], ["train", "test"], SplitConfig(), 42).sides == ("train", "test")


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(0, 3))
def test_every_label_gives_its_share(sizes: list[int], seed: int) -> None:
    labels = [label for label, size in enumerate(sizes, start=1) for _ in range(size)]
    groups = [f"q{n}" for n in range(len(labels))]
    sides = divide(groups, [None] * len(groups), SplitConfig(validation=0.1, test=0.2), seed, labels).sides
    plain = divide(groups, [None] * len(groups), SplitConfig(validation=0.1, test=0.2), seed).sides
    assert _count(sides) == _count(plain)
    for label, size in enumerate(sizes, start=1):
        tested = sum(side == "test" for side, own in zip(sides, labels, strict=True) if own == label)
        assert abs(tested - size * sides.count("test") / len(sides)) < 1.0 + 1e-9


def test_a_rare_label_stays_in_training_where_it_can() -> None:
    labels = [1] * 97 + [2, 3, 4]
    groups = [f"q{n}" for n in range(100)]
    sides = divide(groups, [None] * 100, SplitConfig(), 42, labels).sides
    assert sides[97:] == ("train", "train", "train")
