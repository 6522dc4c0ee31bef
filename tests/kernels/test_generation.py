"""What generation runs between its products, against the formulas."""

import pytest
import torch
from torch.nn import functional as F

from tuneloop.kernels.generation import attend_chunk, gated


def plain(query, keys, values, hidden, scale):
    """Attention of queries [s, H, D] over [T, K, D], written out; hidden [s, T]."""
    group = query.shape[1] // keys.shape[1]
    keys, values = keys.repeat_interleave(group, 1), values.repeat_interleave(group, 1)
    scores = scale * torch.einsum("shd,thd->hst", query, keys)
    weights = scores.masked_fill(hidden[None], float("-inf")).softmax(-1)
    return torch.einsum("hst,thd->shd", weights, values).flatten(1)


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("kv_heads", [1, 2, 6])
@pytest.mark.parametrize("start", [0, 5])
def test_a_chunk_sees_what_is_before_it(kv_heads, start):
    query, keys, values = draw(4, 6, 8), draw(4 + start, kv_heads, 8), draw(4 + start, kv_heads, 8) + 1
    hidden = ~torch.ones(4, 4 + start, dtype=torch.bool).tril(start)
    bias = torch.zeros(4, 4 + start).masked_fill(hidden, float("-inf")) if start else None
    expected = plain(query, keys, values, hidden, 0.3)
    torch.testing.assert_close(attend_chunk(query, keys, values, bias, 0.3), expected, atol=1e-5, rtol=1e-5)


def test_the_gate_stands_first():
    gate_up = draw(3, 10)
    torch.testing.assert_close(gated(gate_up, F.silu), F.silu(gate_up[:, :5]) * gate_up[:, 5:])
