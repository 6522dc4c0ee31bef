"""An arm that another server answers: any OpenAI-compatible API, by URL.

Answers are kept like those of other arms, under the URL and the model's name: what the server runs behind that name is
its own affair, so `--force` asks again.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from tuneloop.core.errors import DataError, NotAllowedError, TryAgainError, UsageError
from tuneloop.core.records import Message
from tuneloop.engine.config import GenerationConfig
from tuneloop.evaluation.answers import Answer, Generated, Shelf, complete

AT_ONCE = 4
"""Requests under way at the same time."""
SECONDS = 300.0
KEY = "OPENAI_API_KEY"
"""Environment variable with the key; it is sent to `https` and to this machine only."""


def parse_url(given: str) -> tuple[str, str]:
    """Split `https://host/v1#model` into the API's address and the model.

    Raises:
        UsageError: it is no such address (code `evaluation.url_wrong`).

    >>> parse_url("http://127.0.0.1:8000/v1#bank")
    ('http://127.0.0.1:8000/v1', 'bank')
    """
    address, _, model = given.partition("#")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or not model:
        raise UsageError("evaluation.url_wrong", url=given)
    return address.rstrip("/"), model


def is_url(name: str) -> bool:
    """Whether an entry of `evaluation.against` is a server, not an adapter."""
    return "://" in name


def ask_server(
    given: str, messages: Mapping[str, Sequence[Message]], generation: GenerationConfig, shelf: Shelf
) -> Generated:
    """Let a server answer, those first that are not answered in the file yet.

    Args:
        given: `https://host/v1#model`.
        messages: what is asked, by request key.
        generation: `max_new_tokens` (a number) and `temperature`.
        shelf: the arm's file.

    Raises:
        TryAgainError: the server can't be reached, or is busy (code `evaluation.url_away`).
        NotAllowedError: it refuses the key (code `evaluation.url_refused`).
        DataError: it answers something else than the API says (code `evaluation.url_answer`).
    """

    def make(missing: Sequence[str]) -> Generator[Answer, None, None]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(lambda key: _ask(given, key, messages[key], generation), missing)

    return complete(shelf, messages, make)


def _ask(given: str, key: str, messages: Sequence[Message], generation: GenerationConfig) -> Answer:
    body = {
        "messages": [message.model_dump() for message in messages],
        "max_tokens": int(generation.max_new_tokens),
        "temperature": generation.temperature,
    }
    start = time.perf_counter()
    with posted(given, body) as response:
        reply = json.loads(response.read())
    seconds = time.perf_counter() - start
    try:
        choice = reply["choices"][0]
        said = choice["message"]["content"] or ""
        tokens = int((reply.get("usage") or {}).get("completion_tokens") or 0)
        ended = choice.get("finish_reason") == "stop"
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise DataError("evaluation.url_answer", url=given, answer=json.dumps(reply)[:200]) from error
    return Answer(
        key=key,
        text=said,
        tokens=tokens,
        finish_reason="stop" if ended else "length",
        first_token_seconds=seconds,
        seconds=seconds,
    )


@contextmanager
def posted(given: str, body: Mapping[str, Any]) -> Iterator[HTTPResponse]:
    """Ask a server for a chat completion; what goes wrong while its answer is read is told as below.

    Args:
        given: `https://host/v1#model`.
        body: the request, without the model.

    Raises:
        UsageError: the address is none (code `evaluation.url_wrong`).
        TryAgainError: the server can't be reached, or is busy (code `evaluation.url_away`).
        NotAllowedError: it refuses the key (code `evaluation.url_refused`).
        DataError: it answers something else than the API says (code `evaluation.url_answer`).
    """
    address, model = parse_url(given)
    headers = {"Content-Type": "application/json"}
    secret, parts = os.environ.get(KEY), urlsplit(address)
    if secret and (parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")):
        headers["Authorization"] = f"Bearer {secret}"
    content = json.dumps({"model": model, **body}).encode()
    request = urllib.request.Request(f"{address}/chat/completions", content, headers)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            yield response
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        if error.code in (401, 403):
            raise NotAllowedError("evaluation.url_refused", url=given, status=error.code, key=KEY) from error
        if error.code == 429 or error.code >= 500:
            raise TryAgainError("evaluation.url_away", url=given, problem=f"HTTP {error.code}") from error
        raise DataError("evaluation.url_answer", url=given, answer=f"HTTP {error.code} {error.reason}") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
        problem = getattr(error, "reason", None) or error
        raise TryAgainError("evaluation.url_away", url=given, problem=problem) from error
    except ValueError as error:
        raise DataError("evaluation.url_answer", url=given, answer=str(error)) from error
