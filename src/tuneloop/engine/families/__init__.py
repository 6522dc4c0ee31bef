"""The architectures that the engine writes out, one file a family; all others run the library's own forward."""

from __future__ import annotations

from collections.abc import Callable

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import PreTrainedModel

from tuneloop.engine.families import gemma, llama, qwen
from tuneloop.engine.weights import Deltas, Reader, Weights

FAMILIES: dict[str, Callable[[PreTrainedModel, Reader], Weights]] = {
    "LlamaForCausalLM": llama.read,
    "Qwen2ForCausalLM": qwen.read,
    "Qwen3ForCausalLM": qwen.read,
    "Gemma3ForCausalLM": gemma.read,
}
"""A function that reads the model's weights, by the name of its class."""


def knows(model: PreTrainedModel) -> bool:
    """Whether the decoder computes what the model's own forward does."""
    config = model.config
    rotary = str(getattr(config, "rope_parameters", ""))
    return (
        type(model).__name__ in FAMILIES
        and str(getattr(config, "hidden_activation", None) or config.hidden_act) in ("silu", "gelu_pytorch_tanh")
        and all(
            type(module) is torch.nn.Linear
            for name, module in model.named_modules()
            if name.endswith(("_proj", "lm_head"))
        )
        and not any(isinstance(module, BaseTunerLayer) or _has_hooks(module) for module in model.modules())
        and not any(getattr(config, f"{which}_logit_softcapping", None) for which in ("attn", "final"))
        and not getattr(config, "use_bidirectional_attention", False)
        and "dynamic" not in rotary
        and "longrope" not in rotary
    )


def _has_hooks(module: torch.nn.Module) -> bool:
    """Whether somebody changes what goes in or comes out: a prompt before every conversation, for example."""
    return bool(module._forward_hooks or module._forward_pre_hooks)


def read_weights(model: PreTrainedModel, deltas: Deltas | None = None) -> Weights:
    """Read a model that `knows` accepts; parameters are shared or copied once, later changes may not be seen.

    Args:
        model: of a class in `FAMILIES`.
        deltas: added to the weights, in float32: a merged adapter.
    """
    return FAMILIES[type(model).__name__](model, Reader(model, deltas))
