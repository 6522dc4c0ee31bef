"""The packed path against plain peft, sample by sample, in float32."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn import functional as F
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from tuneloop.adapters.config import Method
from tuneloop.adapters.methods import METHODS
from tuneloop.core.errors import IncompatibleError
from tuneloop.training.batches import collate
from tuneloop.training.fast_path import fast_path, supervised_loss
from tuneloop.training.tokenise import Example

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 61,
    "max_position_embeddings": 64,
    "head_dim": 8,
}
MODELS: dict[str, Callable[[], PreTrainedModel]] = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SIZES)),
    "gemma3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**SIZES, sliding_window=6)),
}


def make_examples() -> list[Example]:
    generator = torch.Generator().manual_seed(1)
    examples = []
    for number, length in enumerate((5, 12, 9, 3)):
        ids = tuple(torch.randint(0, 61, (length,), generator=generator).tolist())
        examples.append(Example(f"e{number}", ids, tuple(i >= 2 for i in range(length)), True))
    return examples


def attach(name: str, targets: list[str] | str = "all-linear") -> PeftModel:
    torch.manual_seed(0)
    model = get_peft_model(MODELS[name](), LoraConfig(r=4, target_modules=targets, task_type="CAUSAL_LM"))
    for parameter_name, parameter in model.named_parameters():
        if "lora_B" in parameter_name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def plain_loss(model: PeftModel, examples: list[Example]) -> torch.Tensor:
    """What peft and transformers compute for one sample after the other, unpadded, with SDPA."""
    total = torch.zeros(())
    for example in examples:
        ids = torch.tensor([example.ids])
        logits = model(input_ids=ids).logits[0, -len(example.ids) : -1].float()  # behind a prompt, where there is one
        keep = torch.tensor(example.supervised[1:])
        total = total + F.cross_entropy(logits[keep], ids[0, 1:][keep], reduction="sum")
    return total


def gradients(model: PeftModel, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad and p.grad is not None}


@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj"]])
@pytest.mark.parametrize("name", MODELS)
def test_packed_loss_and_gradients_equal_peft(name: str, targets: list[str] | str) -> None:
    check_packed(attach(name, targets))


@pytest.mark.parametrize("method", ["prompt_tuning", "prefix_tuning"])
@pytest.mark.parametrize("name", MODELS)
def test_packed_loss_and_gradients_behind_a_prompt_equal_peft(name: str, method: Method) -> None:
    model = METHODS[method].attach(MODELS[name]().requires_grad_(False), {"num_virtual_tokens": 4}, 1)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    check_packed(model)


def check_packed(model: PeftModel) -> None:
    examples = make_examples()
    expected = plain_loss(model, examples)
    expected_gradients = gradients(model, expected)
    with fast_path(model):
        ours = supervised_loss(model, collate(examples, torch.device("cpu")))
        our_gradients = gradients(model, ours)
    assert ours.item() == pytest.approx(expected.item(), rel=1e-5)
    assert our_gradients.keys() == expected_gradients.keys()
    for parameter, gradient in expected_gradients.items():
        difference = (our_gradients[parameter] - gradient).norm() / gradient.norm()
        assert difference < 1e-4, parameter


def test_bfloat16_is_no_further_from_float32_than_pefts_own() -> None:
    model, examples = attach("llama"), make_examples()
    reference = gradients(model, plain_loss(model, examples))
    model.get_base_model().to(torch.bfloat16)
    theirs = gradients(model, plain_loss(model, examples))
    for n, p in model.named_parameters():
        if "lora_" in n:
            p.data = p.data.float()
    with fast_path(model):
        ours = gradients(model, supervised_loss(model, collate(examples, torch.device("cpu"))))

    def distance(found: dict[str, torch.Tensor]) -> float:
        difference = sum(float((found[n].float() - g).square().sum()) for n, g in reference.items())
        return (difference / sum(float(g.square().sum()) for g in reference.values())) ** 0.5

    assert distance(ours) <= 1.2 * distance(theirs)


def test_the_model_is_as_before_after_the_block() -> None:
    model, examples = attach("llama"), make_examples()
    before = plain_loss(model, examples).item()
    with fast_path(model):
        pass
    assert plain_loss(model, examples).item() == before
    assert not any("forward" in vars(module) for module in model.modules())


def test_an_architecture_without_the_attention_interface_is_refused() -> None:
    model = attach("llama")
    model.get_base_model()._supports_attention_backend = False
    with pytest.raises(IncompatibleError, match="llama"), fast_path(model):
        pass
