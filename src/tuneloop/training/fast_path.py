"""The packed forward of a model with LoRA layers: the library's own modules, with exact and cheaper insides.

Llama-shaped layers (`llama_layers.py`) get our norm, SwiGLU, rotary positions, attention and joined projections; every
other architecture that takes transformers' attention interface keeps its own modules and gets packed attention and
one-node LoRA layers. Everything is undone when the block ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import torch
from peft import PeftModel
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from tuneloop.core.errors import IncompatibleError, RecipeError
from tuneloop.kernels.attention import Segments, packed_attention
from tuneloop.kernels.cross_entropy import linear_cross_entropy
from tuneloop.kernels.frozen import COPIES, freeze
from tuneloop.kernels.reordered import can_reorder
from tuneloop.training import llama_layers
from tuneloop.training.batches import Batch
from tuneloop.training.projections import is_plain, join
from tuneloop.training.prompted import Prefix, has_prompt, hidden_behind_prompt

INTERFACE = "tuneloop_packed"
REORDERED_SHARE = 0.2
"""Reordered copies of the weights may take this share of the machine's memory."""


@contextmanager
def fast_path(model: PeftModel) -> Iterator[None]:
    """Make the model's forward packed and cheap for the length of the block.

    Raises:
        IncompatibleError: the architecture has its own attention or scales its logits (code `training.architecture`).
    """
    base = model.get_base_model()
    config = base.config.get_text_config()
    scale = getattr(config, "logit_scale", None) or getattr(config, "logits_scaling", None) or 1.0
    if not getattr(base, "_supports_attention_backend", False) or scale != 1.0:
        raise IncompatibleError("training.architecture", architecture=config.model_type)
    reorder = reorders(base)
    llama_shaped = is_llama_shaped(config)
    head = base.get_output_embeddings()
    patched: list[nn.Module] = []
    before = base.config._attn_implementation
    try:
        for module in list(base.modules()):
            forward = llama_layers.forward_of(module, reorder=reorder) if llama_shaped else None
            if forward is None and not llama_shaped and isinstance(module, LoraLinear) and is_plain(module):
                forward = _rowwise(join([module], reorder=reorder))
            if forward is not None:
                module.forward = forward
                patched.append(module)
        head.frozen = freeze([head.weight.detach()], reorder=reorder)
        base.set_attn_implementation(INTERFACE)
        yield
    finally:
        for module in patched:
            del module.__dict__["forward"]
        head.__dict__.pop("frozen", None)
        base.set_attn_implementation(before)


def is_llama_shaped(config: Any) -> bool:
    """Whether an architecture gets our own norms, SwiGLU and joined projections."""
    return config.model_type in llama_layers.MODEL_TYPES and config.hidden_act == "silu"


def reorders(base: nn.Module) -> bool:
    """Whether the weights are kept in the CPU's own layout as well: where that exists, and where memory allows."""
    weights = [p for p in base.parameters() if p.dim() == 2]
    size = COPIES * sum(p.numel() * p.itemsize for p in weights)
    return can_reorder(weights[0]) and size < REORDERED_SHARE * psutil.virtual_memory().total


def supervised_loss(model: PeftModel, batch: Batch, label_smoothing: float = 0.0) -> Tensor:
    """Sum of the negative log-likelihood of the batch's supervised tokens (float32 scalar, nats).

    With label smoothing ε the target is 1 − ε on the token and ε / V on every token of the vocabulary. Its loss is
    nll + ε·(z_t − z̄) for logits z = W h: exact from W's row of the token and the mean of its rows, without any logits.
    """
    base = model.get_base_model()
    hidden = hidden_behind_prompt(model, batch) if has_prompt(model) else _hidden(base, batch)  # [T, d]
    softcap = getattr(base.config.get_text_config(), "final_logit_softcapping", None)
    head = base.get_output_embeddings()
    predicting = hidden.index_select(0, batch.predictors)  # [N, d]
    loss: Tensor = linear_cross_entropy(predicting, head.frozen, batch.targets, softcap)
    if not label_smoothing:
        return loss
    if softcap:
        raise RecipeError("training.smoothing_softcap")
    weight = head.weight.detach()
    apart = weight[batch.targets].float() - weight.mean(0, dtype=torch.float32)  # [N, d]
    spread: Tensor = (predicting.float() * apart).sum()
    return loss + label_smoothing * spread


def _hidden(base: Any, batch: Batch) -> Tensor:
    """The decoder's last hidden state, [T, d]."""
    out = base.get_decoder()(
        input_ids=batch.ids, position_ids=batch.positions, use_cache=False, segments=batch.segments
    )
    hidden: Tensor = out.last_hidden_state[0]
    return hidden


def _rowwise(project: Any) -> Any:
    """A projection of [T, in] for tensors of any number of axes, as peft's layers are called."""
    return lambda x, *_, **__: project(x.reshape(-1, x.shape[-1])).view(*x.shape[:-1], -1)


def _interface(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    segments: Segments,
    scaling: float,
    sliding_window: int | None = None,
    prefix: Prefix | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface: [1, H, T, D] in, [1, T, H, D] out."""
    query, key, value = (x[0].transpose(0, 1) for x in (query, key, value))  # [T, H, D]
    if prefix is not None:
        key, value = prefix.put(module.layer_idx, key, value)
    return packed_attention(query, key, value, segments, scaling, sliding_window)[None], None


def _no_mask(*_: Any, **__: Any) -> None:
    """Packed attention isolates samples by itself."""


AttentionInterface.register(INTERFACE, _interface)
AttentionMaskInterface.register(INTERFACE, _no_mask)


def keep_memory() -> bool:
    """Tell glibc not to hand large blocks back to the system between steps: fresh pages are zeroed each time (+7%).

    Returns:
        True when the C library took the setting (glibc); others have no `mallopt`.
    """
    import ctypes

    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt") or not torch.backends.cpu.get_cpu_capability():
        return False
    trim_threshold, mmap_max = -1, -4
    return bool(library.mallopt(mmap_max, 0) and library.mallopt(trim_threshold, 2**31 - 1))


def release_memory() -> None:
    """Hand everything that is free back to the system: blocks of ever new sizes leave gaps that nothing fits into."""
    import ctypes

    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)
