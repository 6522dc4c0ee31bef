"""Prompt tuning (arXiv 2104.08691) through peft: a few trained embeddings stand before every conversation.

The model itself is not touched: `answering_prompt` gives a copy that shares its weights and puts the prompt in front by
itself, for whoever asks it with token ids. In training, the packed path does the same for every sample
(`training/prompted.py`).
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from peft import PeftModel, PromptTuningConfig
from torch import Tensor
from transformers import PreTrainedModel

from tuneloop.adapters.attach import attach
from tuneloop.adapters.lora import Settings


def attach_prompt(model: PreTrainedModel, settings: Settings, seed: int) -> PeftModel:
    """Wrap a model with a prompt that begins as embeddings of random tokens of its vocabulary (section 3.2 of the paper).

    Unlike other methods it changes the answers from the beginning.
    """
    config = PromptTuningConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=settings["num_virtual_tokens"],
        prompt_tuning_init="SAMPLE_VOCAB",
    )
    return attach(model, config, seed=seed)


def leave(model: PeftModel) -> None:
    """The base model was only wrapped: there is nothing to take out."""


def trained_rows(model: PeftModel) -> Tensor:
    """What is trained for each of the V virtual tokens: [V, d] for a prompt, [V, layers · 2 · K · D] for a prefix."""
    weight: Tensor = model.prompt_encoder[model.active_adapter].embedding.weight
    return weight


def answering_prompt(model: PeftModel) -> PreTrainedModel:
    """A copy of the base that shares its weights and has the prompt before every conversation.

    The first call with an empty cache reads the prompt and then the ids; later calls find it in the cache. Masks and
    positions are the caller's own, without the prompt; logits are those of the caller's tokens.
    """
    shared, prompt = shared_copy(model.get_base_model()), trained_rows(model).detach()
    reading: list[bool] = []

    def lengthen(module: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        ids, count = kwargs["input_ids"], len(prompt)
        reading[:] = [begins(kwargs)]
        changed = behind(kwargs, count)
        if reading[0]:
            changed["input_ids"] = torch.cat([ids.new_zeros(len(ids), count), ids], dim=1)
            if (positions := changed.get("position_ids")) is not None:
                before = torch.arange(count, device=ids.device).expand(len(positions), -1)
                changed["position_ids"] = torch.cat([before, positions], dim=1)
        return args, changed

    def fill(module: Any, args: Any, embedded: Tensor) -> Tensor:
        if not reading[0]:
            return embedded
        first = prompt.to(embedded.dtype).expand(len(embedded), -1, -1)  # [B, V, d]
        return torch.cat([first, embedded[:, len(prompt) :]], dim=1)

    def shorten(module: Any, args: Any, kwargs: Any, output: Any) -> Any:
        if reading[0]:
            output.last_hidden_state = output.last_hidden_state[:, len(prompt) :]
        return output

    decoder = shared.get_decoder()
    decoder.register_forward_pre_hook(lengthen, with_kwargs=True)
    decoder.register_forward_hook(shorten, with_kwargs=True)
    shared.get_input_embeddings().register_forward_hook(fill)
    return shared


def shared_copy(base: PreTrainedModel) -> PreTrainedModel:
    """A copy of a model that shares its weights."""
    return copy.deepcopy(base, {id(tensor): tensor for tensor in (*base.parameters(), *base.buffers())})


def begins(kwargs: dict[str, Any]) -> bool:
    """Whether a call of the decoder is the first of its conversations."""
    cache = kwargs.get("past_key_values")
    return cache is None or cache.get_seq_length() == 0


def behind(kwargs: dict[str, Any], count: int) -> dict[str, Any]:
    """A decoder's arguments when `count` virtual tokens stand before what the caller knows of."""
    changed, mask, positions = dict(kwargs), kwargs.get("attention_mask"), kwargs.get("position_ids")
    if mask is not None:
        changed["attention_mask"] = torch.cat([mask.new_ones(len(mask), count), mask], dim=1)
    if positions is not None:
        changed["position_ids"] = positions + count
    return changed
