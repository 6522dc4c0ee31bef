"""What a plan needs to know about model, data and machine: numbers only, so that plans are tested without any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil
from torch import nn

from tuneloop.core.records import Sample
from tuneloop.kernels.frozen import COPIES
from tuneloop.models.load import LoadedModel
from tuneloop.training.fast_path import reorders
from tuneloop.training.tokenise import Example


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Sizes of a decoder."""

    name: str
    model_type: str
    parameters: int
    body_parameters: int
    """Weights of the linear layers between embedding and head."""
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    head_dim: int
    vocabulary: int
    context: int
    bytes_per_weight: int
    """2 in bf16, 4 in float32."""
    weight_copies: int
    """Copies of the weights in the CPU's own layout that the training keeps beside them."""
    linear_shapes: tuple[tuple[str, int, int], ...]
    """Name, input and output size of every adaptable linear layer."""


@dataclass(frozen=True, slots=True)
class DataFacts:
    """Lengths in tokens of the training split."""

    rows: int
    tokens: int
    supervised: int
    longest: int
    length_p99: int
    validation_rows: int
    validation_tokens: int


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What this machine has."""

    available_bytes: int
    flops_per_second: float
    """Measured rate of a matrix product in the compute type."""


def model_facts(loaded: LoadedModel) -> ModelFacts:
    config = loaded.model.config.get_text_config()
    head = loaded.model.get_output_embeddings()
    shapes = tuple(
        (name, module.in_features, module.out_features)
        for name, module in loaded.model.named_modules()
        if isinstance(module, nn.Linear) and module is not head
    )
    return ModelFacts(
        name=loaded.name,
        model_type=config.model_type,
        parameters=sum(p.numel() for p in loaded.model.parameters()),
        body_parameters=sum(i * o for _, i, o in shapes),
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        head_dim=getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
        vocabulary=config.vocab_size,
        context=config.max_position_embeddings,
        bytes_per_weight=loaded.dtype.itemsize,
        weight_copies=COPIES if reorders(loaded.model) else 0,
        linear_shapes=shapes,
    )


def data_facts(train: Sequence[Example], validation: Sequence[Example]) -> DataFacts:
    lengths = sorted(len(e.ids) for e in train)
    return DataFacts(
        rows=len(train),
        tokens=sum(lengths),
        supervised=sum(e.targets for e in train),
        longest=lengths[-1],
        length_p99=lengths[min(len(lengths) - 1, int(0.99 * len(lengths)))],
        validation_rows=len(validation),
        validation_tokens=sum(len(e.ids) for e in validation),
    )


def machine_facts(loaded: LoadedModel) -> MachineFacts:
    """Look at the memory and time a matrix product of the model's size for a few milliseconds."""
    import time

    import torch

    size = loaded.model.config.get_text_config().hidden_size
    x = torch.ones(1024, size, dtype=loaded.dtype, device=loaded.device)
    w = torch.ones(4 * size, size, dtype=loaded.dtype, device=loaded.device)
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        x @ w.T
        best = min(best, time.perf_counter() - start)
    memory = psutil.virtual_memory().available
    if loaded.device.type == "cuda":
        memory = torch.cuda.mem_get_info(loaded.device)[0]
    return MachineFacts(memory, 2 * 1024 * size * 4 * size / best)


def characters(samples: Sequence[Sample]) -> int:
    """Characters of all messages."""
    return sum(len(m.content) for s in samples for m in s.messages)
