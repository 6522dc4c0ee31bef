"""`serving:` in the recipe, and the options of `tuneloop serve`: how the server listens and how much it takes on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tuneloop.core.config import Config

EngineName = Literal["torch", "vllm"]


class ServingConfig(Config):
    """The server."""

    host: str = "127.0.0.1"
    """Address to listen on. Others than this machine's own are refused without keys."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 lets the system choose."""
    max_new_tokens: int = Field(default=512, ge=1)
    """Longest answer, in tokens; a request may ask for fewer."""
    batch_size: int = Field(default=32, ge=1)
    """Answers that are generated together."""
    queue_limit: int = Field(default=256, ge=1)
    """Requests that may wait or run; beyond it the server answers 429 and says when to try again."""
    deadline_seconds: float = Field(default=300.0, gt=0)
    """An answer that takes longer is broken off."""
    max_body_bytes: int = Field(default=2_000_000, ge=1024)
    """Largest request body."""
    engine: EngineName = "torch"
    """Who generates: `torch` is our engine, in this process; `vllm` a vLLM process, for a GPU."""
    engine_url: str | None = Field(default=None, pattern=r"^https?://[^/]+/?$")
    """Address of a vLLM process that runs already, without `/v1`; by default one is started, and ends with the server."""
    engine_program: str = "vllm"
    """Command that starts vLLM, by name or path: it lives in an environment of its own."""
    engine_start_seconds: float = Field(default=600.0, gt=0)
    """So long a started process may take until it answers."""
    adapter_bytes: int = Field(default=2 * 2**30, ge=2**20)
    """Memory for adapters that share a batch."""
