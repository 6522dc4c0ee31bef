"""Linear layers in the processor's own layout."""

import pytest
import torch
from torch.nn import functional as F

from tuneloop.engine.linear import pack_linear


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("rows", [1, 7, 40])
def test_layers_side_by_side_are_the_layers_one_by_one(dtype, biased, rows):
    random = torch.Generator().manual_seed(0)
    weights = [torch.randn(out, 24, generator=random).to(dtype) for out in (16, 8)]
    biases = [torch.randn(out, generator=random).to(dtype) if biased else None for out in (16, 8)]
    x = torch.randn(rows, 24, generator=random).to(dtype)
    expected = torch.cat([F.linear(x, w, b) for w, b in zip(weights, biases, strict=True)], dim=-1)
    assert torch.allclose(pack_linear(weights, biases)(x), expected, atol=0.1 if dtype == torch.bfloat16 else 1e-5)
