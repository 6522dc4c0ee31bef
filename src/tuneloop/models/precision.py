"""Which number type the frozen weights compute in, decided by the hardware, with the reason in words."""

from __future__ import annotations

import time
from functools import cache
from typing import NamedTuple

import torch

from tuneloop.core.errors import ResourceError, UsageError
from tuneloop.core.messages import text

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "avx10_2", "bf16")
"""Names in torch's list of what the processor can do; the last one is Arm's."""


class Precision(NamedTuple):
    """A decision for a plan."""

    dtype: torch.dtype
    reason: str


def choose_device(requested: str) -> torch.device:
    """Return the device that the recipe asks for; `auto` is the first GPU, else the CPU.

    Raises:
        UsageError: that is no device (code `models.device_unknown`).
        ResourceError: this machine has no such device (code `models.device_missing`).
    """
    if requested == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(requested)
    except RuntimeError as error:
        raise UsageError("models.device_unknown", device=requested) from error
    if device.type == "cuda" and not (device.index or 0) < torch.cuda.device_count():
        raise ResourceError("models.device_missing", device=requested, count=torch.cuda.device_count())
    return device


def choose_precision(requested: str, device: torch.device) -> Precision:
    """Return the compute type for `auto`, `float32`, `bfloat16` or `float16` on a device, and why.

    Raises:
        UsageError: float16 on a CPU (code `models.float16_on_cpu`).
    """
    if requested == "float16" and device.type == "cpu":
        raise UsageError("models.float16_on_cpu")
    if requested != "auto":
        return Precision(_DTYPES[requested], text("models.precision.asked"))
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return (
            Precision(torch.bfloat16, text("models.precision.gpu_bfloat16"))
            if native
            else Precision(torch.float16, text("models.precision.gpu_float16"))
        )
    if device.type != "cpu":
        return Precision(torch.float32, text("models.precision.other_device", device=device.type))
    if not has_bfloat16_instructions():
        return Precision(torch.float32, text("models.precision.no_instructions"))
    speedup = measure_bfloat16_speedup()
    if speedup > 1.1:
        return Precision(torch.bfloat16, text("models.precision.faster", speedup=f"{speedup:.1f}"))
    return Precision(torch.float32, text("models.precision.not_faster", speedup=f"{speedup:.1f}"))


def has_bfloat16_instructions() -> bool:
    """Whether the processor multiplies bfloat16 matrices itself; without, bfloat16 is up to 100 times slower."""
    abilities = torch.cpu.get_capabilities()
    return any(abilities.get(name, False) for name in _BFLOAT16_INSTRUCTIONS)


@cache
def measure_bfloat16_speedup() -> float:
    """How many times faster this CPU multiplies in bfloat16 than in float32: measured once a process, below a second.

    The shapes are those of a small model's linear layer under a training batch: [512, 768] × [768, 2048].
    """
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        left, right = torch.ones(512, 768, dtype=dtype), torch.ones(2048, 768, dtype=dtype)
        rounds: list[float] = []
        start = time.perf_counter()
        while len(rounds) < 8 and time.perf_counter() - start < 0.4:
            before = time.perf_counter()
            torch.nn.functional.linear(left, right)
            rounds.append(time.perf_counter() - before)
        seconds[dtype] = min(rounds)
    return seconds[torch.float32] / seconds[torch.bfloat16]
