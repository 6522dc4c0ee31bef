"""What a plan needs to know about model, data and machine: numbers only, so that plans are tested without any of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import psutil
import torch
from torch import nn

from tuneloop.core.records import Sample
from tuneloop.kernels.frozen import COPIES
from tuneloop.models.load import LoadedModel
from tuneloop.training.fast_path import is_llama_shaped, reorders
from tuneloop.training.tokenise import Example

MOST_ROUNDS, MOST_SECONDS = 60, 0.3
"""Of the timed matrix product."""


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
    fused: bool = True
    """Whether norms and feed-forward are our own, which keep less for backward than the library's."""


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
    lengths: tuple[int, ...]
    """Of every sample, in its order."""
    first_targets: tuple[int, ...]
    """Place of every sample's first token that counts in the loss: cut there or before, it teaches nothing."""

    def cut(self, max_length: int) -> list[int]:
        """Lengths of the samples that are trained on when longer ones are cut."""
        pairs = zip(self.lengths, self.first_targets, strict=True)
        return [min(length, max_length) for length, first in pairs if first < min(length, max_length)]


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What a machine has."""

    available_bytes: int
    flops_per_second: float
    """Rate of a matrix product in the compute type: measured here, the data sheet's for a machine that is not here."""
    kind: Literal["cpu", "gpu"] = "cpu"
    name: str = ""
    dtype: str = "float32"
    """Compute type, by its name in torch."""
    is_here: bool = True
    """False for a machine of the table in `devices.py`: then the plan may choose NF4, which the recipe must ask for."""


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
        fused=is_llama_shaped(config),
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
        lengths=tuple(len(e.ids) for e in train),
        first_targets=tuple(_first_target(e) for e in train),
    )


def _first_target(example: Example) -> int:
    return next((place for place, counts in enumerate(example.supervised) if counts and place), len(example.ids))


def machine_facts(loaded: LoadedModel) -> MachineFacts:
    """Look at the memory, and time a matrix product of the model's size: the best of many, as others may be at work."""
    size = loaded.model.config.get_text_config().hidden_size
    x = torch.ones(1024, size, dtype=loaded.dtype, device=loaded.device)
    w = torch.ones(4 * size, size, dtype=loaded.dtype, device=loaded.device)
    best, rounds, begun = float("inf"), 0, time.perf_counter()
    while rounds < 4 or (rounds < MOST_ROUNDS and time.perf_counter() - begun < MOST_SECONDS):
        start = time.perf_counter()
        x @ w.T
        best, rounds = min(best, time.perf_counter() - start), rounds + 1
    memory = psutil.virtual_memory().available
    if loaded.device.type == "cuda":
        memory = torch.cuda.mem_get_info(loaded.device)[0]
    kind: Literal["cpu", "gpu"] = "gpu" if loaded.device.type == "cuda" else "cpu"
    dtype = str(loaded.dtype).removeprefix("torch.")
    return MachineFacts(memory, 2 * 1024 * size * 4 * size / best, kind, str(loaded.device), dtype)


def characters(samples: Sequence[Sample]) -> int:
    """Characters of all messages."""
    return sum(len(m.content) for s in samples for m in s.messages)
