"""A model that is ready to be used: weights, tokenizer and chat template together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from tuneloop.models.template import ChatTemplate


class KnownModel(Protocol):
    """Which model it is, and how text becomes its tokens; its weights may be anywhere."""

    @property
    def name(self) -> str:
        """As the recipe calls it: catalogue name, hub id or path."""

    @property
    def template(self) -> ChatTemplate:
        """From conversations to tokens and back."""

    @property
    def sha256(self) -> str:
        """Identifies the weights as they lie on disk."""


@dataclass(frozen=True)
class ModelText:
    """A `KnownModel` whose weights another process holds."""

    name: str
    template: ChatTemplate
    sha256: str


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
