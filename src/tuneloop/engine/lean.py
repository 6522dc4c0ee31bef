"""A forward of the Llama family for generation, written out: one layer fits a screen, shapes stand beside the lines.

Against the library's forward it stacks q, k, v and gate, up into one product each, keeps weights in oneDNN's layout,
builds no masks and calls no hooks; a key-value cache is preallocated. Its greedy ids in float32 are transformers'.

Rows of a batch end together: slot t of the cache holds the token that all rows read at the same step, and a row's own
first token stands at slot `starts[row]`. So a step writes one slot for all rows, a sliding window is a slice, and a new
prompt of p tokens joins a running batch at slots t-p … t-1.

Letters: B rows, S prompt slots, T slots in use, C slots allocated, N tokens, E hidden, H query heads, K key-value
heads, G = H / K, D head size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel

from tuneloop.engine.linear import Linear, pack_linear
from tuneloop.engine.session import left_pad

FAMILIES = ("LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM", "Gemma3ForCausalLM")
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": F.silu,
    "gelu_pytorch_tanh": partial(F.gelu, approximate="tanh"),
}
SPARE_SLOTS = 64
"""Slots allocated beyond those in use, each time the cache is full."""
PREFILL_TOKENS = 4096
"""Prompt tokens, padding included, that are read at once."""


@dataclass(frozen=True, slots=True)
class Norm:
    """RMSNorm: x / rms(x) · weight."""

    weight: Tensor
    epsilon: float

    def __call__(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape[-1:], self.weight, self.epsilon)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's frozen weights. What a family lacks is None."""

    attention_norm: Norm
    qkv: Linear
    """[N, E] → [N, (H + 2K) D]."""
    q_norm: Norm | None
    k_norm: Norm | None
    output: Linear
    after_attention: Norm | None
    mlp_norm: Norm
    gate_up: Linear
    down: Linear
    after_mlp: Norm | None
    window: int | None
    """How many tokens back this layer sees; None: all."""
    rotary: str
    """Which table of angles it uses."""


