"""How much memory and time a training will take, by formula (docs/log.md compares it with what was measured)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tuneloop.adapters.bottleneck import bottleneck_size
from tuneloop.adapters.config import Method
from tuneloop.adapters.ia3 import FEED_FORWARD
from tuneloop.kernels.cross_entropy import CHUNK_LOGITS
from tuneloop.training.facts import DataFacts, MachineFacts, ModelFacts

EFFICIENCY = 0.45
"""Share of the measured matrix-product rate that a whole step reaches on a CPU."""
OVERHEAD_BYTES = 900_000_000
"""Python, torch and the libraries, before any model."""


def lora_parameters(facts: ModelFacts, settings: Mapping[str, Any]) -> int:
    """r · (in + out) for every adapted layer."""
    return sum(settings["r"] * (i + o) for _, i, o in _adapted(facts, settings["target_modules"]))


def dora_parameters(facts: ModelFacts, settings: Mapping[str, Any]) -> int:
    """LoRA's, and a magnitude for every output."""
    magnitudes = sum(o for _, _, o in _adapted(facts, settings["target_modules"]))
    return lora_parameters(facts, settings) + magnitudes


def ia3_parameters(facts: ModelFacts, settings: Mapping[str, Any]) -> int:
    """A scale for every output, or for every input of the layers that leave the feed-forward block."""
    layers = _adapted(facts, settings["target_modules"])
    return sum(i if name in FEED_FORWARD else o for name, i, o in layers)


def bottleneck_parameters(facts: ModelFacts, settings: Mapping[str, Any]) -> int:
    """Two matrices and their biases for every adapted block; each decoder layer has one of each name."""
    hidden = facts.hidden_size
    narrow = bottleneck_size(hidden, settings["reduction_factor"])
    return facts.layers * len(settings["target_modules"]) * (2 * hidden * narrow + narrow + hidden)


PARAMETERS: dict[Method, Callable[[ModelFacts, Mapping[str, Any]], int]] = {
    "lora": lora_parameters,
    "rslora": lora_parameters,
    "dora": dora_parameters,
    "pissa": lora_parameters,
    "loraplus": lora_parameters,
    "ia3": ia3_parameters,
    "houlsby": bottleneck_parameters,
    "pfeiffer": bottleneck_parameters,
    "parallel": bottleneck_parameters,
}
"""How many parameters a method trains, from the settings that the plan decided."""


def _adapted(facts: ModelFacts, targets: str | tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Last name, input and output size of every adapted linear layer."""
    for path, i, o in facts.linear_shapes:
        name = path.rsplit(".", 1)[-1]
        if targets == "all-linear" or name in targets:
            yield name, i, o


def flops_per_epoch(model: ModelFacts, data: DataFacts, trained: int) -> float:
    """Floating-point operations of one pass: 4·N a token for the frozen body (forward and input gradient), 4·V·d a
    supervised token for the head, 6·P a token for the adapter, and attention."""
    mean = data.tokens / data.rows
    attention = 7 * mean * model.heads * model.head_dim * model.layers
    head = 4 * model.vocabulary * model.hidden_size * data.supervised
    return (4 * model.body_parameters + 6 * trained + attention) * data.tokens + head


def training_seconds(model: ModelFacts, data: DataFacts, machine: MachineFacts, trained: int, epochs: float) -> float:
    """Seconds of all passes, evaluations apart."""
    return flops_per_epoch(model, data, trained) * epochs / (machine.flops_per_second * EFFICIENCY)


def peak_bytes(model: ModelFacts, trained: int, tokens: int, longest: int) -> int:
    """Peak resident memory of a micro-batch of `tokens` tokens.

    Weights and their reordered copies; adapter, gradient, two moments and the kept best adapter in float32 (20 bytes a
    parameter); the activations that backward needs, about 14 hidden-size and 3 feed-forward-size values a token and
    layer; attention weights; one chunk of logits.
    """
    weights = (1 + model.weight_copies) * model.parameters * model.bytes_per_weight
    optimiser = 20 * trained
    values = 14 * model.hidden_size + 3 * model.intermediate_size
    activations = tokens * model.layers * values * model.bytes_per_weight
    attention = tokens * min(longest, tokens) * model.heads * model.layers * model.bytes_per_weight
    logits = 3 * CHUNK_LOGITS * model.bytes_per_weight
    return OVERHEAD_BYTES + weights + optimiser + activations + attention + logits
