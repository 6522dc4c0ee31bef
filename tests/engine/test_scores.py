"""Log-probabilities through a tree of continuations are those of each text alone."""

import random

import pytest
import torch

from tuneloop.core.errors import UsageError
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import ScoreRequest
from tuneloop.engine.tree import grow_tree

TEXTS = ((1,), (2, 3, 4, 9, 10), (), (8, 8), (2, 3, 5), (2, 3), (2, 3, 4, 9, 11, 12, 13, 14, 15, 16), (1,))


def alone(model, prompt, text):
    logits = model(input_ids=torch.tensor([[*prompt, *text]])).logits[0].log_softmax(-1)
    return [float(logits[len(prompt) - 1 + place, token]) for place, token in enumerate(text)]


def prompts(count: int) -> list[tuple[int, ...]]:
    draw = random.Random(2)
    return [tuple(draw.randrange(1, 500) for _ in range(draw.randrange(1, 30))) for _ in range(count)]


@pytest.mark.parametrize("prefill_tokens", [512, 5])
def test_scores_are_those_of_each_text_alone(model, prefill_tokens):
    engine = Engine(model, batch_size=3, prefill_tokens=prefill_tokens)
    requests = [ScoreRequest(prompt, TEXTS[number % 3 :]) for number, prompt in enumerate(prompts(5))]
    for request, scores in zip(requests, engine.score_many(requests), strict=True):
        assert len(scores) == len(request.continuations)
        for text, score in zip(request.continuations, scores, strict=True):
            assert score == pytest.approx(alone(model, request.ids, text), abs=1e-5, rel=1e-5)


def test_one_prompt_may_be_scored_by_itself(llama):
    prompt = (5, 6, 7)
    scores = Engine(llama).score(prompt, [[1], [2, 3]])
    assert scores[1] == pytest.approx(alone(llama, prompt, (2, 3)), abs=1e-5, rel=1e-5)
    assert Engine(llama).score(prompt, []) == []


def test_what_texts_have_in_common_is_read_once():
    labels = [(10, 11, 12, number) for number in range(50)]
    assert grow_tree(labels).ids == (10, 11, 12)
    assert grow_tree([(1,), (2,)]).ids == ()


def test_a_text_that_does_not_fit_the_context_is_refused(llama):
    engine = Engine(llama)
    engine.score((1,) * 250, [(2,) * 6])  # its last token is judged, not read
    with pytest.raises(UsageError) as caught:
        engine.score((1,) * 250, [(2,) * 7])
    assert caught.value.code == "models.prompt_too_long"
    with pytest.raises(UsageError) as caught:
        engine.score((1,), [(2,), (3, 512)])
    assert caught.value.code == "models.prompt_token_unknown"


def test_a_score_that_fails_tells_so_and_the_next_is_right(llama, monkeypatch):
    engine = Engine(llama)
    request = ScoreRequest((5, 6, 7), ((1, 2), (3,)))
    expected = engine.score(request.ids, request.continuations)
    forward = type(llama.model.embed_tokens).forward

    def fail(self, ids):
        raise MemoryError("out of memory")

    monkeypatch.setattr(type(llama.model.embed_tokens), "forward", fail)
    with pytest.raises(MemoryError, match="out of memory"):
        engine.score(request.ids, request.continuations)
    monkeypatch.setattr(type(llama.model.embed_tokens), "forward", forward)
    assert engine.score(request.ids, request.continuations) == expected
