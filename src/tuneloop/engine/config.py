"""`generation:` in the recipe: how answers are made in evaluation, prediction and chat."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tuneloop.core.config import Auto, Config


class GenerationConfig(Config):
    """Decoding."""

    max_new_tokens: Auto | Annotated[int, Field(ge=1, le=131_072)] = "auto"
    """Longest answer in tokens; `auto`: half as much again as the longest reference answer."""
    temperature: float = Field(default=0.0, ge=0.0, le=100.0)
    """0 is greedy: always the most likely token."""
    batch_size: int = Field(default=32, ge=1, le=4096)
    """Answers that are generated together."""
