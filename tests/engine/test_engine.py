"""The engine: batching changes nothing, and every ending is told."""

import random

import pytest
import torch

from tuneloop.core.errors import NotFoundError, UsageError
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import Request, Sampling


def make_requests(count: int, seed: int = 0, longest: int = 30, **sampling: float) -> list[Request]:
    draw = random.Random(seed)
    return [
        Request(
            tuple(draw.randrange(1, 512) for _ in range(draw.randrange(1, longest))),
            sampling=Sampling(**{"max_new_tokens": draw.randrange(1, 25), "seed": number, **sampling}),
        )
        for number in range(count)
    ]


def reference(model, request: Request) -> tuple[int, ...]:
    """The library's own greedy answer to one request alone."""
    ids = torch.tensor([request.ids])
    out = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=request.sampling.max_new_tokens,
    )
    return tuple(out[0, len(request.ids) :].tolist())


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_greedy_answers_are_those_of_the_library_for_any_batch_size(model, batch_size):
    requests = make_requests(11)
    answers = {c.request: c for c in Engine(model, batch_size=batch_size).generate(requests)}
    assert set(answers) == set(requests)
    for request, completion in answers.items():
        assert completion.ids == reference(model, request)
        assert completion.finish_reason == "length"
        assert 0 < completion.first_token_seconds <= completion.seconds


def test_a_stop_token_ends_an_answer_and_does_not_stand_in_it(llama):
    requests = make_requests(6, max_new_tokens=20)
    for request in requests:
        full = reference(llama, request)
        stopped = Request(request.ids, sampling=request.sampling, stop_ids=(full[3],))
        (completion,) = Engine(llama).generate([stopped])
        assert completion.finish_reason == "stop"
        assert completion.ids == full[: full.index(full[3])]


def test_finished_rows_make_room_while_others_go_on(llama):
    requests = make_requests(40, seed=3)
    answers = {c.request: c.ids for c in Engine(llama, batch_size=5).generate(iter(requests))}
    assert all(answers[request] == reference(llama, request) for request in requests)


def test_sampled_answers_do_not_depend_on_the_batch(llama):
    requests = make_requests(12, temperature=1.0, top_p=0.9)
    together = {c.request: c.ids for c in Engine(llama, batch_size=12).generate(requests)}
    alone = {c.request: c.ids for c in Engine(llama, batch_size=1).generate(reversed(requests))}
    assert together == alone
    assert any(together[request] != reference(llama, request) for request in requests)


def test_the_seed_changes_a_sampled_answer(llama):
    sampled = [
        Request((1, 2, 3), sampling=Sampling(temperature=1.5, seed=seed, max_new_tokens=12)) for seed in (1, 1, 2)
    ]
    first, second, third = (tuple(Engine(llama).stream(request)) for request in sampled)
    assert first == second != third


def test_a_stream_gives_the_tokens_of_the_completion(model):
    for request in make_requests(3):
        (completion,) = Engine(model).generate([request])
        assert tuple(Engine(model).stream(request)) == completion.ids


def test_a_constraint_is_kept(llama):
    allowed = {0: (7, 9), 1: (11,), 2: (5, 6)}
    request = Request(
        (1, 2, 3), stop_ids=(6, 5), constraint=lambda before: allowed[len(before)], sampling=Sampling(max_new_tokens=9)
    )
    (completion,) = Engine(llama).generate([request])
    assert completion.ids[0] in (7, 9)
    assert completion.ids[1:] == (11,)
    assert completion.finish_reason == "stop"


