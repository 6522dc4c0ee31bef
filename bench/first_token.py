"""How long the first token takes: alone, beside seven others that write, and with a system prompt that is known.

    python bench/first_token.py [--model smollm2-135m] [--requests 100] [--rounds 3]

`bench/serving.py` runs it as one of its parts. Prompts have 54 tokens; the first 40 are the same system prompt, of which the
engine keeps the first block of 32. `new` has no prefix cache, `known` has read the system prompt before. Streams: eight
clients ask again as soon as they are answered (64 tokens, bf16), so that a prompt meets seven others at any place of theirs.
Measured from `submit` to the first token in hand, in the engine: HTTP comes on top.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from typing import Any

PROMPT, SYSTEM, ANSWER = 54, 40, 64
STREAMS = {"alone": 1, "8 streams": 8}


def measure(name: str, *, requests: int, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds (p50, p95) by setting, over all rounds."""
    from tuneloop.engine.engine import PREFIX_BYTES, Engine
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model

    model = load_model(ModelConfig(name_or_path=name, dtype="bfloat16")).model
    vocabulary = model.config.vocab_size
    seconds: dict[str, list[float]] = {}
    for number in range(rounds):
        for prefix, prefix_bytes in (("new", 0), ("known", PREFIX_BYTES)):
            engine = Engine(model, batch_size=8, prefix_bytes=prefix_bytes)
            for streams, rows in STREAMS.items():
                _ask(engine, vocabulary, rows, 2 * rows, seed=-1)  # warm, and the system prompt is read
                found = _ask(engine, vocabulary, rows, requests, seed=number)
                seconds.setdefault(f"{streams}, {prefix} system prompt", []).extend(found)
    return {
        setting: {
            "p50_milliseconds": 1000 * statistics.median(found),
            "p95_milliseconds": 1000 * statistics.quantiles(found, n=20)[-1],
        }
        for setting, found in seconds.items()
    }


def _ask(engine: Any, vocabulary: int, rows: int, requests: int, *, seed: int) -> list[float]:
    """Keep so many streams going until so many prompts are answered; seconds to each one's first token."""
    from tuneloop.engine.request import Request, Sampling

    system, draw = random.Random(0), random.Random(seed)
    beginning = [system.randrange(1000, vocabulary) for _ in range(SYSTEM)]

    def begin() -> Any:
        question = [draw.randrange(1000, vocabulary) for _ in range(PROMPT - SYSTEM)]
        return engine.submit(Request((*beginning, *question), sampling=Sampling(max_new_tokens=ANSWER)))

    # Streams begin at different places, as clients do.
    left, seconds = requests, []
    running: list[tuple[Any, bool]] = []
    while running or left:
        if left and len(running) < rows:
            running.append((begin(), False))
            left -= 1
        engine.step()
        now = time.perf_counter()
        still = []
        for handle, seen in running:
            if not seen and handle.ids:
                seconds.append(now - handle.submitted)
            if not handle.done:
                still.append((handle, bool(handle.ids)))
        running = still
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(json.dumps(measure(options.model, requests=options.requests, rounds=options.rounds), indent=1))


if __name__ == "__main__":
    main()
