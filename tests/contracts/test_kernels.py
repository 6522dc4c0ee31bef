"""Both arithmetics (torch and C++) against the same formulas in float64: bfloat16 in, bfloat16 out, float32 inside."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tuneloop.kernels import native, reference
from tuneloop.kernels.chosen import Kernels, kernels_for

ROUNDING = 2.0**-8
"""Half a unit in bfloat16's last place, relative; results that pass one bfloat16 value on the way get two."""


@pytest.fixture(params=["torch", "C++"])
def kernels(request: pytest.FixtureRequest) -> Kernels:
    if request.param == "torch":
        return reference  # type: ignore[return-value]
    if not native.can_build():
        pytest.skip("no C++ compiler, or no bfloat16 instructions")
    assert native.build() is None
    return native  # type: ignore[return-value]


def make(*shape: int, seed: int = 0, scale: float = 1.0) -> Tensor:
    return (torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * scale).bfloat16()


def gradients(formula: Callable[..., Tensor], inputs: list[Tensor], grad: Tensor) -> tuple[Tensor, ...]:
    wide = [x.double().requires_grad_() for x in inputs]
    return torch.autograd.grad(formula(*wide), wide, grad.double())


def assert_close(got: Tensor, expected: Tensor, roundings: int = 2) -> None:
    size = expected.abs().max().item()
    torch.testing.assert_close(got.double(), expected, rtol=roundings * ROUNDING, atol=roundings * ROUNDING * size / 16)


def test_rms_norm(kernels: Kernels) -> None:
    x, weight, grad = make(3, 37, 40), make(40, seed=1), make(3, 37, 40, seed=2)

    def formula(x: Tensor) -> Tensor:
        return weight.double() * x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()

    y, scale = kernels.rms_norm(x, weight, 1e-5)
    assert_close(y, formula(x.double()))
    assert_close(kernels.rms_norm_backward(grad, x, weight, scale), gradients(formula, [x], grad)[0], 4)


def test_swiglu_also_far_from_zero(kernels: Kernels) -> None:
    gate_up, grad = make(5, 666, scale=3.0), make(5, 333, seed=2)
    gate_up[0, :4] = torch.tensor([-300.0, 300.0, -90.0, 90.0])

    def formula(gate_up: Tensor) -> Tensor:
        gate, up = gate_up.chunk(2, -1)
        return torch.nn.functional.silu(gate) * up

    assert_close(kernels.swiglu(gate_up), formula(gate_up.double()))
    assert_close(kernels.swiglu_backward(grad, gate_up), gradients(formula, [gate_up], grad)[0], 4)


def test_rotating_back_undoes_rotating(kernels: Kernels) -> None:
    angle = torch.rand(7, 1, 16, generator=torch.Generator().manual_seed(3)) * 6
    x = make(7, 3, 32)
    turned = kernels.rotate(x, angle.cos().bfloat16(), angle.sin().bfloat16(), 1.0)
    first, second = x.double().chunk(2, -1)
    cos, sin = angle.cos().bfloat16().double(), angle.sin().bfloat16().double()
    assert_close(turned, torch.cat([first * cos - second * sin, second * cos + first * sin], -1), 4)
    wider = make(7, 5, 32, seed=4)
    assert kernels.rotate(
        wider[:, 1:4], angle.cos().bfloat16(), angle.sin().bfloat16(), 1.0, out=wider[:, 1:4].clone()
    ).equal(kernels.rotate(wider[:, 1:4].contiguous(), angle.cos().bfloat16(), angle.sin().bfloat16(), 1.0))
    assert_close(kernels.rotate(turned, angle.cos().bfloat16(), angle.sin().bfloat16(), -1.0), x.double(), 8)


@pytest.mark.parametrize("window", [0, 5])
@pytest.mark.parametrize("length", [1, 33])
def test_attention_weights_see_the_past_only(kernels: Kernels, length: int, window: int) -> None:
    query, key = make(4, 2 * length, 16), make(4, length, 16, seed=1)
    place = torch.arange(length)
    hidden = place[None, :] > place[:, None]
    if window:
        hidden = hidden | (place[None, :] <= place[:, None] - window)

    def formula(scores: Tensor) -> Tensor:
        return (0.25 * scores).masked_fill(hidden.repeat(2, 1), -math.inf).softmax(-1)

    scores = torch.bmm(query, key.transpose(1, 2))
    weights = kernels.attention_weights(query, key, 0.25, window)
    # Scores may be rounded to bfloat16 on the way: that is an error of up to half a unit in the exponent's argument.
    assert_close(weights, formula(torch.bmm(query.double(), key.double().transpose(1, 2))), 6)
    assert not weights[:, hidden.repeat(2, 1)].any()
    grad = make(*weights.shape, seed=2)
    (expected,) = gradients(formula, [scores], grad)
    assert_close(kernels.attention_weights_backward(grad.clone(), weights, 0.25, window), expected, 8)


