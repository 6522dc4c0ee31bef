"""How near an answer's meaning is to its reference's, by a text encoder that the user brings.

`similarity` is the cosine of the two texts' vectors, pooled as the encoder's own folder says (sentence-transformers'
`1_Pooling/config.json`: mean, first or last token; mean without it). `bert_score` matches each token with its most similar
one in the other text (Zhang et al. 2020, F1, last layer, without idf weights and baseline rescaling). Both are 0 for an
empty answer and never below. An encoder that wants a prefix ("query: ") gets none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuneloop.core.errors import RecipeError
from tuneloop.core.hashing import hash_file, hash_value
from tuneloop.evaluation.rows import shortened

if TYPE_CHECKING:  # summaries of finished evaluations need no torch
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LIKENESS = ("similarity", "bert_score")
"""What an encoder adds to every arm's metrics."""

BATCH = 16
MOST_TOKENS = 512
FILES = ("config.json", "*.safetensors", "tokenizer*", "vocab*", "*.model", "1_Pooling/config.json")

Pool = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""From token vectors (n, length, width) and mask (n, length) to vectors of texts (n, width)."""


def mean_of_tokens(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean of the tokens that are there."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


def first_token(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The first token, as BERT's own sentence vector; padding is on the right."""
    return states[:, 0]


def last_token(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The last token that is there, as decoders used as encoders have it."""
    import torch

    return states[torch.arange(len(states)), (mask.sum(1) - 1).clamp(min=0)]


POOLINGS: dict[str, Pool] = {
    "pooling_mode_mean_tokens": mean_of_tokens,
    "pooling_mode_cls_token": first_token,
    "pooling_mode_lasttoken": last_token,
}
"""By the key that sentence-transformers writes."""


@dataclass(frozen=True)
class Encoder:
    """A text encoder, ready."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    pool: Pool
    most_tokens: int
    sha256: str


def load_encoder(given: str, folder: Path) -> Encoder:
    """Load an encoder's folder; nothing is downloaded and no code of the folder is run.

    Args:
        given: the folder, relative to `folder`.
        folder: the recipe's.

    Raises:
        RecipeError: it holds no encoder (code `evaluation.encoder_wrong`).
    """
    from transformers import AutoModel, AutoTokenizer

    from tuneloop.models.quiet import quiet_libraries

    place = folder / Path(given).expanduser()
    try:
        if not (place / "config.json").is_file():
            raise FileNotFoundError("no config.json")
        with quiet_libraries():
            local = {"local_files_only": True, "trust_remote_code": False}
            tokenizer = AutoTokenizer.from_pretrained(place, **local)
            model = AutoModel.from_pretrained(place, use_safetensors=True, **local).eval()
        pool = _pooling(place / "1_Pooling" / "config.json")
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise RecipeError("evaluation.encoder_wrong", file=place, problem=shortened(str(error), 200)) from error
    # Position tables of the RoBERTa family begin two places later.
    positions = int(getattr(model.config, "max_position_embeddings", None) or MOST_TOKENS + 2) - 2
    tokenizer.padding_side = "right"
    names = sorted({path for pattern in FILES for path in place.glob(pattern)})
    sha256 = hash_value({str(path.relative_to(place)): hash_file(path) for path in names})
    return Encoder(model, tokenizer, pool, min(MOST_TOKENS, positions, int(tokenizer.model_max_length)), sha256)


def likeness(encoder: Encoder, answers: Sequence[str], references: Sequence[str]) -> dict[str, list[float]]:
    """Compare each answer with its reference.

    Returns:
        By name in `LIKENESS` a score between 0 and 1 for each row.
    """
    scores: dict[str, list[float]] = {name: [] for name in LIKENESS}
    for start in range(0, len(answers), BATCH):
        part = slice(start, start + BATCH)
        (said, said_tokens), (expected, expected_tokens) = (
            _encode(encoder, texts[part]) for texts in (answers, references)
        )
        cosines = (said * expected).sum(-1).clamp(min=0.0, max=1.0).tolist()
        f1 = map(_matched, said_tokens, expected_tokens)
        for answer, cosine, matched in zip(answers[part], cosines, f1, strict=True):
            there = bool(answer.strip())
            scores["similarity"].append(float(cosine) if there else 0.0)
            scores["bert_score"].append(matched if there else 0.0)
    return scores


def _encode(encoder: Encoder, texts: Sequence[str]) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Vectors of length 1: of each text, shape (n, width), and of each text's tokens without special ones."""
    import torch
    from torch.nn.functional import normalize

    tokens = encoder.tokenizer(
        list(texts),
        padding=True,
        truncation=True,
        max_length=encoder.most_tokens,
        return_special_tokens_mask=True,
        return_tensors="pt",
    )
    special, mask = tokens.pop("special_tokens_mask"), tokens["attention_mask"]
    with torch.inference_mode():
        states = encoder.model(**tokens).last_hidden_state.float()
    kept = mask.bool() & ~special.bool()
    whole = normalize(encoder.pool(states, mask), dim=-1)
    return whole, [normalize(one[here], dim=-1) for one, here in zip(states, kept, strict=True)]


def _matched(said: torch.Tensor, expected: torch.Tensor) -> float:
    """F1 of the best matches between two texts' tokens, shapes (length, width)."""
    if not len(said) or not len(expected):
        return 0.0
    cosines = said @ expected.T
    precision, recall = float(cosines.max(1).values.mean()), float(cosines.max(0).values.mean())
    both = precision + recall
    return min(1.0, max(0.0, 2 * precision * recall / both)) if both > 0 else 0.0


def _pooling(file: Path) -> Pool:
    """How the encoder's own folder says that tokens become one vector."""
    if not file.is_file():
        return mean_of_tokens
    told = json.loads(file.read_text(encoding="utf-8"))
    for name, pool in POOLINGS.items():
        if told.get(name):
            return pool
    known = ", ".join(POOLINGS)
    raise ValueError(f"{file.name}: {', '.join(k for k, on in told.items() if on is True) or '-'} (known: {known})")
