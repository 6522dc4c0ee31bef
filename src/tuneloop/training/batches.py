"""Batches by token budget: similar lengths stand together, real tokens only, the whole schedule fixed by the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tuneloop.core.seeds import generator
from tuneloop.kernels.attention import Segments, segments
from tuneloop.training.tokenise import Example

POOL = 16
"""Batches' worth of samples that are sorted by length together: enough to fit, few enough to stay random."""


@dataclass(frozen=True, slots=True)
class Step:
    """One optimiser step: its micro-batches, as indices of examples."""

    epoch: int
    micro_batches: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Packed samples of one micro-batch: T tokens, N of them predicted."""

    ids: Tensor
    """int64 [1, T]."""
    positions: Tensor
    """int64 [1, T], from 0 in every sample."""
    segments: Segments
    predictors: Tensor
    """int64 [N]: places whose next token is supervised."""
    targets: Tensor
    """int64 [N]: those next tokens."""


def schedule(
    lengths: Sequence[int],
    *,
    max_tokens: int | None,
    max_samples: int | None,
    accumulation: int,
    epochs: float,
    seed: int,
) -> list[Step]:
    """Lay out every optimiser step of a training; the same arguments give the same steps, so a run resumes by number.

    Args:
        lengths: tokens of each sample of the training split; none gives no steps.
        max_tokens: budget of a micro-batch; a longer sample stands alone.
        max_samples: samples of a micro-batch; at least one of the two limits is given.
        accumulation: micro-batches of a step; the last step of an epoch may have fewer.
        epochs: passes; 1.5 stops in the middle of the second.
        seed: of the order.
    """
    steps: list[Step] = []
    if not lengths:
        return steps
    whole = -int(-epochs // 1)
    for epoch in range(whole):
        batches = _epoch(lengths, max_tokens, max_samples, seed, epoch)
        groups = [tuple(batches[i : i + accumulation]) for i in range(0, len(batches), accumulation)]
        if epoch + 1 > epochs:
            groups = groups[: max(1, round(len(groups) * (epochs - epoch)))]
        steps += [Step(epoch, group) for group in groups]
    return steps


def _epoch(
    lengths: Sequence[int], max_tokens: int | None, max_samples: int | None, seed: int, epoch: int
) -> list[tuple[int, ...]]:
    random = generator(seed, "batches", str(epoch))
    order = list(range(len(lengths)))
    random.shuffle(order)
    mean = sum(lengths) / len(lengths)
    per_batch = min(max_samples or len(lengths), max(1, int((max_tokens or 1 << 60) / mean)))
    pool = max(1, per_batch * POOL)
    batches: list[tuple[int, ...]] = []
    for start in range(0, len(order), pool):
        similar = sorted(order[start : start + pool], key=lambda i: lengths[i])
        batches += pack(similar, lengths, max_tokens=max_tokens, max_samples=max_samples)
    random.shuffle(batches)
    return batches


def pack(
    order: Sequence[int], lengths: Sequence[int], *, max_tokens: int | None, max_samples: int | None = None
) -> list[tuple[int, ...]]:
    """Cut an order of samples into batches within the limits; nothing is dropped.

    >>> pack([0, 1, 2], [3, 4, 9], max_tokens=8)
    [(0, 1), (2,)]
    """
    batches: list[tuple[int, ...]] = []
    current: list[int] = []
    tokens = 0
    for index in order:
        full = max_tokens is not None and tokens + lengths[index] > max_tokens
        if current and (full or len(current) == max_samples):
            batches.append(tuple(current))
            current, tokens = [], 0
        current.append(index)
        tokens += lengths[index]
    if current:
        batches.append(tuple(current))
    return batches


def fit(batch: list[Example], max_tokens: int | None) -> list[list[Example]]:
    """Cut a micro-batch into smaller ones of at most `max_tokens` tokens each; a longer sample stands alone."""
    lengths = [len(example.ids) for example in batch]
    if max_tokens is None or sum(lengths) <= max_tokens:
        return [batch]
    return [[batch[i] for i in piece] for piece in pack(range(len(batch)), lengths, max_tokens=max_tokens)]


def collate(examples: Sequence[Example], device: torch.device) -> Batch:
    """Stand samples one behind another."""
    ids: list[int] = []
    positions: list[int] = []
    predictors: list[int] = []
    for example in examples:
        start = len(ids)
        predictors += [start + j - 1 for j in range(1, len(example.ids)) if example.supervised[j]]
        ids += example.ids
        positions += range(len(example.ids))
    row = torch.tensor(ids, device=device)
    places = torch.tensor(predictors, device=device, dtype=torch.int64)
    return Batch(
        ids=row[None],
        positions=torch.tensor(positions, device=device)[None],
        segments=segments([len(e.ids) for e in examples], device),
        predictors=places,
        targets=row[places + 1],
    )
