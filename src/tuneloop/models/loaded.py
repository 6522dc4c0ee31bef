"""A model that is ready to be used: weights, tokenizer and chat template together."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from tuneloop.models.template import ChatTemplate


@dataclass(frozen=True)
class LoadedModel:
    """Frozen weights in evaluation mode and in the compute type, and everything that turns text into their tokens."""

    name: str
    """As the recipe calls it: catalogue name, hub id or path."""
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    template: ChatTemplate
    dtype: torch.dtype
    device: torch.device
    sha256: str
    """Identifies the weights as they lie on disk (or, for `tiny`, in memory), independent of the compute type."""
