"""The kernels' arithmetic in plain torch, for any type and device; `native.py` has the same functions for bfloat16 on a CPU.

`tests/contracts/test_kernels.py` holds both to the same formulas.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

TINY = 1e-30
"""Below this probability the logarithm of a float32 softmax is not exact enough; such rows take the slow way."""


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """w · x / sqrt(mean(x²) + eps) over the last axis of [..., d], and float32 [..., 1], the factor of each row."""
    wide = x.float()
    scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
    return weight * (wide * scale).to(x.dtype), scale


def rms_norm_backward(grad: Tensor, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """dx = s (g − x̂ · mean(g ⊙ x̂)) with x̂ = s x and g = dy ⊙ w."""
    normed = x.float() * scale
    wide = grad.float() * weight.float()
    inner = (wide * normed).mean(-1, keepdim=True)
    return wide.addcmul_(normed, inner, value=-1).mul_(scale).to(x.dtype)


def swiglu(gate_up: Tensor) -> Tensor:
    """silu(gate) · up of [..., 2·I], gate left of up; [..., I]."""
    gate, up = gate_up.chunk(2, dim=-1)
    return F.silu(gate).mul_(up)


def swiglu_backward(grad: Tensor, gate_up: Tensor) -> Tensor:
    """Gradient of gate and up, side by side."""
    gate, up = gate_up.chunk(2, dim=-1)
    result = torch.empty_like(gate_up)
    grad_gate, grad_up = result.chunk(2, dim=-1)
    torch.ops.aten.silu_backward.grad_input(grad * up, gate, grad_input=grad_gate)
    torch.mul(F.silu(gate), grad, out=grad_up)
    return result


def rotate(x: Tensor, cos: Tensor, sin: Tensor, direction: float, out: Tensor | None = None) -> Tensor:
    """Turn each pair (x_i, x_{i+D/2}) of [T, H, D] by its position's angle ([T, 1, D/2]); direction −1 turns back.

    The result is written to `out` where that is given; it must not overlap x.
    """
    first, second = x.chunk(2, dim=-1)
    turned = torch.empty(x.shape, dtype=x.dtype, device=x.device) if out is None else out
    half = x.shape[-1] // 2
    torch.mul(first, cos, out=turned[..., :half]).addcmul_(second, sin, value=-direction)
    torch.mul(second, cos, out=turned[..., half:]).addcmul_(first, sin, value=direction)
    return turned


def attention_weights(query: Tensor, key: Tensor, scale: float, window: int) -> Tensor:
    """softmax(scale · Q Kᵀ) where a query sees itself and what stands before it.

    Args:
        query: [N, G·L, D], G heads of L positions one behind another.
        key: [N, L, D].
        scale: factor of the scores.
        window: a query sees only this many keys, itself included; 0: all.

    Returns:
        [N, G·L, L].
    """
    length = key.shape[1]
    mask = causal_mask(length, query.shape[1] // length, window, query)
    return torch.baddbmm(mask, query, key.transpose(1, 2), alpha=scale).softmax(-1)


def attention_weights_backward(grad: Tensor, weights: Tensor, scale: float, window: int) -> Tensor:
    """Gradient of Q Kᵀ from that of the weights, which may be overwritten: scale · P ⊙ (dP − Σ dP ⊙ P)."""
    return torch.ops.aten._softmax_backward_data(grad, weights, -1, weights.dtype).mul_(scale)  # type: ignore[no-any-return]


def causal_mask(length: int, repeat: int, window: int, like: Tensor) -> Tensor:
    """[1, G·L, L]: 0 where a query may look, −∞ in its future (and beyond the window)."""
    blocked = torch.ones(length, length, dtype=torch.bool, device=like.device).triu(1)
    if 0 < window < length:
        blocked |= torch.ones_like(blocked).tril(-window)
    mask = torch.zeros(length, length, dtype=like.dtype, device=like.device).masked_fill_(blocked, float("-inf"))
    return mask.repeat(repeat, 1)[None]


def cross_entropy(logits: Tensor, targets: Tensor, softcap: float, backward: bool) -> Tensor:
    """−log softmax(logits)[target] of each row; with `backward`, the logits are overwritten by their gradient.

    Args:
        logits: [N, V].
        targets: int64 [N].
        softcap: logits are bounded to ±softcap by tanh (Gemma 2); 0: they are not.
        backward: whether the gradient, softmax − one-hot, is wanted.

    Returns:
        float32 [N] (nats).
    """
    probability = torch.softmax(_capped(logits, softcap), -1)
    target = targets[:, None]
    at_target = probability.gather(1, target)  # [N, 1]
    loss = -at_target.log()
    rare = (at_target < TINY).flatten()
    if rare.any():
        exact = _capped(logits[rare], softcap)
        loss[rare] = exact.logsumexp(-1, keepdim=True) - exact.gather(1, target[rare])
    if backward:
        probability.scatter_(1, target, at_target - 1.0)
        if softcap:
            probability *= 1 - (_capped(logits, softcap) / softcap).square()
        logits.copy_(probability)
    return loss[:, 0]


def _capped(logits: Tensor, softcap: float) -> Tensor:
    wide = logits.float()
    return torch.tanh(wide / softcap) * softcap if softcap else wide


def attend_rows(query: Tensor, keys: Tensor, values: Tensor, sees: Tensor, scale: float) -> Tensor:
    """Attention of one token a row over the row's own cells.

    Args:
        query: [B, H, D].
        keys: [B, T, K, D], a view into the cache.
        values: [B, T, K, D].
        sees: int64 [B, 2], the first cell that each row sees and one past the last.
        scale: factor of the scores.

    Returns:
        [B, H·D].
    """
    rows, cells, kv_heads, size = keys.shape
    bias = None
    if bool((sees != sees.new_tensor([0, cells])).any()):
        cell = torch.arange(cells, device=keys.device)
        hidden = (cell < sees[:, :1]) | (cell >= sees[:, 1:])  # [B, T]
        bias = torch.zeros(rows, cells, dtype=query.dtype, device=query.device)
        bias = bias.masked_fill_(hidden, float("-inf"))[:, None, None]
    # The G query heads of one key head stand where queries of a longer text would: no key is repeated.
    grouped = query.reshape(rows, kv_heads, -1, size)  # [B, K, G, D]
    seen = F.scaled_dot_product_attention(
        grouped, keys.transpose(1, 2), values.transpose(1, 2), attn_mask=bias, scale=scale
    )
    return seen.reshape(rows, -1)
