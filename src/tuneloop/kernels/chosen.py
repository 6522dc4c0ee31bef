"""Which arithmetic runs: C++ where it was built and fits, torch everywhere else. Both compute the same."""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor

from tuneloop.kernels import native, reference


class Kernels(Protocol):
    """The functions of `reference.py`, which documents them."""

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]: ...
    def rms_norm_backward(self, grad: Tensor, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor: ...
    def swiglu(self, gate_up: Tensor) -> Tensor: ...
    def swiglu_backward(self, grad: Tensor, gate_up: Tensor) -> Tensor: ...
    def rotate(self, x: Tensor, cos: Tensor, sin: Tensor, direction: float, out: Tensor | None = None) -> Tensor: ...
    def attention_weights(self, query: Tensor, key: Tensor, scale: float, window: int) -> Tensor: ...
    def attention_weights_backward(self, grad: Tensor, weights: Tensor, scale: float, window: int) -> Tensor: ...
    def cross_entropy(self, logits: Tensor, targets: Tensor, softcap: float, backward: bool) -> Tensor: ...
    def attend_rows(self, query: Tensor, keys: Tensor, values: Tensor, sees: Tensor, scale: float) -> Tensor: ...


def kernels_for(x: Tensor) -> Kernels:
    """The functions that fit this tensor's type and device."""
    fits = x.dtype == torch.bfloat16 and x.device.type == "cpu" and native.library() is not None
    return cast(Kernels, native if fits else reference)
