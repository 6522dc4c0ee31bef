"""The built-in tiny model."""

import peft
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tuneloop.core.records import Message
from tuneloop.models.load import save_model
from tuneloop.models.tiny import build_tiny


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    assert build_tiny(0).sha256 == build_tiny(0).sha256
    assert build_tiny(1).sha256 != build_tiny(0).sha256


def test_building_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build_tiny(0)
    assert torch.equal(torch.rand(3), expected)


def test_it_is_frozen_and_in_evaluation_mode():
    model = build_tiny().model
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize("text", ["plain", "中文，标点。", "emoji 🏦\ttab\r\nline", " leading and trailing ", ""])
def test_the_tokenizer_gives_back_any_text(text):
    template = build_tiny().template
    ids = template.render([Message(role="user", content="q"), Message(role="assistant", content=text)])
    assert template.decode([token for token, said in zip(*ids, strict=True) if said]) == text


def test_plain_transformers_load_what_save_model_writes(tmp_path):
    tiny = build_tiny()
    save_model(tiny, tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), tiny.model.parameters(), strict=True))
    assert tokenizer("<|im_start|>é")["input_ids"] == tiny.tokenizer("<|im_start|>é")["input_ids"]
    assert tokenizer.chat_template == tiny.tokenizer.chat_template


def test_a_small_lora_learns_a_few_samples_by_heart():
    tiny = build_tiny()
    pairs = [("How do I block my card?", "Call us and block it."), ("What is the fee?", "The fee is 5 euros.")]
    rows = tiny.template.render_many(
        [(Message(role="user", content=q), Message(role="assistant", content=a)) for q, a in pairs]
    )
    longest = max(len(row.ids) for row in rows)
    ids = torch.tensor([[*row.ids, *[0] * (longest - len(row.ids))] for row in rows])
    labels = torch.tensor(
        [
            [token if said else -100 for token, said in zip(*row, strict=True)] + [-100] * (longest - len(row.ids))
            for row in rows
        ]
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = peft.get_peft_model(tiny.model, peft.LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"))
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-2)
    losses = []
    for _ in range(40):
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[0] > 4
    assert losses[-1] < 0.05
