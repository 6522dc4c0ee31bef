"""Prompts that begin alike are read once, and nobody can tell by the answers."""

import random

import torch

from tuneloop.engine.engine import Engine
from tuneloop.engine.prefix import BLOCK, PrefixCache, block_keys
from tuneloop.engine.request import Request, Sampling, ScoreRequest

SHARED = tuple(random.Random(1).randrange(1, 500) for _ in range(4 * BLOCK + 5))


def asked(count: int = 6) -> list[Request]:
    return [Request((*SHARED, 7 + n, 8, n), sampling=Sampling(max_new_tokens=6)) for n in range(count)]


def test_answers_with_a_shared_beginning_are_those_without_the_cache(lean_model):
    engine, plain = Engine(lean_model, prefill_tokens=48), Engine(lean_model, prefix_bytes=0)
    answers = {c.request: c.ids for c in engine.generate(asked())}
    assert answers == {c.request: c.ids for c in plain.generate(asked())}
    assert engine.prefix.hit_tokens == 5 * 4 * BLOCK  # all but the first request
    assert plain.prefix.hit_tokens == 0


def test_the_next_turn_of_a_conversation_finds_question_and_answer(llama):
    engine = Engine(llama)
    (first,) = engine.generate([Request(SHARED[:20], sampling=Sampling(max_new_tokens=4 * BLOCK - 19))])
    turn = Request((*SHARED[:20], *first.ids, 5, 6, 7), sampling=Sampling(max_new_tokens=3))
    (second,) = engine.generate([turn])
    assert engine.prefix.hit_tokens == 4 * BLOCK
    assert second.ids == next(Engine(llama, prefix_bytes=0).generate([turn])).ids


def test_a_prompt_that_is_wholly_known_is_answered(llama):
    engine = Engine(llama)
    request = Request(SHARED[: 2 * BLOCK], sampling=Sampling(max_new_tokens=4))
    first, second = (next(engine.generate([request])).ids for _ in range(2))
    assert first == second
    assert engine.prefix.hit_tokens == BLOCK  # the last block holds the token whose logits are wanted


def test_scores_use_the_cache_too(llama):
    engine = Engine(llama)
    requests = [ScoreRequest((*SHARED, n), ((1, 2), (1, 3))) for n in range(3)]
    scores = list(engine.score_many(requests))
    assert engine.prefix.hit_tokens == 2 * 4 * BLOCK
    for request, score in zip(requests, scores, strict=True):
        alone = Engine(llama, prefix_bytes=0).score(request.ids, request.continuations)
        torch.testing.assert_close(torch.tensor(score), torch.tensor(alone), atol=1e-5, rtol=1e-5)


def test_keys_hold_the_model_and_everything_before():
    ids = list(range(3 * BLOCK))
    assert block_keys("a@1", ids)[0] != block_keys("a@2", ids)[0]
    changed = [99, *ids[1:]]
    assert not set(block_keys("a@1", ids)) & set(block_keys("a@1", changed))
    assert block_keys("a", ids[: BLOCK - 1]) == []


def test_models_do_not_share_blocks(llama):
    other = type(llama)(llama.config).eval()
    engine = Engine(llama, adapters={"other": other})
    requests = [Request(request.ids, adapter, request.sampling) for request in asked(2) for adapter in (None, "other")]
    answers = {(c.request.adapter, c.request.ids): c.ids for c in engine.generate(requests)}
    for name, model in ((None, llama), ("other", other)):
        for completion in Engine(model, prefix_bytes=0).generate(asked(2)):
            assert answers[name, completion.request.ids] == completion.ids


def test_the_memory_is_bounded_and_the_oldest_goes_first():
    block = torch.zeros(2, 2, BLOCK, 1, 4)
    cache = PrefixCache(3 * block.nbytes)
    for key in (b"a", b"b", b"c"):
        cache.keep(key, block)
    cache.find([b"a"])
    cache.keep(b"d", block)
    assert b"b" not in cache
    assert [key in cache for key in (b"a", b"c", b"d")] == [True, True, True]
    assert cache.bytes == 3 * block.nbytes
