"""Generation throughput of tuneloop's engine beside transformers, peft's mixed batch and OpenVINO GenAI, in one run.

    python bench/serving.py [--rounds 3] [--settings alone,8 rows,…,many adapters] [--model smollm2-135m] [--quick]

Every setting answers prompts of 54 random tokens with 64 tokens, greedy, without a stop token, in bfloat16; prompt and
answer count. Each measurement is a process of its own, with one warm-up; stacks alternate; medians are reported. Adapters
have rank 16 and random weights, and every row of a batch has another one; transformers and OpenVINO GenAI answer with one
merged model. `first token` is `first_token.py`, `many adapters` is `many_adapters.py`. `--stacks` leaves peers out.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import serving_peers

PROMPT, ANSWER, RANK = 54, 64, 16
PACKAGES = ("torch", "transformers", "peft", "openvino-genai")
QV = ("q_proj", "v_proj")
ALL = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
SETTINGS: dict[str, tuple[int, tuple[str, ...]]] = {
    "alone": (1, ()),
    "8 rows": (8, ()),
    "32 rows": (32, ()),
    "8 adapters q/v": (8, QV),
    "8 adapters all": (8, ALL),
}
"""Rows, and the modules that each row's own adapter changes (none: the base model answers)."""

FIRST, MANY = "first token", "many adapters"
"""The last settings: `first_token.py` and `many_adapters.py`."""


def load(name: str) -> Any:
    import torch

    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model

    torch.manual_seed(0)
    return load_model(ModelConfig(name_or_path=name, dtype="bfloat16")).model


def prompts(rows: int, vocabulary: int) -> list[list[int]]:
    draw = random.Random(0)
    return [[draw.randrange(1000, vocabulary) for _ in range(PROMPT)] for _ in range(rows)]


def run_ours(name: str, rows: int, targets: tuple[str, ...], answer: int) -> dict[str, float]:
    import torch

    from tuneloop.adapters.low_rank import LowRank
    from tuneloop.engine.engine import Engine
    from tuneloop.engine.request import Request, Sampling

    model = load(name)
    engine = Engine(model, batch_size=rows, prefix_bytes=0)
    names: list[str | None] = [None] * rows
    if targets:
        names = [f"adapter {number}" for number in range(rows)]
        for adapter in names:
            engine.load(
                str(adapter),
                {
                    path: LowRank(
                        torch.randn(RANK, m.in_features) * 0.02, torch.randn(m.out_features, RANK) * 0.02, 2.0
                    )
                    for path, m in model.named_modules()
                    if path.endswith(targets)
                },
                version="1",
            )
    asked = [
        Request(tuple(ids), adapter, Sampling(max_new_tokens=answer))
        for ids, adapter in zip(prompts(rows, model.config.vocab_size), names, strict=True)
    ]
    list(engine.generate(asked))
    begin = time.perf_counter()
    completions = list(engine.generate(asked))
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "first_token_seconds": max(c.first_token_seconds for c in completions)}


def run_transformers(name: str, rows: int, targets: tuple[str, ...], answer: int) -> dict[str, float]:
    """The base model, whatever the adapters: what a mixed batch is measured against."""
    return _library(load(name), rows, {}, answer)


def run_peft(name: str, rows: int, targets: tuple[str, ...], answer: int) -> dict[str, float]:
    """peft's mixed batch (`adapter_names`); without adapters the base model."""
    import torch
    from peft import LoraConfig, get_peft_model

    model, more = load(name), {}
    if targets:
        config = LoraConfig(r=RANK, lora_alpha=32, target_modules=list(targets), task_type="CAUSAL_LM")
        model = get_peft_model(model, config, adapter_name="a0")
        for number in range(1, rows):
            model.add_adapter(f"a{number}", config)
        for path, weight in model.named_parameters():
            if "lora_" in path:
                weight.data = (torch.randn(weight.shape) * 0.02).to(torch.bfloat16)
        model.eval()
        more = {"adapter_names": [f"a{number}" for number in range(rows)]}
    return _library(model, rows, more, answer)


def _library(model: Any, rows: int, more: dict[str, Any], answer: int) -> dict[str, float]:
    import torch

    ids = torch.tensor(prompts(rows, model.config.vocab_size))
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0

    def generate(count: int) -> float:
        begin = time.perf_counter()
        out = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=count, **more
        )
        assert out.shape[1] == PROMPT + count
        return time.perf_counter() - begin

    with torch.inference_mode():
        generate(4)
        first = generate(1)
        return {"seconds": generate(answer), "first_token_seconds": first}


def run_genai(name: str, rows: int, targets: tuple[str, ...], answer: int) -> dict[str, float]:
    """OpenVINO GenAI in float16, one merged model whatever the adapters."""
    return serving_peers.run_genai(name, prompts(rows, vocabulary_of(name)), answer)


