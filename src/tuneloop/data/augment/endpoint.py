"""A client for OpenAI's chat API on whatever server the recipe names. Nothing is sent anywhere else."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tuneloop.core.errors import DataError, NotAllowedError, TryAgainError
from tuneloop.data.augment.config import EndpointConfig

TRIES = 3
WAIT = 1.0
"""Seconds before the second try; twice as long before each further one."""

Prompt = tuple[str, str]
"""A system message and a user message."""


def ask_all(endpoint: EndpointConfig, prompts: Iterable[Prompt], seed: int) -> Iterator[str]:
    """Ask several things at the same time; the answers come in the order of the prompts. Raises what `ask` does."""
    with ThreadPoolExecutor(endpoint.parallel) as pool:
        yield from pool.map(lambda prompt: ask(endpoint, prompt, seed), prompts)


def ask(endpoint: EndpointConfig, prompt: Prompt, seed: int) -> str:
    """Ask one thing.

    Raises:
        TryAgainError: the server can't be reached or stays busy (code `data.endpoint_away`).
        NotAllowedError: it refuses the key (`data.endpoint_refused`).
        DataError: it answers something else than a chat completion (`data.endpoint_answer`).
    """
    system, user = prompt
    body = {
        "model": endpoint.model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        "temperature": endpoint.temperature,
        "seed": seed % 2**31,
        "stream": False,
    }
    url = endpoint.base_url.rstrip("/") + "/chat/completions"
    answer = _post(url, body, endpoint)
    try:
        content = json.loads(answer)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError) as error:
        raise DataError("data.endpoint_answer", url=url, answer=answer[:200].decode("utf-8", "replace")) from error
    return content.strip() if isinstance(content, str) else ""


def _post(url: str, body: dict[str, Any], endpoint: EndpointConfig) -> bytes:
    """Send a request, and again when the server is busy or away for a moment."""
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(endpoint.api_key_env):
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    problem: Exception | None = None
    for number in range(TRIES):
        if number:
            time.sleep(WAIT * 2 ** (number - 1))
        try:
            with urllib.request.urlopen(request, timeout=endpoint.timeout) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            with error:
                _raise_if_final(error, url, endpoint)
            problem = error
        except (OSError, ValueError) as error:  # URLError, a timeout and a broken connection are OSErrors
            problem = error
    raise TryAgainError("data.endpoint_away", url=url, problem=str(problem), tries=TRIES) from problem


def _raise_if_final(error: urllib.error.HTTPError, url: str, endpoint: EndpointConfig) -> None:
    if error.code in (401, 403):
        raise NotAllowedError(
            "data.endpoint_refused", url=url, status=error.code, variable=endpoint.api_key_env
        ) from error
    if error.code < 500 and error.code not in (408, 409, 425, 429):
        answer = error.read(200).decode("utf-8", "replace")
        raise DataError("data.endpoint_answer", url=url, answer=f"{error.code} {answer}") from error


def first_line(answer: str, labels: Sequence[str] = ()) -> str:
    """What a model says without thoughts, quotes, bullets and labels around it.

    >>> first_line('<think>hm</think>\\nParaphrase: "Where is it?"', ["Paraphrase"])
    'Where is it?'
    """
    bare = answer.rpartition("</think>")[2].strip()
    lines = [line.strip() for line in bare.splitlines() if line.strip()]
    line = lines[0] if lines else ""
    for label in labels:
        if line.lower().startswith(label.lower()) and line[len(label) :].lstrip()[:1] in (":", "："):
            line = line[len(label) :].lstrip()[1:].strip()
    for opening, closing in ('""', "“”", "「」", "''"):
        if len(line) > 1 and line.startswith(opening) and line.endswith(closing):
            line = line[1:-1].strip()
    return line.removeprefix("- ").strip()
