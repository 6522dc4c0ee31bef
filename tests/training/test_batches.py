from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneloop.training.batches import collate, schedule
from tuneloop.training.tokenise import Example


def example(number: int, length: int) -> Example:
    return Example(f"e{number}", tuple(range(length)), tuple(i % 2 == 1 for i in range(length)), True)


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=60),
    budget=st.integers(1, 100),
    accumulation=st.integers(1, 4),
    seed=st.integers(0, 100),
)
@settings(max_examples=60, deadline=None)
def test_every_epoch_holds_every_sample_once_within_the_budget(
    lengths: list[int], budget: int, accumulation: int, seed: int
) -> None:
    steps = schedule(lengths, max_tokens=budget, max_samples=None, accumulation=accumulation, epochs=2, seed=seed)
    for epoch in (0, 1):
        batches = [b for step in steps if step.epoch == epoch for b in step.micro_batches]
        assert sorted(i for b in batches for i in b) == list(range(len(lengths)))
        assert all(len(b) == 1 or sum(lengths[i] for i in b) <= budget for b in batches)
    assert all(1 <= len(step.micro_batches) <= accumulation for step in steps)


def test_the_schedule_follows_the_seed() -> None:
    lengths = [5 + i % 7 for i in range(50)]
    settings_ = {"max_tokens": 40, "max_samples": None, "accumulation": 2, "epochs": 1.0}
    assert schedule(lengths, seed=1, **settings_) == schedule(lengths, seed=1, **settings_)
    assert schedule(lengths, seed=1, **settings_) != schedule(lengths, seed=2, **settings_)


def test_half_an_epoch_has_half_the_steps() -> None:
    settings_ = {"max_tokens": 10, "max_samples": None, "accumulation": 1, "seed": 0}
    assert len(schedule([10] * 40, epochs=1.5, **settings_)) == 60


def test_a_packed_batch_predicts_the_next_supervised_token_of_the_same_sample() -> None:
    batch = collate([example(0, 4), example(1, 3)], torch.device("cpu"))
    assert batch.positions.tolist() == [[0, 1, 2, 3, 0, 1, 2]]
    assert batch.predictors.tolist() == [0, 2, 4]
    assert batch.targets.tolist() == [1, 3, 1]
