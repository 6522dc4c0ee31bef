"""How the server listens and how much it takes on: the options of `tuneloop serve`, and what `--set` may say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, ValidationError

from tuneloop.core.config import Config
from tuneloop.core.errors import UsageError

EngineName = Literal["torch", "vllm", "openvino"]


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
    """Who generates: `torch` is our engine, in this process; `vllm` a vLLM process, for a GPU; `openvino`
    merged models on a CPU."""
    engine_url: str | None = Field(default=None, pattern=r"^https?://[^/]+/?$")
    """Address of a vLLM process that runs already, without `/v1`; by default one is started, and ends with the server."""
    engine_program: str = "vllm"
    """Command that starts vLLM, by name or path: it lives in an environment of its own."""
    engine_start_seconds: float = Field(default=600.0, gt=0)
    """So long a started process may take until it answers."""
    adapter_bytes: int = Field(default=2 * 2**30, ge=2**20)
    """Memory for adapters that share a batch; with `openvino`, for their merged models."""


def make_config(settings: Mapping[str, Any]) -> ServingConfig:
    """From fields and values, which may be texts.

    Raises:
        UsageError: there is no such field, or the value is not allowed (codes `serving.setting_unknown`, `serving.setting`).

    >>> make_config({"batch_size": "8"}).batch_size
    8
    """
    for name in settings:
        if name not in ServingConfig.model_fields:
            known = ", ".join(ServingConfig.model_fields)
            raise UsageError("serving.setting_unknown", name=name, known=known)
    try:
        return ServingConfig.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise UsageError("serving.setting", name=name, value=str(first["input"])[:80], problem=first["msg"]) from error


def parse_settings(given: Sequence[str]) -> dict[str, str]:
    """What `--set FIELD=VALUE` says, field by field.

    Raises:
        UsageError: there is no `=` in it (code `serving.setting_unknown`).

    >>> parse_settings(["batch_size=8", "engine_program=/opt/vllm/bin/vllm"])
    {'batch_size': '8', 'engine_program': '/opt/vllm/bin/vllm'}
    """
    parsed: dict[str, str] = {}
    for setting in given:
        name, equals, value = setting.partition("=")
        if not equals:
            raise UsageError("serving.setting_unknown", name=setting, known=", ".join(ServingConfig.model_fields))
        parsed[name.strip()] = value.strip()
    return parsed
