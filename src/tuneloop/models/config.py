"""`model:` in the recipe: the pretrained model, and where it runs."""

from __future__ import annotations

from typing import Literal

from tuneloop.core.config import Config


class ModelConfig(Config):
    """The base model."""

    name_or_path: str = "smollm2-135m"
    """Name in the catalogue (`tuneloop models list`), hub id, folder, or .gguf file. `tiny` is a random test model."""
    revision: str | None = None
    """Branch, tag or commit of a hub model."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Type the frozen weights compute in; `auto` probes the hardware. Adapters are always trained in float32."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:0`, …"""
    accept_license: str | None = None
    """Name of a licence that you accept (`gemma`), for models that ask for it; or `--accept-license`."""
