"""Choosing the next token."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.engine.request import Request, Sampling
from tuneloop.engine.sampling import Chooser, choose_tokens, greedy


@given(st.integers(1, 4), st.sampled_from([5, 512, 1536]), st.integers(0, 5))
def test_greedy_takes_the_first_of_the_largest(rows, size, seed):
    logits = torch.randint(0, 4, (rows, size), generator=torch.Generator().manual_seed(seed)).float()
    assert torch.equal(greedy(logits), logits.argmax(-1))


def test_a_low_temperature_is_nearly_greedy_and_a_high_one_is_not():
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    cold = [Chooser(Request((1,), sampling=Sampling(temperature=0.01, seed=seed))) for seed in range(20)]
    hot = [Chooser(Request((1,), sampling=Sampling(temperature=100.0, seed=seed))) for seed in range(20)]
    assert {choose_tokens(logits, [chooser], [()])[0] for chooser in cold} == {2}
    assert {choose_tokens(logits, [chooser], [()])[0] for chooser in hot} == {0, 1, 2}


def test_top_p_leaves_the_smallest_set_that_reaches_it():
    shares = torch.tensor([0.1, 0.5, 0.15, 0.25])
    seen = {
        Chooser(Request((1,), sampling=Sampling(temperature=1.0, top_p=0.7, seed=seed))).choose(shares.log(), ())
        for seed in range(60)
    }
    assert seen == {1, 3}


def test_tokens_are_drawn_with_their_probability():
    shares = torch.tensor([0.2, 0.8])
    chooser = Chooser(Request((1,), sampling=Sampling(temperature=1.0, seed=3)))
    drawn = [chooser.choose(shares.log(), ()) for _ in range(2000)]
    assert sum(drawn) / len(drawn) == pytest.approx(0.8, abs=0.03)


def test_a_constraint_and_a_temperature_work_together():
    request = Request((1,), sampling=Sampling(temperature=5.0), constraint=lambda before: (2, 0))
    chooser = Chooser(request)
    assert {chooser.choose(torch.tensor([0.0, 50.0, 0.5]), ()) for _ in range(40)} == {0, 2}
