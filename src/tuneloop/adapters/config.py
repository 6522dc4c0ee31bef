"""`adapter:` in the recipe: the method, its size and where it is put."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tuneloop.core.config import Auto, Config


class AdapterConfig(Config):
    """What is trained; everything else stays frozen."""

    method: Literal["lora"] = "lora"
    """Method family."""
    r: Auto | Annotated[int, Field(ge=1, le=1024)] = "auto"
    """Rank of the update."""
    lora_alpha: Auto | Annotated[float, Field(gt=0.0)] = "auto"
    """The update is scaled by lora_alpha / r."""
    target_modules: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """Names of the linear layers that are adapted, or all of them but the head."""
    lora_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of the adapter's inputs that is dropped in training."""
