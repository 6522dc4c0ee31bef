"""Texts as vectors, by a text encoder that the user brings: BERT and its like.

Pooled as the encoder's own folder says (sentence-transformers' `1_Pooling/config.json`: mean, first or last token; mean without
it, as in Reimers and Gurevych, "Sentence-BERT", 2019). An encoder that wants a prefix ("query: ") gets none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from tuneloop.core.errors import RecipeError
from tuneloop.core.hashing import hash_value
from tuneloop.models.encoder_files import hash_encoder
from tuneloop.models.quiet import quiet_libraries

MOST_TOKENS = 512
"""Tokens of a text that are looked at, where the encoder itself takes more."""

Pool = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
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

    def encode(self, texts: Sequence[str]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Vectors of length 1 of one batch of texts.

        Returns:
            One of each text, shape (n, width), and those of each text's tokens without special ones, each (length, width).
        """
        tokens = self.tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self.most_tokens,
            return_special_tokens_mask=True,
            return_tensors="pt",
        )
        special, mask = tokens.pop("special_tokens_mask"), tokens["attention_mask"]
        with torch.inference_mode():
            states = self.model(**tokens).last_hidden_state.float()
        kept = mask.bool() & ~special.bool()
        whole = normalize(self.pool(states, mask), dim=-1)
        return whole, [normalize(one[here], dim=-1) for one, here in zip(states, kept, strict=True)]


def load_encoder(folder: Path) -> Encoder:
    """Load an encoder's folder; nothing is downloaded and no code of the folder is run.

    Raises:
        RecipeError: it holds no encoder (code `models.encoder`).
    """
    try:
        if not (folder / "config.json").is_file():
            raise FileNotFoundError("no config.json")
        with quiet_libraries():
            local = {"local_files_only": True, "trust_remote_code": False}
            tokenizer = AutoTokenizer.from_pretrained(folder, **local)
            model, found = AutoModel.from_pretrained(
                folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **local
            )
        missing = sorted(name for name in found["missing_keys"] if not name.startswith("pooler."))
        if missing:
            raise ValueError(f"{len(missing)} weights are missing, first {missing[0]}")
        pool = _pooling(folder / "1_Pooling" / "config.json")
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        problem = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise RecipeError("models.encoder", file=folder, problem=problem) from error
    # Position tables of the RoBERTa family begin two places later.
    positions = int(getattr(model.config, "max_position_embeddings", None) or MOST_TOKENS + 2) - 2
    tokenizer.padding_side = "right"
    most = min(MOST_TOKENS, positions, int(tokenizer.model_max_length))
    sha256 = hash_value(hash_encoder(folder))
    return Encoder(model.eval().requires_grad_(False), tokenizer, pool, most, sha256)


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
