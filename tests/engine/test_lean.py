"""The written-out forward against the library's."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tuneloop.engine import lean
from tuneloop.engine.lean import LeanModel, LeanSession
from tuneloop.engine.session import LibrarySession

PROMPTS = [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9], [2, 7], [1, 8, 2, 8, 1, 8]]


def whole(model, ids: list[int]) -> torch.Tensor:
    return model(input_ids=torch.tensor([ids])).logits[0, -1]


def close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, atol=2e-4, rtol=1e-4)


def test_logits_of_prompts_and_steps_are_the_library_s(lean_model):
    session = LeanSession(LeanModel(lean_model))
    rows = [list(prompt) for prompt in PROMPTS]
    logits = session.add(rows)
    for step in range(20):
        assert all(close(logits[place], whole(lean_model, row)) for place, row in enumerate(rows))
        tokens = [(7 * step + place) % 500 for place in range(len(rows))]
        for row, token in zip(rows, tokens, strict=True):
            row.append(token)
        logits = session.step(torch.tensor(tokens))


def test_rows_may_leave_and_others_take_their_places(lean_model, monkeypatch):
    monkeypatch.setattr(lean, "SPARE_SLOTS", 2)
    monkeypatch.setattr(lean, "PREFILL_TOKENS", 16)
    session = LeanSession(LeanModel(lean_model))
    rows = [list(prompt) for prompt in PROMPTS]
    session.add(rows)

    def step(token: int) -> torch.Tensor:
        for row in rows:
            row.append(token)
        return session.step(torch.tensor([token] * len(rows)))

    for token in range(5):
        step(token)
    newcomers = [[4] * 3, [9, 8, 7] * 10, [6]]
    logits = session.add(newcomers, into=[1])  # one place is free, one prompt is longer than all there is
    rows = [rows[0], newcomers[0], rows[2], *newcomers[1:]]
    assert all(close(logits[place], whole(lean_model, row)) for place, row in enumerate(newcomers))
    logits = step(11)
    assert all(close(logits[place], whole(lean_model, row)) for place, row in enumerate(rows))
    session.keep([4, 0])
    rows = [rows[4], rows[0]]
    for token in (3, 2, 1):
        logits = step(token)
    assert session.rows == 2
    assert all(close(logits[place], whole(lean_model, row)) for place, row in enumerate(rows))


def test_the_library_s_session_keeps_rows(model):
    session = LibrarySession(model)
    session.add(PROMPTS)
    session.step(torch.tensor([1, 2, 3]))
    session.keep([2])
    logits = session.step(torch.tensor([4]))
    assert close(logits[0], whole(model, [*PROMPTS[2], 3, 4]))


def test_bfloat16_stays_near_float32(lean_model):
    exact = LeanSession(LeanModel(lean_model)).add(PROMPTS)
    coarse = LeanSession(LeanModel(lean_model.to(torch.bfloat16))).add(PROMPTS).float()
    assert torch.nn.functional.cosine_similarity(exact, coarse).min() > 0.99


@pytest.mark.parametrize("change", ["adapter", "activation", "family", "rotary"])
def test_what_it_would_compute_otherwise_it_does_not_take(llama, change):
    assert LeanModel.fits(llama)
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
    assert not LeanModel.fits(model)