@pytest.mark.parametrize("kv_heads", [1, 2, 6])
def test_a_row_sees_its_own_cells(kernels: Kernels, kv_heads: int) -> None:
    query, cache = make(3, 9, 8)[:, :6], make(3, 10, 2, kv_heads, 8, seed=1)
    keys, values = (part.squeeze(2) for part in cache.transpose(1, 2).contiguous().transpose(1, 2).split(1, dim=2))
    sees = torch.tensor([[0, 4], [0, 10], [3, 7]])
    seen = kernels.attend_rows(query, keys, values, sees, 0.3)
    for row, (first, last) in enumerate(sees.tolist()):
        q = query[row].double().view(kv_heads, -1, 8)  # [K, G, D]
        k, v = (x[row, first:last].double().transpose(0, 1) for x in (keys, values))  # [K, T, D]
        expected = (0.3 * q @ k.transpose(1, 2)).softmax(-1) @ v
        assert_close(seen[row], expected.flatten(), 12)  # torch keeps the weights in bfloat16


@pytest.mark.parametrize("softcap", [0.0, 3.0])
def test_cross_entropy_and_its_gradient(kernels: Kernels, softcap: float) -> None:
    logits, targets = make(9, 1003, scale=4.0), torch.arange(9) * 100
    expected = logits.double().requires_grad_()
    capped = torch.tanh(expected / softcap) * softcap if softcap else expected
    losses = torch.nn.functional.cross_entropy(capped, targets, reduction="none")
    (grad,) = torch.autograd.grad(losses.sum(), expected)
    got = logits.clone()
    loss = kernels.cross_entropy(got, targets, softcap, True)
    torch.testing.assert_close(loss.double(), losses.detach(), rtol=1e-5, atol=1e-5)
    assert_close(got, grad, 4)


def test_cross_entropy_without_backward_and_where_the_softmax_underflows(kernels: Kernels) -> None:
    logits = torch.tensor([[200.0, 0.0, 1.0]]).bfloat16()
    assert kernels.cross_entropy(logits.clone(), torch.tensor([1]), 0.0, False).item() == pytest.approx(200.0)


def test_what_is_no_number_stays_none(kernels: Kernels) -> None:
    broken = make(2, 64)
    broken[1, 5] = math.nan
    y, _ = kernels.rms_norm(broken, make(64, seed=1), 1e-5)
    assert not y[0].isnan().any()
    assert y[1].isnan().all()
    assert kernels.swiglu(broken)[1, 5].isnan()
    assert kernels.cross_entropy(broken.clone(), torch.tensor([0, 0]), 0.0, False).isnan().tolist() == [False, True]


def test_other_types_and_a_switched_off_library_take_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernels_for(torch.ones(1)) is reference
    monkeypatch.setenv(native.SWITCH, "torch")
    native.library.cache_clear()
    assert kernels_for(torch.ones(1).bfloat16()) is reference
    monkeypatch.undo()
    native.library.cache_clear()


def test_a_compiler_that_fails_is_reported_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUNELOOP_CACHE", str(tmp_path))
    monkeypatch.setattr(native, "FLAGS", ("--no-such-flag",))
    problem = native.build()
    assert problem is not None
    assert "no-such-flag" in problem
    assert not native.built_path().exists()
    assert not list(native.built_path().parent.iterdir())


@pytest.mark.skipif(not native.can_build(), reason="no C++ compiler, or no bfloat16 instructions")
def test_a_library_that_does_not_load_is_built_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUNELOOP_CACHE", str(tmp_path))
    native.library.cache_clear()
    native.built_path().parent.mkdir()
    native.built_path().write_bytes(b"no library")
    assert native.library() is None
    assert native.build() is None
    assert native.library() is not None
    native.library.cache_clear()
