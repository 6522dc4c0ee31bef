"""A request as vLLM's `/v1/completions` takes it, and the events of its stream as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tuneloop.core.errors import UsageError
from tuneloop.engine.handle import Handle
from tuneloop.engine.request import TokenLogprob

ID = "token_id:"
"""Before a token's number, with `return_tokens_as_token_ids`."""


def body_of(handle: Handle, model: str) -> dict[str, Any]:
    """A request as vLLM's `/v1/completions` takes it.

    Raises:
        UsageError: it holds a constraint, a function that can't be sent (code `serving.engine_refused`).
    """
    request, sampling = handle.request, handle.request.sampling
    if request.constraint is not None:
        raise UsageError("serving.engine_refused", url=model, status=400, problem="constraint")
    body: dict[str, Any] = {
        "model": model,
        "prompt": list(request.ids),
        "max_tokens": handle.most,
        "stream": True,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "repetition_penalty": sampling.repetition_penalty,
        "stop_token_ids": list(request.stop_ids),
        "return_token_ids": True,
    }
    if sampling.top_k:
        body["top_k"] = sampling.top_k
    if sampling.logprobs is not None:
        body |= {"logprobs": sampling.logprobs, "return_tokens_as_token_ids": True}
    return body


def accept(handle: Handle, choices: Sequence[dict[str, Any]]) -> None:
    """Take what one event of the stream brings."""
    for choice in choices:
        found = choice.get("logprobs") or {}
        tops = found.get("top_logprobs") or []
        for place, token in enumerate(choice.get("token_ids") or ()):
            if handle.done:
                return
            logprob = None
            if handle.request.sampling.logprobs is not None and found:
                logprob = TokenLogprob(found["token_logprobs"][place], _top(handle, tops[place] if tops else {}))
            handle.accept(token, logprob)
        if choice.get("finish_reason") and not handle.done:
            handle.finish("length" if choice["finish_reason"] == "length" else "stop")


def _top(handle: Handle, given: dict[str, float] | None) -> tuple[tuple[int, float], ...]:
    """The most likely tokens, falling; vLLM adds the chosen one where it is not among them."""
    pairs = [(int(name.removeprefix(ID)), value) for name, value in (given or {}).items()]
    return tuple(sorted(pairs, key=lambda pair: -pair[1])[: handle.request.sampling.logprobs])
