"""How much memory and time a training will take, by formula (`bench/memory.py` compares it with what is measured)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tuneloop.adapters.adalora import first_rank
from tuneloop.adapters.bottleneck import bottleneck_size
from tuneloop.adapters.config import Method
from tuneloop.adapters.ia3 import FEED_FORWARD
from tuneloop.kernels.cross_entropy import CHUNK_LOGITS
from tuneloop.training.facts import DataFacts, MachineFacts, ModelFacts

EFFICIENCY = {"cpu": 0.6, "gpu": 0.3}
"""Share of the matrix-product rate that a whole step reaches: measured on a CPU; for GPUs an assumption, not measured."""
PROCESS_BYTES = {"cpu": 420_000_000, "gpu": 1_000_000_000}
"""Before any model: Python, torch and the libraries; on a GPU CUDA's context and the workspaces of its libraries."""
TOKENIZER_BYTES = 1_430
"""Of the tokenizer, for each token of its vocabulary (in the CPU's memory)."""
FRAGMENTATION = {"cpu": 1.35, "gpu": 1.1}
"""Memory of the activations by what they hold: the C library keeps blocks of many sizes between the steps."""
NF4_BYTES = 0.53
"""Of a weight in NF4 with double quantisation: 4 bits, and 8 bits a block of 64 (arXiv 2305.14314, section 3)."""
OPTIMISER_BYTES = 20
"""Of a trained parameter in float32: itself, gradient, two moments, and the best one so far."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What of a plan decides over memory."""

    trained: int
    """Parameters that the adapter trains."""
    targets: str | tuple[str, ...]
    checkpointing: bool = False
    quantization: str = "none"
    """none | nf4."""


def lora_parameters(facts: ModelFacts, settings: Mapping[str, Any]) -> int:
    """r · (in + out) for every adapted layer."""
    return sum(settings["r"] * (i + o) for _, i, o in _adapted(facts, settings["target_modules"]))


def dora_parameters(facts: ModelFacts, settings: Mapping[str, Any]) -> int:
    """LoRA's, and a magnitude for every output."""
    magnitudes = sum(o for _, _, o in _adapted(facts, settings["target_modules"]))
    return lora_parameters(facts, settings) + magnitudes


def adalora_parameters(facts: ModelFacts, settings: Mapping[str, Any]) -> int:
    """LoRA's with the ranks of the beginning, and a singular value for each of them."""
    rank = first_rank(settings["r"])
    return sum(rank * (i + o + 1) for _, i, o in _adapted(facts, settings["target_modules"]))


def ia3_parameters(facts: ModelFacts, settings: Mapping[str, Any]) -> int:
    """A scale for every output, or for every input of the layers that leave the feed-forward block."""
    layers = _adapted(facts, settings["target_modules"])
    return sum(i if name in FEED_FORWARD else o for name, i, o in layers)


def bottleneck_parameters(facts: ModelFacts, settings: Mapping[str, Any]) -> int:
    """Two matrices and their biases for every adapted block; each decoder layer has one of each name."""
    hidden = facts.hidden_size
    narrow = bottleneck_size(hidden, settings["reduction_factor"])
    return facts.layers * len(settings["target_modules"]) * (2 * hidden * narrow + narrow + hidden)


def prompt_parameters(facts: ModelFacts, settings: Mapping[str, Any]) -> int:
    """An embedding for every virtual token."""
    return int(settings["num_virtual_tokens"]) * facts.hidden_size


def prefix_parameters(facts: ModelFacts, settings: Mapping[str, Any]) -> int:
    """A key and a value in every layer for every virtual token."""
    sizes = sum(o for path, _, o in facts.linear_shapes if path.endswith(("k_proj", "v_proj")))
    return int(settings["num_virtual_tokens"]) * sizes


PARAMETERS: dict[Method, Callable[[ModelFacts, Mapping[str, Any]], int]] = {
    "lora": lora_parameters,
    "rslora": lora_parameters,
    "dora": dora_parameters,
    "pissa": lora_parameters,
    "loraplus": lora_parameters,
    "adalora": adalora_parameters,
    "ia3": ia3_parameters,
    "houlsby": bottleneck_parameters,
    "pfeiffer": bottleneck_parameters,
    "parallel": bottleneck_parameters,
    "prompt_tuning": prompt_parameters,
    "prefix_tuning": prefix_parameters,
}
"""How many parameters a method trains, from the settings that the plan decided."""


