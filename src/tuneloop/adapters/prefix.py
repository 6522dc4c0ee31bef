"""Prefix tuning (arXiv 2101.00190) through peft: every layer's attention finds a few trained keys and values in front.

As with `prompt.py`, the base model is not touched; the trained keys are not turned by their positions, and the first
token of a conversation has position V, as in peft.
"""

from __future__ import annotations

from typing import Any

from peft import PeftModel, PrefixTuningConfig
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from tuneloop.adapters.attach import attach
from tuneloop.adapters.lora import Settings
from tuneloop.adapters.prompt import begins, behind, shared_copy, trained_rows


def attach_prefix(model: PreTrainedModel, settings: Settings, seed: int) -> PeftModel:
    """Wrap a model with keys and values of zero.

    They change the answers from the beginning: each takes its share of the attention. Random ones (peft's default) take
    as much and add noise.
    """
    config = PrefixTuningConfig(
        task_type="CAUSAL_LM", num_virtual_tokens=settings["num_virtual_tokens"], init_weights="zero"
    )
    return attach(model, config, seed=seed)


def keys_and_values(model: PeftModel) -> Tensor:
    """What is trained, [layers, 2, K, V, D]: keys and values of each layer's K key heads."""
    config: Any = model.active_peft_config
    rows, heads = trained_rows(model), config.num_attention_heads
    split = rows.view(len(rows), config.num_layers, 2, heads, config.token_dim // heads)
    return split.permute(1, 2, 3, 0, 4)


def answering_prefix(model: PeftModel) -> PreTrainedModel:
    """A copy of the base that shares its weights and begins every conversation with the trained keys and values.

    Masks and positions are the caller's own, without the prefix.
    """
    shared, pairs = shared_copy(model.get_base_model()), keys_and_values(model).detach().to(model.dtype)

    def put_before(module: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        changed = behind(kwargs, pairs.shape[3])
        if begins(kwargs):
            rows = len(kwargs["input_ids"])
            cache = kwargs.get("past_key_values")
            cache = DynamicCache(config=module.config) if cache is None else cache
            for layer, (key, value) in enumerate(pairs):  # [K, V, D]
                cache.update(key.expand(rows, -1, -1, -1), value.expand(rows, -1, -1, -1), layer)
            changed["past_key_values"] = cache
        return args, changed

    shared.get_decoder().register_forward_pre_hook(put_before, with_kwargs=True)
    return shared
