"""The same times through a server that speaks OpenAI's API: what a client sees, network and queue included."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tuneloop.core.errors import DataError
from tuneloop.core.records import Message
from tuneloop.evaluation.config import LatencyConfig
from tuneloop.evaluation.latency import Timed, passed, summary
from tuneloop.evaluation.remote import posted

DATA = b"data:"


def measure_server(given: str, prompts: Sequence[Sequence[Message]], config: LatencyConfig) -> dict[str, Any]:
    """Measure a server's streamed answers.

    Args:
        given: `https://host/v1#model`.
        prompts: messages before the answer, at least one; asked in turn, the same ones again where there are too few.
        config: the recipe's `evaluation.latency:`.

    Returns:
        The figures of `summary` by number of streams (a chunk of the stream counts as a token), and whether the bar is
        kept: as `measure_engine` has it for each arm.

    Raises:
        UsageError: the address is none (code `evaluation.url_wrong`).
        TryAgainError: the server can't be reached, or is busy (code `evaluation.url_away`).
        NotAllowedError: it refuses the key (code `evaluation.url_refused`).
        DataError: it answers something else than the API says (code `evaluation.url_answer`).
    """
    figures: dict[str, dict[str, float]] = {}
    for streams in config.streams:
        number = max(config.requests, 2 * streams)
        bodies = [_body(prompts[place % len(prompts)], config) for place in range(number)]
        _ask(given, bodies[0])  # warm-up
        start = time.perf_counter()
        with ThreadPoolExecutor(max_workers=streams) as pool:
            timed = list(pool.map(lambda body: _ask(given, body), bodies))
        if not any(one.tokens for one in timed):
            raise DataError("evaluation.url_answer", url=given, answer="no text in the stream")
        figures[str(streams)] = summary(timed, time.perf_counter() - start)
    return {"streams": figures, "passed": passed(figures, config)}


def _body(messages: Sequence[Message], config: LatencyConfig) -> dict[str, Any]:
    asked = [{"role": message.role, "content": message.content} for message in messages]
    return {"messages": asked, "max_tokens": config.max_new_tokens, "temperature": 0, "stream": True}


def _ask(given: str, body: dict[str, Any]) -> Timed:
    start = time.perf_counter()
    with posted(given, body) as response:
        return Timed(tuple(came - start for came in _came(response)))


def _came(lines: Iterable[bytes]) -> Iterator[float]:
    """When each piece of text came."""
    for line in lines:
        if not line.startswith(DATA):
            continue
        data = line[len(DATA) :].strip()
        if data == b"[DONE]":
            return
        if _text_of(json.loads(data)):
            yield time.perf_counter()


def _text_of(chunk: Any) -> str:
    """The text of one chunk; the first and the last one have none.

    Raises:
        ValueError: it is no chunk of a chat completion.
    """
    try:
        choices = chunk.get("choices") or [{}]
        return str(choices[0].get("delta", {}).get("content") or "")
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError(str(chunk)[:200]) from error
