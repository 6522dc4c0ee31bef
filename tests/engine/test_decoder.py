"""The written-out forward against the library's, for every family."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tuneloop.engine.decoder import Decoder
from tuneloop.engine.families import FAMILIES, knows, read_weights
from tuneloop.engine.plan import Chunk, make_plan

PROMPTS = [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9], [2, 7], [1, 8, 2, 8, 1, 8]]


def whole(model, ids: list[int]) -> torch.Tensor:
    return model(input_ids=torch.tensor([ids])).logits[0]


def run(decoder, cache, writing, chunks):
    plan = make_plan(
        writing, chunks, cells=cache.cells, windows=decoder.windows, dtype=decoder.weights.dtype, device="cpu"
    )
    return decoder.logits(decoder.forward(plan, cache))


def read_all(decoder, cache, prompts):
    chunks = [Chunk(slot, 0, ids, range(len(ids)), wanted=range(len(ids))) for slot, ids in enumerate(prompts)]
    cache.reserve(len(prompts), 64)
    return run(decoder, cache, [], chunks).split([len(ids) for ids in prompts])


def test_every_logit_of_prompts_and_of_what_follows_is_the_library_s(lean_model):
    decoder = Decoder(read_weights(lean_model))
    cache = decoder.make_cache()
    for logits, ids in zip(read_all(decoder, cache, PROMPTS), PROMPTS, strict=True):
        torch.testing.assert_close(logits, whole(lean_model, ids), atol=2e-4, rtol=1e-4)
    rows = [list(ids) for ids in PROMPTS]
    for step in range(14):
        tokens = [(7 * step + place) % 500 for place in range(len(rows))]
        logits = run(decoder, cache, [(t, len(row)) for t, row in zip(tokens, rows, strict=True)], [])
        for place, row in enumerate(rows):
            row.append(tokens[place])
            torch.testing.assert_close(logits[place], whole(lean_model, row)[-1], atol=2e-4, rtol=1e-4)


def test_a_prompt_may_be_read_in_chunks_beside_rows_that_write(lean_model):
    decoder = Decoder(read_weights(lean_model))
    cache = decoder.make_cache()
    read_all(decoder, cache, PROMPTS[:2])
    cache.reserve(3, 64)
    long, rows = [(5 * n) % 509 for n in range(40)], [list(ids) for ids in PROMPTS[:2]]
    for start in range(0, 40, 9):
        ids = long[start : start + 9]
        writing = [(11, len(row)) for row in rows]
        for row in rows:
            row.append(11)
        chunk = Chunk(2, start, ids, range(start, start + len(ids)), wanted=range(len(ids)))
        logits = run(decoder, cache, writing, [chunk])
        for place, row in enumerate(rows):
            torch.testing.assert_close(logits[place], whole(lean_model, row)[-1], atol=2e-4, rtol=1e-4)
        expected = whole(lean_model, long)[start : start + len(ids)]
        torch.testing.assert_close(logits[2:], expected, atol=2e-4, rtol=1e-4)


def test_rows_of_very_different_length_are_attended_to_apart(llama):
    decoder = Decoder(read_weights(llama))
    cache = decoder.make_cache()
    prompts = [[4] * 60, [2, 3], [5], [7] * 50]
    read_all(decoder, cache, prompts)
    writing = [(9, len(ids)) for ids in prompts]
    plan = make_plan(writing, [], cells=cache.cells, windows=[None], dtype=torch.float32, device=torch.device("cpu"))
    assert [(span.first, span.last) for span in plan.spans[None]] == [(0, 2), (2, 4)]
    logits = run(decoder, cache, writing, [])
    for place, ids in enumerate(prompts):
        torch.testing.assert_close(logits[place], whole(llama, [*ids, 9])[-1], atol=2e-4, rtol=1e-4)


def test_bfloat16_stays_near_float32(lean_model):
    decoder = Decoder(read_weights(lean_model))
    exact = torch.cat(read_all(decoder, decoder.make_cache(), PROMPTS))
    decoder = Decoder(read_weights(lean_model.to(torch.bfloat16)))
    coarse = torch.cat(read_all(decoder, decoder.make_cache(), PROMPTS)).float()
    assert torch.nn.functional.cosine_similarity(exact, coarse).min() > 0.99


def test_a_delta_is_added_to_the_weight(llama):
    random = torch.Generator().manual_seed(0)
    path = "model.layers.1.self_attn.k_proj"
    delta = 0.1 * torch.randn(llama.get_submodule(path).weight.shape, generator=random)
    decoder = Decoder(read_weights(llama, {path: delta}.get))
    logits = read_all(decoder, decoder.make_cache(), PROMPTS[:1])[0]
    llama.get_submodule(path).weight += delta
    torch.testing.assert_close(logits, whole(llama, PROMPTS[0]), atol=2e-4, rtol=1e-4)


def test_every_family_has_a_model_in_these_tests(every_lean_model):
    assert {type(model).__name__ for model in every_lean_model} == set(FAMILIES)
    assert all(knows(model) for model in every_lean_model)


@pytest.mark.parametrize("change", ["adapter", "activation", "family", "rotary"])
def test_what_it_would_compute_otherwise_it_does_not_take(llama, change):
    assert knows(llama)
    model = llama
    match change:
        case "adapter":
            model.model.layers[1].mlp.up_proj = torch.nn.Sequential(model.model.layers[1].mlp.up_proj)
        case "activation":
            model.config.hidden_act = "relu"
        case "family":
            model = GPT2LMHeadModel(GPT2Config(vocab_size=8, n_embd=4, n_layer=1, n_head=1))
        case "rotary":
            model.config.rope_parameters = {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}
    assert not knows(model)