def run_serve(name: str, rows: int, targets: tuple[str, ...], answer: int) -> dict[str, float]:
    """`transformers serve`, the base model."""
    return serving_peers.run_transformers_serve(name, prompts(rows, vocabulary_of(name)), answer)


def vocabulary_of(name: str) -> int:
    import torch

    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_skeleton

    return int(load_skeleton(ModelConfig(name_or_path=name), torch.float32).model.config.vocab_size)


STACKS: dict[str, Callable[[str, int, tuple[str, ...], int], dict[str, float]]] = {
    "tuneloop": run_ours,
    "transformers": run_transformers,
    "peft": run_peft,
    "openvino-genai": run_genai,
    "transformers serve": run_serve,
}
ONLY: dict[str, Callable[[int, tuple[str, ...]], bool]] = {
    "peft": lambda rows, targets: bool(targets),
    "transformers serve": lambda rows, targets: rows <= 8 and not targets,
}
"""Where a stack is measured; the others everywhere."""


def compare(options: argparse.Namespace, settings: list[str], answer: int) -> dict[str, dict[str, dict[str, float]]]:
    """Alternate the stacks in every setting; returns setting → stack → medians."""
    table: dict[str, dict[str, dict[str, float]]] = {}
    for setting in settings:
        rows, targets = SETTINGS[setting]
        stacks = [s for s in options.stacks.split(",") if s not in ONLY or ONLY[s](rows, targets)]
        found: dict[str, list[dict[str, float]]] = {stack: [] for stack in stacks}
        for number in range(options.rounds):
            for stack in stacks:
                command = [sys.executable, __file__, "--stack", stack, "--settings", setting, "--model", options.model]
                done = subprocess.run([*command, "--answer", str(answer)], capture_output=True, text=True, check=False)
                if done.returncode:
                    sys.exit(f"{stack} failed:\n{done.stderr[-3000:]}")
                found[stack].append(json.loads(done.stdout.splitlines()[-1]))
                rate = rows * (PROMPT + answer) / found[stack][-1]["seconds"]
                print(f"round {number + 1} {setting} {stack}: {rate:.0f} tok/s", file=sys.stderr, flush=True)
        table[setting] = {
            stack: {
                "tokens_per_second": rows * (PROMPT + answer) / statistics.median(m["seconds"] for m in measured),
                "first_token_seconds": statistics.median(m["first_token_seconds"] for m in measured),
            }
            for stack, measured in found.items()
        }
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--settings", default=",".join([*SETTINGS, FIRST, MANY]))
    parser.add_argument("--stacks", default=",".join(STACKS), help="who is measured")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--quick", action="store_true", help="one round, short answers, nothing is written")
    parser.add_argument("--stack", choices=list(STACKS), help=argparse.SUPPRESS)
    parser.add_argument("--answer", type=int, default=ANSWER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    settings = options.settings.split(",")
    if options.stack:
        print(json.dumps(STACKS[options.stack](options.model, *SETTINGS[settings[0]], options.answer)))
        return
    if options.quick:
        options.rounds = 1
    answer = 16 if options.quick else options.answer
    table = compare(options, [setting for setting in settings if setting in SETTINGS], answer)
    print(f"\n{'setting':<16} {'stack':<19} {'tok/s':>7} {'ours ×':>7} {'first token ms':>15}")
    for setting, stacks in table.items():
        ours = stacks["tuneloop"]["tokens_per_second"] if "tuneloop" in stacks else math.nan
        for stack, row in stacks.items():
            print(
                f"{setting:<16} {stack:<19} {row['tokens_per_second']:>7.0f} {ours / row['tokens_per_second']:>7.2f} "
                f"{1000 * row['first_token_seconds']:>15.0f}"
            )
    first = measure_first(options) if FIRST in settings else {}
    many = measure_many(options) if MANY in settings else {}
    for part, figures in (*first.items(), *many.items()):
        print(f"{part}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()))
    if options.quick:
        return
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": {"processor": _processor(), "cores": os.cpu_count()},
        "versions": {name: version(name) for name in PACKAGES},
        "model": options.model,
        "prompt_tokens": PROMPT,
        "answer_tokens": answer,
        "rounds": options.rounds,
        "medians": table,
        "first_token": first,
        "many_adapters": many,
    }
    target = Path(__file__).parent / "results" / "serving.json"
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written to {target}")


def measure_first(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    import first_token

    requests = 20 if options.quick else 100
    return first_token.measure(options.model, requests=requests, rounds=options.rounds)


def measure_many(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    import many_adapters

    adapters, resident = (16, 4) if options.quick else (64, 8)
    return many_adapters.measure(
        options.model, adapters=adapters, resident=resident, registered=1000, rounds=options.rounds
    )


def _processor() -> str:
    from train_throughput import processor

    return processor()


if __name__ == "__main__":
    main()
