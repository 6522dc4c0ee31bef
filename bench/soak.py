"""A server under mixed load: nobody gets another one's answer, memory stays flat, nothing fails.

    python bench/soak.py [--minutes 30] [--clients 8] [--model tiny] [--out bench/results/soak.json]

The server is a process of its own on this machine, with random adapters in a workspace that is thrown away: four names of two
versions. Clients ask without pause, each drawing what it does: whole answers and streams, several choices, clients that leave
in the middle, requests that are wrong, adapters in and out of memory, aliases that move between versions. Every whole answer
is compared with what the version in its header said when it was asked alone, before the load. Memory is the server's resident
set: the median of the last quarter against that of the second, after the caches have filled. Exit status 1 when an answer was
wrong, a status was 5xx, or memory grew by more than 5%.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx

NAMES = ("bank", "legal", "health", "shop")
QUESTIONS = tuple(f"Question {number}: what should I do?" for number in range(8))
TOKENS = 12
GROWTH = 0.05
LOOK_SECONDS = 2.0
WRONG: tuple[tuple[dict[str, Any], int], ...] = (
    ({"model": "nobody"}, 404),
    ({"model": "../../etc/passwd"}, 400),
    ({"n": 1000}, 400),
    ({"max_tokens": -1}, 400),
    ({"messages": []}, 400),
    ({"temperature": 99}, 400),
    ({"messages": [{"role": "user", "content": "x" * 50_000}]}, 400),
)
"""What is wrong, and the status that says so."""


@dataclass
class Tally:
    """What happened, from all clients."""

    did: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    checked: int = 0
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def status(self, status: int) -> None:
        with self.lock:
            self.statuses[status] += 1

    def check(self, model: str, question: str, said: str, expected: dict[tuple[str, str], str]) -> None:
        with self.lock:
            self.checked += 1
            if said != expected[model, question]:
                self.wrong.append(f"{model} {question!r}: {said!r} instead of {expected[model, question]!r}")

    def problem(self, what: str) -> None:
        with self.lock:
            self.wrong.append(what)


@dataclass
class Visitor:
    """One client."""

    client: httpx.Client
    draw: random.Random
    tally: Tally
    expected: dict[tuple[str, str], str]
    workspace: Any

    def body(self, **fields: Any) -> tuple[str, dict[str, Any]]:
        model = self.draw.choice(("base", *NAMES, *(f"{name}@v000{version}" for name in NAMES for version in (1, 2))))
        question = self.draw.choice(QUESTIONS)
        asked = {"model": model, "messages": [{"role": "user", "content": question}], "max_tokens": TOKENS}
        return question, asked | fields

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        response = self.client.post(path, json=body)
        self.tally.status(response.status_code)
        return response

    def whole(self) -> None:
        question, body = self.body()
        response = self.post("/v1/chat/completions", body)
        if response.status_code == 200:
            said = response.json()["choices"][0]["message"]["content"]
            self.tally.check(response.headers["x-tuneloop-model"], question, said, self.expected)

    def several(self) -> None:
        question, body = self.body(n=3)
        response = self.post("/v1/chat/completions", body)
        if response.status_code == 200:
            for choice in response.json()["choices"]:
                model = response.headers["x-tuneloop-model"]
                self.tally.check(model, question, choice["message"]["content"], self.expected)

    def streamed(self, *, leave: bool = False) -> None:
        question, body = self.body(stream=True, **({"max_tokens": 400} if leave else {}))
        said = ""
        with self.client.stream("POST", "/v1/chat/completions", json=body) as response:
            self.tally.status(response.status_code)
            for line in response.iter_lines():
                if leave and said:
                    return
                if line.startswith("data: {"):
                    event = json.loads(line.removeprefix("data: "))
                    if "error" in event:
                        self.tally.problem(f"in a stream: {event['error']}")
                        return
                    said += event["choices"][0]["delta"].get("content", "")
        if response.status_code == 200 and not leave:
            self.tally.check(response.headers["x-tuneloop-model"], question, said, self.expected)

    def leaving(self) -> None:
        self.streamed(leave=True)

    def wrong(self) -> None:
        change, status = self.draw.choice(WRONG)
        _, body = self.body()
        got = self.post("/v1/chat/completions", body | change).status_code
        if got not in (status, 429):
            self.tally.problem(f"{next(iter(change))} gave {got} instead of {status}")

    def in_and_out(self) -> None:
        verb = self.draw.choice(("load", "unload"))
        got = self.post(f"/v1/{verb}_lora_adapter", {"lora_name": self.draw.choice(NAMES)}).status_code
        if got not in (200, 404):
            self.tally.problem(f"{verb} gave {got}")

    def move(self) -> None:
        from tuneloop.registry.versions import point
        from tuneloop.store.database import open_database

        with open_database(self.workspace) as database, database.write() as connection:
            point(connection, self.draw.choice(NAMES), "production", self.draw.choice((1, 2)))


ACTIONS: dict[str, tuple[Callable[[Visitor], None], int]] = {
    "whole answer": (Visitor.whole, 45),
    "stream": (Visitor.streamed, 25),
    "three choices": (Visitor.several, 5),
    "client leaves": (Visitor.leaving, 8),
    "wrong request": (Visitor.wrong, 10),
    "adapter in or out": (Visitor.in_and_out, 5),
    "alias moves": (Visitor.move, 2),
}
"""What a client may do, and how often."""


def alone(url: str) -> dict[tuple[str, str], str]:
    """What every version says to every question when nobody else asks."""
    labels = ("base", *(f"{name}@v000{version}" for name in NAMES for version in (1, 2)))
    found = {}
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
        for model in labels:
            for question in QUESTIONS:
                body = {"model": model, "messages": [{"role": "user", "content": question}], "max_tokens": TOKENS}
                response = client.post("/v1/chat/completions", json=body).raise_for_status()
                found[model, question] = response.json()["choices"][0]["message"]["content"]
    return found


def visit(url: str, seed: int, end: float, tally: Tally, expected: dict[tuple[str, str], str], workspace: Any) -> None:
    """Do one thing after the other until the time is over."""
    draw = random.Random(seed)
    weights = [weight for _, weight in ACTIONS.values()]
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
        visitor = Visitor(client, draw, tally, expected, workspace)
        while time.monotonic() < end:
            name = draw.choices(list(ACTIONS), weights)[0]
            try:
                ACTIONS[name][0](visitor)
            except httpx.HTTPError as error:
                tally.problem(f"{name}: {error!r}")
            with tally.lock:
                tally.did[name] += 1


def told_apart(expected: dict[tuple[str, str], str]) -> float:
    """Share of pairs of versions that answer a question differently: so likely is a wrong adapter seen in one check."""
    pairs = [
        expected[one, question] != expected[other, question]
        for question in QUESTIONS
        for one, other in combinations(sorted({model for model, _ in expected}), 2)
    ]
    return sum(pairs) / len(pairs)


def resident_mib(pid: int) -> float:
    """Memory of a process, from /proc."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def soak(model: str, minutes: float, clients: int) -> dict[str, Any]:
    """Run it; returns what is to be told."""
    from many_adapters import make_adapters, served
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model
    from tuneloop.store.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder)).ensure()
        make_adapters(workspace, load_model(ModelConfig(name_or_path=model)), list(NAMES), versions=2)
        with served(workspace, model, "--set", "queue_limit=64") as (url, process, _):
            expected, tally, memory = alone(url), Tally(), []
            start, end = time.monotonic(), time.monotonic() + 60 * minutes
            threads = [
                threading.Thread(target=visit, args=(url, seed, end, tally, expected, workspace))
                for seed in range(clients)
            ]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                memory.append(resident_mib(process.pid))
                time.sleep(LOOK_SECONDS)
            seconds = time.monotonic() - start
    quarter = max(1, len(memory) // 4)
    before, after = statistics.median(memory[quarter : 2 * quarter] or memory), statistics.median(memory[-quarter:])
    return {
        "minutes": round(seconds / 60, 2),
        "model": model,
        "clients": clients,
        "did": dict(tally.did),
        "statuses": {str(status): count for status, count in sorted(tally.statuses.items())},
        "server_errors": sum(count for status, count in tally.statuses.items() if status >= 500),
        "answers_checked": tally.checked,
        "told_apart": round(told_apart(expected), 3),
        "wrong": len(tally.wrong),
        "first_wrong": tally.wrong[:5],
        "memory_mib": {"second_quarter": round(before, 1), "last_quarter": round(after, 1)},
        "memory_growth": round(after / before - 1, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = soak(options.model, options.minutes, options.clients)
    text = json.dumps(found, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    sys.exit(bool(found["wrong"] or found["server_errors"] or found["memory_growth"] > GROWTH))


if __name__ == "__main__":
    main()
