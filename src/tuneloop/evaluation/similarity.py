"""How near an answer's meaning is to its reference's, by a text encoder that the user brings (`models.encoder`).

`similarity` is the cosine of the two texts' vectors. `bert_score` matches each token with its most similar one in the other
text (Zhang et al. 2020, F1, last layer, without idf weights and baseline rescaling). Both are 0 for an empty answer and never
below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # summaries of finished evaluations need no torch
    import torch

    from tuneloop.models.encoder import Encoder

LIKENESS = ("similarity", "bert_score")
"""What an encoder adds to every arm's metrics."""

BATCH = 16


def likeness(encoder: Encoder, answers: Sequence[str], references: Sequence[str]) -> dict[str, list[float]]:
    """Compare each answer with its reference.

    Returns:
        By name in `LIKENESS` a score between 0 and 1 for each row.
    """
    scores: dict[str, list[float]] = {name: [] for name in LIKENESS}
    for start in range(0, len(answers), BATCH):
        part = slice(start, start + BATCH)
        (said, said_tokens), (expected, expected_tokens) = (
            encoder.encode(texts[part]) for texts in (answers, references)
        )
        cosines = (said * expected).sum(-1).clamp(min=0.0, max=1.0).tolist()
        f1 = map(_matched, said_tokens, expected_tokens)
        for answer, cosine, matched in zip(answers[part], cosines, f1, strict=True):
            there = bool(answer.strip())
            scores["similarity"].append(float(cosine) if there else 0.0)
            scores["bert_score"].append(matched if there else 0.0)
    return scores


def _matched(said: torch.Tensor, expected: torch.Tensor) -> float:
    """F1 of the best matches between two texts' tokens, shapes (length, width)."""
    if not len(said) or not len(expected):
        return 0.0
    cosines = said @ expected.T
    precision, recall = float(cosines.max(1).values.mean()), float(cosines.max(0).values.mean())
    both = precision + recall
    return min(1.0, max(0.0, 2 * precision * recall / both)) if both > 0 else 0.0
