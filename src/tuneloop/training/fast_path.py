"""The packed forward of a model with LoRA layers: the library's own modules, with exact and cheaper insides.

Llama-shaped layers (Llama, SmolLM, Mistral, Qwen2, Qwen3) get our norm, SwiGLU, rotary positions and attention; every
other architecture that takes transformers' attention interface keeps its own modules and gets packed attention.
LoRA layers without dropout become one node of the graph in both. Everything is undone when the block ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from tuneloop.core.errors import IncompatibleError
from tuneloop.kernels.attention import Segments, packed_attention
from tuneloop.kernels.cross_entropy import linear_cross_entropy
from tuneloop.kernels.elementwise import rms_norm, rotary, swiglu
from tuneloop.kernels.lora import lora_linear
from tuneloop.training.batches import Batch

LLAMA_SHAPED = ("llama", "mistral", "qwen2", "qwen3")
"""`model_type` of architectures whose layer is x + attention(norm(x)), x + SwiGLU(norm(x)) with half-split rotary positions."""
INTERFACE = "tuneloop_packed"


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
    own = LLAMA_FORWARDS if config.model_type in LLAMA_SHAPED and config.hidden_act == "silu" else {}
    patched: list[nn.Module] = []
    before = base.config._attn_implementation
    try:
        for module in base.modules():
            forward = _lora_forward if _is_plain_lora(module) else _own_forward(module, own)
            if forward is not None:
                module.forward = MethodType(forward, module)
                patched.append(module)
        base.set_attn_implementation(INTERFACE)
        yield
    finally:
        for module in patched:
            del module.__dict__["forward"]
        base.set_attn_implementation(before)


def supervised_loss(model: PeftModel, batch: Batch) -> Tensor:
    """Sum of the negative log-likelihood of the batch's supervised tokens (float32 scalar, nats)."""
    base = model.get_base_model()
    decoder = base.get_decoder()
    hidden = decoder(
        input_ids=batch.ids, position_ids=batch.positions, use_cache=False, segments=batch.segments
    ).last_hidden_state[0]  # [T, d]
    softcap = getattr(base.config.get_text_config(), "final_logit_softcapping", None)
    return linear_cross_entropy(
        hidden.index_select(0, batch.predictors), base.get_output_embeddings().weight, batch.targets, softcap
    )


def _is_plain_lora(module: nn.Module) -> bool:
    return (
        isinstance(module, LoraLinear)
        and isinstance(module.get_base_layer(), nn.Linear)
        and list(module.active_adapters) == ["default"]
        and not module.merged
        and not module.use_dora["default"]
        and isinstance(module.lora_dropout["default"], nn.Identity)
        and not module.lora_bias["default"]
    )


def _lora_forward(self: Any, x: Tensor, *_: Any, **__: Any) -> Tensor:
    layer = self.get_base_layer()
    rows = x.reshape(-1, x.shape[-1])  # [T, in]
    a, b = self.lora_A["default"].weight, self.lora_B["default"].weight
    return lora_linear(rows, layer.weight, layer.bias, a, b, self.scaling["default"]).view(*x.shape[:-1], -1)


def _own_forward(module: nn.Module, own: dict[str, Callable[..., Any]]) -> Callable[..., Any] | None:
    for suffix, forward in own.items():
        if type(module).__name__.endswith(suffix):
            return forward
    return None


def _norm_forward(self: Any, x: Tensor) -> Tensor:
    return rms_norm(x, self.weight, self.variance_epsilon)


def _mlp_forward(self: Any, x: Tensor) -> Tensor:
    return self.down_proj(swiglu(self.gate_proj(x), self.up_proj(x)))  # type: ignore[no-any-return]


def _attention_forward(
    self: Any, hidden_states: Tensor, position_embeddings: tuple[Tensor, Tensor], segments: Segments, **_: Any
) -> tuple[Tensor, None]:
    tokens, size = hidden_states.shape[1], self.head_dim
    query = self.q_proj(hidden_states).view(tokens, -1, size)  # [T, H, D]
    key = self.k_proj(hidden_states).view(tokens, -1, size)  # [T, K, D]
    value = self.v_proj(hidden_states).view(tokens, -1, size)  # [T, K, D]
    if hasattr(self, "q_norm"):  # Qwen3 normalises each head
        query, key = self.q_norm(query), self.k_norm(key)
    cos, sin = (table[0, :, None, : size // 2] for table in position_embeddings)  # [T, 1, D/2]
    query, key = rotary(query, cos, sin), rotary(key, cos, sin)
    window = getattr(self, "sliding_window", None)
    mixed = packed_attention(query, key, value, segments, self.scaling, window)  # [T, H, D]
    return self.o_proj(mixed.reshape(1, tokens, -1)), None


LLAMA_FORWARDS: dict[str, Callable[..., Any]] = {
    "RMSNorm": _norm_forward,
    "MLP": _mlp_forward,
    "Attention": _attention_forward,
}
"""End of a module's class name and the forward it gets."""


def _interface(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    segments: Segments,
    scaling: float,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface: [1, H, T, D] in, [1, T, H, D] out."""
    query, key, value = (x[0].transpose(0, 1) for x in (query, key, value))  # [T, H, D]
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
