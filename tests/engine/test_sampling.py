"""Choosing the next token."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.engine.request import Request, Sampling
from tuneloop.engine.sampling import Chooser, choose_tokens, greedy, penalise


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


def sampled(logits: torch.Tensor, before: tuple[int, ...] = (), prompt: tuple[int, ...] = (0,), **settings) -> int:
    chooser = Chooser(Request(prompt, sampling=Sampling(**settings)))
    return chooser.choose(logits.clone(), before)


def test_top_k_leaves_the_most_likely_tokens():
    logits = torch.tensor([0.0, 1.0, 0.9, -1.0, 0.95])
    assert {sampled(logits, temperature=5.0, top_k=2, seed=seed) for seed in range(60)} == {1, 4}
    assert {sampled(logits, temperature=5.0, top_k=3, top_p=0.6, seed=seed) for seed in range(60)} == {1, 4}


def test_penalties_are_those_of_the_library_and_of_openai():
    from transformers import RepetitionPenaltyLogitsProcessor

    logits = torch.randn(1, 20, generator=torch.Generator().manual_seed(0))
    request = Request((3, 4), sampling=Sampling(repetition_penalty=1.7))
    expected = RepetitionPenaltyLogitsProcessor(1.7)(torch.tensor([[3, 4, 7, 7]]), logits.clone())[0]
    torch.testing.assert_close(penalise(logits[0], request, (7, 7)), expected)
    request = Request((3,), sampling=Sampling(presence_penalty=0.5, frequency_penalty=0.25))
    change = penalise(logits[0], request, (7, 7, 9)) - logits[0]
    assert change[7] == pytest.approx(-1.0)
    assert change[9] == pytest.approx(-0.75)
    assert change[3] == 0.0


def test_a_penalised_greedy_answer_takes_the_next_best():
    assert sampled(torch.tensor([1.0, 2.0, 1.9]), before=(1,), presence_penalty=0.5) == 2


def test_a_row_whose_constraint_fails_does_not_touch_the_others():
    def broken(before: tuple[int, ...]) -> tuple[int, ...]:
        raise ValueError("broken")

    choosers = [Chooser(Request((1,))), Chooser(Request((1,), constraint=broken))]
    first, second = choose_tokens(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), choosers, [(), ()])
    assert first == 1
    assert isinstance(second, ValueError)


def test_log_probabilities_are_those_of_the_model(llama):
    from tuneloop.engine.engine import Engine

    request = Request((4, 5, 6), sampling=Sampling(max_new_tokens=5, logprobs=3, temperature=1.2, seed=3))
    (completion,) = Engine(llama).generate([request])
    logits = llama(input_ids=torch.tensor([[*request.ids, *completion.ids]])).logits[0, 2:-1].log_softmax(-1)
    assert len(completion.logprobs) == 5
    for place, (token, report) in enumerate(zip(completion.ids, completion.logprobs, strict=True)):
        assert report.logprob == pytest.approx(float(logits[place, token]), abs=1e-4)
        assert [token for token, _ in report.top] == logits[place].topk(3).indices.tolist()