def test_each_request_is_answered_by_its_adapter(llama):
    other = type(llama)(llama.config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(9)
        for weight in other.parameters():
            torch.nn.init.normal_(weight, std=0.3)
    other.eval().generation_config.eos_token_id = None
    requests = [Request(r.ids, adapter=name, sampling=r.sampling) for r in make_requests(4) for name in (None, "bank")]
    for completion in Engine(llama, adapters={"bank": other}).generate(requests):
        answering = llama if completion.request.adapter is None else other
        assert completion.ids == reference(answering, completion.request)


def test_closing_the_iterator_stops_the_work(llama):
    steps = []

    def count(before: tuple[int, ...]) -> tuple[int, ...]:
        steps.append(before)
        return (1, 2)

    requests = [Request((5,), constraint=count, sampling=Sampling(max_new_tokens=most)) for most in (2, 200)]
    completions = Engine(llama).generate(requests)
    assert next(completions).request is requests[0]
    completions.close()
    assert len(steps) == 4


def test_a_cancelled_request_ends_with_what_it_has(llama):
    requests = make_requests(3, max_new_tokens=20)
    asked = []

    def cancelled(request: Request) -> bool:
        asked.append(request)
        return request is requests[1] and len(asked) > 6

    reasons = {c.request: c for c in Engine(llama).generate(requests, cancelled=cancelled)}
    assert reasons[requests[1]].finish_reason == "cancelled"
    assert reasons[requests[1]].ids == reference(llama, requests[1])[: len(reasons[requests[1]].ids)]
    assert len(reasons[requests[1]].ids) < 20
    assert reasons[requests[0]].ids == reference(llama, requests[0])


@pytest.mark.parametrize("most", [0, -1])
def test_nothing_is_generated_when_nothing_is_asked_for(llama, most):
    (completion,) = Engine(llama).generate([Request((1,), sampling=Sampling(max_new_tokens=most))])
    assert completion.ids == ()
    assert completion.finish_reason == "length"


def test_an_answer_ends_where_the_context_ends(model):
    (completion,) = Engine(model).generate([Request((1,) * 250, sampling=Sampling(max_new_tokens=1000))])
    assert len(completion.ids) == 6


def test_scores_are_the_log_probabilities_of_the_whole_text(model):
    prompt, continuations = (5, 6, 7), [(1,), (2, 3, 4, 9, 10), (), (8, 8)]
    scores = Engine(model, batch_size=3).score(prompt, continuations)
    for continuation, score in zip(continuations, scores, strict=True):
        logits = model(input_ids=torch.tensor([[*prompt, *continuation]])).logits[0].log_softmax(-1)
        expected = [float(logits[2 + place, token]) for place, token in enumerate(continuation)]
        assert score == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("request_", "code", "kind"),
    [
        (Request(()), "models.prompt_empty", UsageError),
        (Request((1,) * 256), "models.prompt_too_long", UsageError),
        (Request((1, 512)), "models.prompt_token_unknown", UsageError),
        (Request((1, -1)), "models.prompt_token_unknown", UsageError),
        (Request((1,), adapter="nobody"), "models.adapter_not_loaded", NotFoundError),
    ],
)
def test_a_request_that_can_not_be_answered_is_refused_before_the_work(llama, request_, code, kind):
    with pytest.raises(kind) as caught:
        next(Engine(llama).generate([request_]))
    assert caught.value.code == code


@pytest.mark.model
def test_the_real_model_answers_in_float32_as_the_library_does():
    from tuneloop.core.records import Message
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model

    loaded = load_model(ModelConfig(name_or_path="smollm2-135m", dtype="float32"))
    questions = ["What is the capital of France?", "Name three colours.", "How do I block a lost card? " * 8]
    requests = [
        Request(
            loaded.template.prompt([Message(role="user", content=question)]),
            stop_ids=loaded.template.stop_ids,
            sampling=Sampling(max_new_tokens=24),
        )
        for question in questions
    ]
    answers = {c.request: c for c in Engine(loaded.model).generate(requests)}
    for request in requests:
        expected = reference(loaded.model, request)
        stop = loaded.template.stop_ids[0]
        expected = expected[: expected.index(stop)] if stop in expected else expected
        assert answers[request].ids == expected
    assert "Paris" in loaded.template.decode(answers[requests[0]].ids)
