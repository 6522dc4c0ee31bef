"""Every kernel against the textbook formula under autograd, in float32 and in double precision."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from tuneloop.kernels.attention import Heads, packed_attention, rotary_attention, segments
from tuneloop.kernels.cross_entropy import linear_cross_entropy
from tuneloop.kernels.elementwise import rms_norm, rotary, swiglu
from tuneloop.kernels.frozen import freeze
from tuneloop.kernels.lora import Update, lora_linear
from tuneloop.kernels.reordered import can_reorder


def random_tensor(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_()


def textbook_attention(q: Tensor, k: Tensor, v: Tensor, lengths: list[int], scale: float, window: int | None) -> Tensor:
    """One sample after the other, the key heads repeated, with a boolean mask."""
    outputs, start = [], 0
    repeat = q.shape[1] // k.shape[1]
    for n in lengths:
        one = slice(start, start + n)
        heads = [x[one].transpose(0, 1) for x in (q, k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1))]
        allowed = torch.ones(n, n, dtype=torch.bool).tril()
        if window:
            allowed &= ~torch.ones(n, n, dtype=torch.bool).tril(-window)
        outputs.append(F.scaled_dot_product_attention(*heads, attn_mask=allowed, scale=scale).transpose(0, 1))
        start += n
    return torch.cat(outputs)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.sampled_from([None, 3]))
@settings(max_examples=25, deadline=None)
def test_packed_attention_equals_attention_sample_by_sample(lengths: list[int], window: int | None) -> None:
    tokens = sum(lengths)
    inputs = [random_tensor(tokens, heads, 4, seed=heads + i) for i, heads in enumerate((6, 2, 2))]
    weight = random_tensor(tokens, 6, 4, seed=9).detach()
    ours = packed_attention(*inputs, segments(lengths), 0.5, window)
    theirs = textbook_attention(*inputs, lengths, 0.5, window)
    torch.testing.assert_close(ours, theirs)
    for mine, other in zip(
        torch.autograd.grad((ours * weight).sum(), inputs),
        torch.autograd.grad((theirs * weight).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(mine, other)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_segments_hold_every_token_once(lengths: list[int]) -> None:
    found = segments(lengths)
    places = torch.cat([g.rows[g.real] for g in found.groups])
    assert sorted(places.tolist()) == list(range(sum(lengths)))


def test_rms_norm_has_the_formulas_value_and_gradient() -> None:
    x, weight = random_tensor(5, 8).float().detach().requires_grad_(), random_tensor(8, seed=1).float().detach()
    textbook = weight * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)
    ours = rms_norm(x, weight, 1e-6)
    torch.testing.assert_close(ours, textbook)
    (expected,) = torch.autograd.grad(textbook.sin().sum(), x)
    (got,) = torch.autograd.grad(ours.sin().sum(), x)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)


def test_swiglu_passes_gradcheck() -> None:
    assert torch.autograd.gradcheck(swiglu, (random_tensor(3, 8),))


def test_rotary_passes_gradcheck_and_keeps_lengths() -> None:
    angle = torch.linspace(0, 3, 6, dtype=torch.float64).view(3, 1, 2)
    x = random_tensor(3, 2, 4)
    assert torch.autograd.gradcheck(lambda y: rotary(y, angle.cos(), angle.sin()), (x,))
    torch.testing.assert_close(rotary(x, angle.cos(), angle.sin()).norm(dim=-1), x.norm(dim=-1))


@pytest.mark.parametrize("softcap", [None, 2.0])
def test_linear_cross_entropy_equals_torchs(softcap: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneloop.kernels.cross_entropy.CHUNK_LOGITS", 11 * 128)  # two chunks and a short one
    hidden, weight = random_tensor(300, 6), random_tensor(11, 6, seed=1).detach()
    targets = torch.randint(0, 11, (300,), generator=torch.Generator().manual_seed(2))
    logits = hidden @ weight.T
    logits = logits if softcap is None else torch.tanh(logits / softcap) * softcap
    expected = F.cross_entropy(logits, targets, reduction="sum")
    ours = linear_cross_entropy(hidden, freeze([weight]), targets, softcap)
    torch.testing.assert_close(ours.double(), expected, rtol=1e-6, atol=0)
    torch.testing.assert_close(
        torch.autograd.grad(3 * ours, hidden)[0], torch.autograd.grad(3 * expected, hidden)[0], rtol=1e-5, atol=1e-6
    )


def test_linear_cross_entropy_of_nothing_is_zero() -> None:
    assert (
        linear_cross_entropy(torch.ones(0, 4), freeze([torch.ones(3, 4)]), torch.zeros(0, dtype=torch.long)).item()
        == 0.0
    )


def test_linear_cross_entropy_is_finite_where_the_softmax_underflows() -> None:
    hidden = torch.tensor([[200.0]])
    loss = linear_cross_entropy(hidden, freeze([torch.tensor([[1.0], [0.0]])]), torch.tensor([1]))
    assert loss.item() == pytest.approx(200.0)


def test_joined_lora_layers_equal_the_formula_in_value_and_gradient() -> None:
    x, plain = random_tensor(7, 5), random_tensor(2, 5, seed=7).detach()
    layers = [
        (random_tensor(out, 5, seed=out).detach(), random_tensor(2, 5, seed=1), random_tensor(out, 2, seed=2))
        for out in (3, 4)
    ]
    bias = random_tensor(3, seed=4).detach()
    frozen = freeze([layers[0][0], plain, layers[1][0]], [bias, None, None])
    updates = [Update(layers[0][1], layers[0][2], 1.5, 0), Update(layers[1][1], layers[1][2], 0.5, 5)]
    ours = lora_linear(x, frozen, updates)
    parts = [F.linear(x, w) + scaling * (x @ a.T) @ b.T for (w, a, b), scaling in zip(layers, (1.5, 0.5), strict=True)]
    textbook = torch.cat([parts[0] + bias, F.linear(x, plain), parts[1]], dim=1)
    torch.testing.assert_close(ours, textbook)
    inputs = (x, *(tensor for _, a, b in layers for tensor in (a, b)))
    for mine, other in zip(
        torch.autograd.grad(ours.sin().sum(), inputs), torch.autograd.grad(textbook.sin().sum(), inputs), strict=True
    ):  # the masters' gradients are float32
        torch.testing.assert_close(mine.double(), other, rtol=1e-5, atol=1e-6)


def test_joined_layers_without_an_update_pass_their_gradient_on() -> None:
    x, weight = random_tensor(7, 5), random_tensor(3, 5, seed=3).detach()
    ours = lora_linear(x, freeze([weight]), [])
    torch.testing.assert_close(torch.autograd.grad(ours.sin().sum(), x)[0], ours.cos().detach() @ weight)


def test_reordered_weights_give_the_same_products() -> None:
    weights = [random_tensor(out, 32, seed=out).detach().bfloat16() for out in (16, 48)]
    if not can_reorder(weights[0]):
        pytest.skip("no reordered layout on this processor")
    bias = torch.ones(16).bfloat16()
    x, grad = random_tensor(9, 32).detach().bfloat16(), random_tensor(9, 64).detach().bfloat16()
    plain, reordered = (freeze(weights, [bias, None], reorder=reorder) for reorder in (False, True))
    torch.testing.assert_close(reordered.forward(x), plain.forward(x), rtol=0.02, atol=0.05)
    torch.testing.assert_close(reordered.backward(grad), plain.backward(grad), rtol=0.02, atol=0.1)


def test_rotary_attention_is_rotary_positions_then_attention() -> None:
    heads, lengths = Heads(query=4, key_value=2, size=6), [3, 5]
    angle = torch.linspace(0, 3, 24, dtype=torch.float64).view(8, 1, 3)
    cos, sin = angle.cos(), angle.sin()
    joined = random_tensor(8, heads.width)
    ours = rotary_attention(joined, cos, sin, heads, segments(lengths), 0.5, 4)
    query, key, value = heads.split(joined)
    apart = packed_attention(rotary(query, cos, sin), rotary(key, cos, sin), value, segments(lengths), 0.5, 4)
    torch.testing.assert_close(ours, apart)
    torch.testing.assert_close(
        torch.autograd.grad(ours.sin().sum(), joined), torch.autograd.grad(apart.sin().sum(), joined)
    )