def _adapted(facts: ModelFacts, targets: str | tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Last name, input and output size of every adapted linear layer."""
    for path, i, o in facts.linear_shapes:
        if _is_adapted(path, targets):
            yield path.rsplit(".", 1)[-1], i, o


def flops_per_epoch(model: ModelFacts, data: DataFacts, trained: int, *, checkpointing: bool = False) -> float:
    """Floating-point operations of one pass: 4·N a token for the frozen body (forward and input gradient), 4·V·d a
    supervised token for the head, 6·P a token for the adapter, and attention; with checkpointing 2·N and 2·P more."""
    mean = data.tokens / data.rows
    attention = 7 * mean * model.heads * model.head_dim * model.layers
    head = 4 * model.vocabulary * model.hidden_size * data.supervised
    again = 2 * (model.body_parameters + trained) if checkpointing else 0
    return (4 * model.body_parameters + 6 * trained + again + attention) * data.tokens + head


def training_seconds(
    model: ModelFacts,
    data: DataFacts,
    machine: MachineFacts,
    trained: int,
    epochs: float,
    *,
    checkpointing: bool = False,
) -> float:
    """Seconds of all passes, evaluations apart."""
    operations = flops_per_epoch(model, data, trained, checkpointing=checkpointing)
    return operations * epochs / (machine.flops_per_second * EFFICIENCY[machine.kind])


def fixed_bytes(model: ModelFacts, setup: Setup, kind: str = "cpu") -> int:
    """Memory before the first micro-batch: process, tokenizer, weights and their reordered copies, adapter and its
    optimiser. The largest weight is copied twice while it is reordered, and the C library keeps these blocks."""
    embeddings = model.parameters - model.body_parameters
    per_weight = NF4_BYTES if setup.quantization == "nf4" else model.bytes_per_weight
    weights = model.body_parameters * per_weight + embeddings * model.bytes_per_weight
    weights += model.weight_copies * model.parameters * model.bytes_per_weight
    reordering = model.weight_copies * model.vocabulary * model.hidden_size * model.bytes_per_weight
    tokenizer = TOKENIZER_BYTES * model.vocabulary if kind == "cpu" else 0
    optimiser = OPTIMISER_BYTES * setup.trained
    return int(PROCESS_BYTES[kind] + tokenizer + weights + reordering + optimiser)


def activation_bytes(model: ModelFacts, setup: Setup, tokens: int, longest: int, kind: str = "cpu") -> int:
    """Memory that a micro-batch adds: what backward needs of every layer, attention weights, and a chunk of logits."""
    layer = tokens * _saved_values(model, setup.targets) + tokens * min(longest, tokens) * model.heads
    kept = layer + model.layers * tokens * model.hidden_size if setup.checkpointing else model.layers * layer
    # The chunk's logits and the two tensors made of them; in float32 on a path without our kernels.
    logits = 3 * min(CHUNK_LOGITS, tokens * model.vocabulary)
    return int(FRAGMENTATION[kind] * (kept + logits) * model.bytes_per_weight)


def peak_bytes(model: ModelFacts, setup: Setup, tokens: int, longest: int, kind: str = "cpu") -> int:
    """Peak memory of a training whose largest micro-batch has `tokens` tokens: resident on a CPU, the card's on a GPU."""
    return fixed_bytes(model, setup, kind) + activation_bytes(model, setup, tokens, longest, kind)


def _saved_values(model: ModelFacts, targets: str | tuple[str, ...]) -> int:
    """Values a token and layer that are kept for backward, attention weights apart.

    Queries, keys and values as attention saw them; both halves of the feed-forward layer's first product; the input of
    every adapted layer, shared by those that read the same; the norms' inputs. The library's own norms work in float32
    (Gemma has four, and two for each head's queries and keys), its feed-forward keeps two tensors more.
    """
    per_layer, inputs = 0, {}
    for name, size_in, size_out in model.linear_shapes:
        parent, leaf = name.rpartition(".")[::2]
        if leaf in ("q_proj", "k_proj", "v_proj", "qkv_proj", "c_attn", "query_key_value"):
            per_layer += size_out if model.fused else 3 * size_out
        if _is_adapted(name, targets):
            shared = leaf in ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj")
            inputs[parent, "shared" if shared else leaf] = size_in
    values = (per_layer + sum(inputs.values())) // model.layers
    norms = 2 * model.hidden_size if model.fused else 8 * model.hidden_size
    return values + norms + (2 if model.fused else 4) * model.intermediate_size


def _is_adapted(name: str, targets: str | tuple[str, ...]) -> bool:
    return targets == "all-linear" or name.rsplit(".", 1)[-1] in targets
