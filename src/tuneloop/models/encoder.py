"""Sentences as vectors: a folder with an encoder (BERT and its like), mean-pooled, so that likeness is a cosine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import AutoModel, AutoTokenizer

from tuneloop.core.errors import CorruptError, IncompatibleError
from tuneloop.models.quiet import quiet_libraries

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
"""Texts in, one row of length 1 for each out: `[texts, width]`."""

BATCH = 32
"""Texts that pass through the encoder together, those of about one length."""
LONGEST = 512
"""Tokens of a text that are looked at, where the encoder itself takes more."""


def load_encoder(folder: Path) -> Encode:
    """Load an encoder for the processor, without gradients, from safetensors alone.

    Mean pooling over the tokens of a text, as in Reimers and Gurevych, "Sentence-BERT" (2019).

    Args:
        folder: config.json, model.safetensors and a tokenizer, as sentence-transformers and the hub have them.
    Raises:
        IncompatibleError: this is no encoder that transformers knows (code `models.encoder`).
        CorruptError: the weights are damaged or incomplete (`models.weights_unreadable`, `models.weights_missing`).
    """
    safe = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet_libraries():
            tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
            model, found = AutoModel.from_pretrained(
                folder, **safe, use_safetensors=True, dtype=torch.float32, output_loading_info=True
            )
    except SafetensorError as error:
        raise CorruptError("models.weights_unreadable", file=folder, problem=_first_line(error)) from error
    except (ValueError, OSError, RuntimeError, KeyError, ImportError) as error:
        raise IncompatibleError("models.encoder", file=folder, problem=_first_line(error)) from error
    missing = sorted(name for name in found["missing_keys"] if not name.startswith("pooler."))
    if missing:
        raise CorruptError("models.weights_missing", file=folder, count=len(missing), first=missing[0])
    model = model.eval().requires_grad_(False)
    limit = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", LONGEST), LONGEST)

    def encode(texts: Sequence[str]) -> Vectors:
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        vectors = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            batch = tokenizer(
                [texts[place] for place in places], padding=True, truncation=True, max_length=limit, return_tensors="pt"
            )
            with torch.inference_mode():
                states = model(**batch).last_hidden_state
            vectors[places] = _mean(states, batch["attention_mask"]).numpy()
        return vectors

    return encode


def _mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean over a text's own tokens, scaled to length 1.

    Args:
        states: `[texts, tokens, width]`.
        mask: `[texts, tokens]`, 0 for padding.
    """
    weights = mask.unsqueeze(-1).to(states.dtype)
    pooled = (states * weights).sum(1) / weights.sum(1).clamp(min=1.0)
    return torch.nn.functional.normalize(pooled, dim=-1)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