class LeanModel:
    """The weights of a model of `FAMILIES`, ready for `LeanSession`.

    Args:
        model: its parameters are shared or copied once; later changes to it may not be seen.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        config, body = model.config, model.model
        attention = body.layers[0].self_attn
        self.device, self.dtype = model.device, model.dtype
        self.head_size: int = attention.head_dim
        self.heads: int = config.num_attention_heads
        self.key_value_heads: int = config.num_key_value_heads
        self.scale: float = attention.scaling
        self.activation = ACTIVATIONS[_activation(config)]
        self.layers = tuple(_read_layer(layer) for layer in body.layers)
        self.norm = _norm(body.norm)
        self.embedding = model.get_input_embeddings()
        self.head = pack_linear([model.lm_head.weight], [model.lm_head.bias])
        self._rotary = body.rotary_emb
        self._angles: dict[str, tuple[Tensor, Tensor]] = {}
        self._known = 0

    @staticmethod
    def fits(model: PreTrainedModel) -> bool:
        """Whether this forward computes what the model's own does."""
        config = model.config
        return (
            type(model).__name__ in FAMILIES
            and _activation(config) in ACTIVATIONS
            and all(
                type(module) is torch.nn.Linear
                for name, module in model.named_modules()
                if name.endswith(("_proj", "lm_head"))
            )
            and not any(getattr(config, f"{which}_logit_softcapping", None) for which in ("attn", "final"))
            and not getattr(config, "use_bidirectional_attention", False)
            and "dynamic" not in str(config.rope_parameters)
            and "longrope" not in str(config.rope_parameters)
        )

    def angles(self, positions: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """Cosines and sines of the rotary angles at positions [N], for each table: two [N, 1, D/2]."""
        needed = int(positions.max()) + 1
        if needed > self._known:
            self._known = max(256, 2 * needed)
            every = torch.arange(self._known, device=self.device)[None]
            like = torch.empty(0, device=self.device, dtype=self.dtype)
            for name in {layer.rotary for layer in self.layers}:
                cosines, sines = self._rotary(like, every, *([name] if name else []))
                half = slice(0, self.head_size // 2)  # the second half repeats the first
                self._angles[name] = cosines[0, :, None, half].contiguous(), sines[0, :, None, half].contiguous()
        return {name: (cosines[positions], sines[positions]) for name, (cosines, sines) in self._angles.items()}


class LeanSession:
    """A batch on a `LeanModel`; see `session.Session`."""

    joins = True

    def __init__(self, model: LeanModel) -> None:
        self._model = model
        self._used = 0  # T
        self._starts = torch.empty(0, dtype=torch.int64, device=model.device)  # [B]
        empty = torch.zeros(2, 0, model.key_value_heads, 0, model.head_size, dtype=model.dtype, device=model.device)
        self._cache = [empty] * len(model.layers)  # keys and values of each layer, [2, B, K, C, D]

    @property
    def rows(self) -> int:
        return int(self._starts.shape[0])

    @torch.inference_mode()
    def add(self, prompts: Sequence[Sequence[int]], into: Sequence[int] = ()) -> Tensor:
        rows = [*into, *range(self.rows, self.rows + len(prompts) - len(into))]
        longest = max(len(prompt) for prompt in prompts)
        left = max(0, longest - self._used)
        spare = max(0, self._used + left + SPARE_SLOTS - self._slots - left) if left or rows[-1] >= self.rows else 0
        self._grow(rows=max(self.rows, rows[-1] + 1), left=left, right=spare)
        at_once = max(1, PREFILL_TOKENS // longest)
        logits = [
            self._prefill(prompts[start : start + at_once], rows[start : start + at_once])
            for start in range(0, len(prompts), at_once)
        ]
        self._drop(int(self._starts.min()))
        return torch.cat(logits)

    @torch.inference_mode()
    def step(self, tokens: Tensor) -> Tensor:
        model, slot = self._model, self._used
        if slot == self._slots:
            self._grow(self.rows, right=SPARE_SLOTS)
        self._used += 1
        angles = model.angles(slot - self._starts)
        bias = self._padding_bias()

        def attend(index: int, layer: Layer, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            cache = self._cache[index]  # [2, B, K, C, D]
            cache[0, :, :, slot] = k
            cache[1, :, :, slot] = v
            first = 0 if layer.window is None else max(0, slot + 1 - layer.window)
            q = q.view(self.rows, model.key_value_heads, -1, model.head_size)  # [B, K, G, D]
            keys, values = cache[:, :, :, first : slot + 1].unbind(0)  # [B, K, T, D]
            mask = None if bias is None else bias[..., first:]
            return F.scaled_dot_product_attention(q, keys, values, attn_mask=mask, scale=model.scale).flatten(1)

        return self._head(self._layers(model.embedding(tokens), angles, attend))

    @torch.inference_mode()
    def keep(self, rows: Sequence[int]) -> None:
        chosen = torch.tensor(rows, dtype=torch.int64, device=self._model.device)
        self._starts = self._starts[chosen]
        self._cache = [cache[:, chosen] for cache in self._cache]
        if len(rows):
            self._drop(int(self._starts.min()))

    # ---- inside ------------------------------------------------------------------------------------------------------

    @property
    def _slots(self) -> int:
        """How many slots are allocated: C."""
        return int(self._cache[0].shape[3])

    def _prefill(self, prompts: Sequence[Sequence[int]], rows: Sequence[int]) -> Tensor:
        """Read prompts into rows so that the last token stands at slot T-1; returns logits [prompts, vocabulary]."""
        model = self._model
        ids, mask = left_pad(prompts, model.device)  # [B, S]
        batch, slots = ids.shape
        starts = slots - mask.sum(1)  # [B]
        before = self._used - slots
        chosen = torch.tensor(rows, device=model.device)
        self._starts[chosen] = starts + before
        positions = (torch.arange(slots, device=model.device) - starts[:, None]).clamp_min_(0)  # [B, S]
        masks = {window: _prompt_mask(starts, slots, window) for window in {layer.window for layer in model.layers}}

        def attend(index: int, layer: Layer, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            q, k, v = (
                x.view(batch, slots, -1, model.head_size).transpose(1, 2) for x in (q, k, v)
            )  # [B, H or K, S, D]
            cache = self._cache[index]
            cache[0, chosen, :, before : self._used] = k
            cache[1, chosen, :, before : self._used] = v
            group = model.heads // model.key_value_heads
            k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)  # [B, H, S, D]
            seen = F.scaled_dot_product_attention(q, k, v, attn_mask=masks[layer.window], scale=model.scale)
            return seen.transpose(1, 2).reshape(batch * slots, -1)  # [N, H·D]

        x = self._layers(model.embedding(ids.flatten()), model.angles(positions.flatten()), attend)  # [N, E]
        return self._head(x.view(batch, slots, -1)[:, -1])

    def _layers(
        self,
        x: Tensor,
        angles: dict[str, tuple[Tensor, Tensor]],
        attend: Callable[[int, Layer, Tensor, Tensor, Tensor], Tensor],
    ) -> Tensor:
        """All layers over tokens [N, E]."""
        model = self._model
        heads, kv, size = model.heads, model.key_value_heads, model.head_size
        for index, layer in enumerate(model.layers):
            qkv = layer.qkv(layer.attention_norm(x)).view(-1, heads + 2 * kv, size)  # [N, H + 2K, D]
            q, k, v = qkv[:, :heads], qkv[:, heads : heads + kv], qkv[:, heads + kv :]
            if layer.q_norm is not None and layer.k_norm is not None:
                q, k = layer.q_norm(q), layer.k_norm(k)
            cosines, sines = angles[layer.rotary]
            mixed = layer.output(attend(index, layer, _turn(q, cosines, sines), _turn(k, cosines, sines), v))
            x = x + (layer.after_attention(mixed) if layer.after_attention is not None else mixed)
            gate, up = layer.gate_up(layer.mlp_norm(x)).chunk(2, dim=-1)
            mixed = layer.down(model.activation(gate) * up)
            x = x + (layer.after_mlp(mixed) if layer.after_mlp is not None else mixed)
        return x

    def _head(self, x: Tensor) -> Tensor:
        return self._model.head(self._model.norm(x))

    def _padding_bias(self) -> Tensor | None:
        """[B, 1, 1, T]: minus infinity before a row's first token; None when no row is padded."""
        if not self._starts.any():
            return None
        before = torch.arange(self._used, device=self._starts.device) < self._starts[:, None]
        return torch.zeros_like(before, dtype=self._model.dtype).masked_fill_(before, float("-inf"))[:, None, None]

    def _grow(self, rows: int, left: int = 0, right: int = 0) -> None:
        """Make room for so many rows in all, and for more slots before the first and after the last.

        New room is zero, not merely empty: a masked value counts nothing times itself, and nothing times NaN is NaN.
        """
        more = rows - self.rows
        if more or left or right:
            self._cache = [F.pad(cache, (0, 0, left, right, 0, 0, 0, more)) for cache in self._cache]
            self._starts = F.pad(self._starts + left, (0, more), value=self._used + left)
            self._used += left

    def _drop(self, slots: int) -> None:
        """Forget the first slots, which no row uses any more; the memory goes when the cache is next copied."""
        self._starts -= slots
        self._cache = [cache[:, :, :, slots:] for cache in self._cache]
        self._used -= slots


def _turn(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotate each pair (x_i, x_{i + D/2}) by its position's angle (arXiv 2104.09864). x: [N, heads, D]."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosines - second * sines, second * cosines + first * sines], dim=-1)


def _prompt_mask(starts: Tensor, slots: int, window: int | None) -> Tensor:
    """bool [B, 1, S, S]: a token sees itself, and those of its own row before it, `window` at most."""
    place = torch.arange(slots, device=starts.device)
    back = place[:, None] - place[None, :]  # [S, S]
    seen = (back >= 0) if window is None else (back >= 0) & (back < window)
    real = place[None, None, :] >= starts[:, None, None]  # [B, 1, S]
    return ((seen & real) | (back == 0))[:, None]


def _read_layer(layer: Any) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp
    sandwiched = hasattr(layer, "pre_feedforward_layernorm")  # Gemma puts a norm before and after each half
    projections = (attention.q_proj, attention.k_proj, attention.v_proj)
    return Layer(
        attention_norm=_norm(layer.input_layernorm),
        qkv=pack_linear([p.weight for p in projections], [p.bias for p in projections]),
        q_norm=_norm(attention.q_norm) if hasattr(attention, "q_norm") else None,
        k_norm=_norm(attention.k_norm) if hasattr(attention, "k_norm") else None,
        output=pack_linear([attention.o_proj.weight], [attention.o_proj.bias]),
        after_attention=_norm(layer.post_attention_layernorm) if sandwiched else None,
        mlp_norm=_norm(layer.pre_feedforward_layernorm if sandwiched else layer.post_attention_layernorm),
        gate_up=pack_linear([mlp.gate_proj.weight, mlp.up_proj.weight], [mlp.gate_proj.bias, mlp.up_proj.bias]),
        down=pack_linear([mlp.down_proj.weight], [mlp.down_proj.bias]),
        after_mlp=_norm(layer.post_feedforward_layernorm) if sandwiched else None,
        window=getattr(attention, "sliding_window", None),
        rotary=getattr(attention, "layer_type", "") if sandwiched else "",
    )


def _norm(module: Any) -> Norm:
    if type(module).__name__.startswith("Gemma"):  # stored as the difference from one
        return Norm((1.0 + module.weight.float()).to(module.weight.dtype), module.eps)
    return Norm(module.weight, module.variance_epsilon)


def _activation(config: Any) -> str:
    return str(getattr(config, "hidden_activation", None) or config.hidden_act)
