"""The same times through a server that speaks OpenAI's API: what a client sees, network and queue included."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tuneloop.core.errors import TryAgainError, UsageError
from tuneloop.core.records import Message
from tuneloop.evaluation.config import LatencyConfig
from tuneloop.evaluation.latency import Timed, summary

TIMEOUT = 120.0
DATA = b"data:"


def measure_server(
    url: str, model: str, prompts: Sequence[Sequence[Message]], config: LatencyConfig, *, key: str | None = None
) -> dict[str, Any]:
    """Measure a server's streamed answers.

    Args:
        url: up to and including `/v1`.
        model: name of the model or adapter as the server knows it.
        prompts: messages before the answer.
        config: the recipe's `evaluation.latency:`.
        key: an API key, when the server wants one.

    Returns:
        By number of streams the figures of `latency.summary`; a chunk of the stream counts as a token.

    Raises:
        UsageError: the address is none, or the server refuses (codes `evaluation.server_url`, `evaluation.server_refuses`).
        TryAgainError: the server does not answer (code `evaluation.server_away`).
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError("evaluation.server_url", url=url)
    found: dict[str, Any] = {}
    for streams in config.streams:
        number = max(config.requests, 2 * streams)
        bodies = [_body(model, prompts[place % len(prompts)], config) for place in range(number)]
        _ask(url, bodies[0], key)  # warm-up
        start = time.perf_counter()
        with ThreadPoolExecutor(max_workers=streams) as pool:
            timed = list(pool.map(lambda body: _ask(url, body, key), bodies))
        found[str(streams)] = summary(timed, time.perf_counter() - start)
    return found


def _body(model: str, messages: Sequence[Message], config: LatencyConfig) -> bytes:
    asked = [{"role": message.role, "content": message.content} for message in messages]
    content = {"model": model, "messages": asked, "max_tokens": config.max_new_tokens, "temperature": 0, "stream": True}
    return json.dumps(content).encode()


def _ask(url: str, body: bytes, key: str | None) -> Timed:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(f"{url.rstrip('/')}/chat/completions", data=body, headers=headers)
    start = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return Timed(tuple(came - start for came in _came(response)))
    except urllib.error.HTTPError as error:
        said = error.read()[:200].decode(errors="replace")
        raise UsageError("evaluation.server_refuses", url=url, status=error.code, said=said) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise TryAgainError("evaluation.server_away", url=url, problem=str(error)) from error


def _came(lines: Iterator[bytes]) -> Iterator[float]:
    """When each piece of text came."""
    for line in lines:
        if not line.startswith(DATA):
            continue
        data = line[len(DATA) :].strip()
        if data == b"[DONE]":
            return
        choices = json.loads(data).get("choices") or [{}]
        if choices[0].get("delta", {}).get("content"):
            yield time.perf_counter()
