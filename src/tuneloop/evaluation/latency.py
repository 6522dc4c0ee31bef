"""How fast answers come: time to the first token, between tokens, and tokens per second, after a warm-up.

All answers have the same length (nothing stops them), and no prompt is asked twice, so that what is measured is the
model and not its cache. These figures are times: they stand in `timings.json` and never in `results.json`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from tuneloop.engine.engine import Engine
from tuneloop.engine.handle import Handle
from tuneloop.engine.request import Request, Sampling
from tuneloop.evaluation.config import LatencyConfig

Prompt = tuple[int, ...]


class Timed(NamedTuple):
    """When the tokens of one answer came, in seconds after it was asked for."""

    tokens: tuple[float, ...]


def measure_engine(
    engine: Engine, adapters: Mapping[str, str | None], prompts: Sequence[Prompt], config: LatencyConfig
) -> dict[str, Any]:
    """Measure the engine's answers.

    Args:
        engine: may have read these prompts before; what it kept of them is forgotten first.
        adapters: by arm, the name that the engine knows its weights by.
        prompts: token ids, at least one.
        config: the recipe's `evaluation.latency:`.

    Returns:
        By arm and number of streams the figures of `summary`, and for each arm whether it keeps the bar.
    """
    found: dict[str, Any] = {"first_token_bar_ms": config.first_token_ms, "arms": {}}
    for arm, adapter in adapters.items():
        figures = {}
        for streams in config.streams:
            requests = list(_requests(prompts, adapter, max(config.requests, 2 * streams), config))
            _run(engine, requests[:streams], streams)  # warm-up: weights are packed, memory is there
            engine.prefix.forget()
            start = time.perf_counter()
            timed = _run(engine, requests, streams)
            figures[str(streams)] = summary(timed, time.perf_counter() - start)
            engine.prefix.forget()
        found["arms"][arm] = {"streams": figures, "passed": passed(figures, config)}
    return found


def summary(timed: Sequence[Timed], seconds: float) -> dict[str, float]:
    """Median and 95th percentile of the waits in milliseconds, and tokens per second of all streams together.

    >>> summary([Timed((0.1, 0.15, 0.2))], 0.2)["first_token_ms_p50"]
    100.0
    """
    first = [one.tokens[0] for one in timed if one.tokens]
    between = [b - a for one in timed for a, b in zip(one.tokens, one.tokens[1:], strict=False)]
    tokens = sum(len(one.tokens) for one in timed)
    return {
        **_quantiles("first_token_ms", first),
        **_quantiles("between_tokens_ms", between),
        "tokens_per_second": round(tokens / seconds, 1),
        "answers": len(timed),
    }


def _requests(prompts: Sequence[Prompt], adapter: str | None, number: int, config: LatencyConfig) -> Iterator[Request]:
    sampling = Sampling(max_new_tokens=config.max_new_tokens)
    for place in range(number):
        ids = prompts[place % len(prompts)]
        # Asked again only where there are too few prompts; then it begins with another token, so that nothing is reused.
        again = place // len(prompts)
        yield Request((*ids[:again], *ids), adapter=adapter, sampling=sampling)


def _run(engine: Engine, requests: Sequence[Request], streams: int) -> list[Timed]:
    """Answer all requests, so many at a time; whoever finishes makes room for the next."""
    waiting, done = list(reversed(requests)), []
    running: dict[int, tuple[Handle, float, list[float]]] = {}
    names = count()
    while waiting or running:
        while waiting and len(running) < streams:
            handle = engine.submit(waiting.pop())
            running[next(names)] = (handle, time.perf_counter(), [])
        engine.step()
        now = time.perf_counter()
        for name, (handle, asked, came) in list(running.items()):
            came += [now - asked] * len(handle.take_new())
            if handle.done:
                handle.completion()  # raises what went wrong
                done.append(Timed(tuple(came)))
                del running[name]
    return done


def passed(figures: Mapping[str, Mapping[str, float]], config: LatencyConfig) -> bool:
    """Whether the first tokens of the fewest streams keep the bar."""
    fewest = figures[str(min(config.streams))]
    return fewest["first_token_ms_p95"] < config.first_token_ms


def _quantiles(name: str, seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {f"{name}_p50": 0.0, f"{name}_p95": 0.0}
    median, late = np.quantile(seconds, [0.5, 0.95], method="higher")
    return {f"{name}_p50": round(1000 * float(median), 2), f"{name}_p95": round(1000 * float(late), 2)}
