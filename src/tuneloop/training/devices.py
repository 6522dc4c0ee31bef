"""Machines that one may not have: what `tuneloop check --device` plans for."""

from __future__ import annotations

from dataclasses import dataclass

from tuneloop.core.errors import UsageError
from tuneloop.training.facts import MachineFacts


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU by its data sheet."""

    title: str
    memory_bytes: int
    flops_per_second: float
    """Dense matrix products in `dtype` with float32 sums."""
    dtype: str
    source: str


DEVICES: dict[str, Device] = {
    "t4": Device("NVIDIA T4", 15 << 30, 65e12, "float16", "NVIDIA T4 data sheet: 16 GB, 65 TFLOPS fp16, no bf16"),
    "a10": Device("NVIDIA A10", 22 << 30, 125e12, "bfloat16", "NVIDIA A10 data sheet: 24 GB, 125 TFLOPS bf16"),
    "4090": Device(
        "NVIDIA GeForce RTX 4090", 23 << 30, 165e12, "bfloat16", "Ada white paper: 24 GB, 165.2 TFLOPS bf16"
    ),
    "h100": Device("NVIDIA H100 SXM", 79 << 30, 989e12, "bfloat16", "NVIDIA H100 data sheet: 80 GB, 989 TFLOPS bf16"),
}
"""Name and figures. The memory is what is left of the data sheet's after error correction and the driver."""


def device_facts(name: str) -> MachineFacts:
    """What a plan needs to know about a machine of the table.

    Raises:
        UsageError: the table has no such machine (code `training.device_unknown`).

    >>> device_facts("t4").dtype
    'float16'
    """
    if name not in DEVICES:
        raise UsageError("training.device_unknown", name=name, known=", ".join(DEVICES))
    device = DEVICES[name]
    return MachineFacts(device.memory_bytes, device.flops_per_second, "gpu", device.title, device.dtype, is_here=False)
