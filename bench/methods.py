"""Quality, time and memory of every adapter method on the same rows, each under the plan it gets by itself.

    python bench/methods.py [--data bank_en/questions_answers.jsonl] [--rows 200] [--seeds 2] [--methods lora,dora]

A training of each method and seed is a process of its own: one pass over the rows, then the loss of the answers of 60
held-out rows. Without --data or TUNELOOP_DATA the rows come from the project's own grammar.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from time_to_loss import VALIDATION_ROWS, tokenised
from train_throughput import own_samples, processor, read_rows


def train_once(rows: list[dict[str, str]], method: Any, seed: int) -> dict[str, float]:
    """One pass over all rows but the held-out ones."""
    import torch

    from tuneloop.adapters.attach import count_parameters
    from tuneloop.adapters.config import AdapterConfig
    from tuneloop.adapters.methods import METHODS
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model
    from tuneloop.training.batches import collate, schedule
    from tuneloop.training.config import TrainingConfig
    from tuneloop.training.facts import data_facts, machine_facts, model_facts
    from tuneloop.training.fast_path import fast_path, keep_memory, supervised_loss
    from tuneloop.training.loop import rate_factor
    from tuneloop.training.plan import make_plan
    from tuneloop.training.validation import validation_loss

    keep_memory()
    loaded = load_model(ModelConfig())
    examples = tokenised(rows, loaded.template)
    held_out, examples = examples[:VALIDATION_ROWS], examples[VALIDATION_ROWS:]
    plan = make_plan(
        TrainingConfig(num_train_epochs=1),
        AdapterConfig(method=method),
        model_facts(loaded),
        data_facts(examples, held_out),
        machine_facts(loaded),
        seed=seed,
    )
    settings = {choice.name: choice.value for choice in plan.choices}
    functions = METHODS[method]
    start = time.perf_counter()
    model = functions.attach(loaded.model, settings, seed)
    attached = time.perf_counter() - start
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    groups = [{"params": [p], "factor": functions.rate_factor(name, settings)} for name, p in named.items()]
    optimizer = torch.optim.AdamW(groups, lr=0.0, weight_decay=settings["weight_decay"])
    budget = settings["max_tokens_per_batch"]
    lengths = [len(e.ids) for e in examples]
    steps = schedule(lengths, max_tokens=budget, max_samples=None, accumulation=1, epochs=1, seed=seed)
    seconds = 0.0
    with fast_path(model):
        before = validation_loss(model, held_out)
        for number, step in enumerate(steps, start=1):
            start = time.perf_counter()
            rate = settings["learning_rate"] * rate_factor(number, settings["warmup_steps"], len(steps))
            for group in optimizer.param_groups:
                group["lr"] = rate * group["factor"]
            batch = collate([examples[i] for i in step.micro_batches[0]], loaded.device)
            (supervised_loss(model, batch) / len(batch.targets)).backward()  # type: ignore[no-untyped-call]
            if functions.penalty is not None:
                functions.penalty(model).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(list(named.values()), 1.0)
            optimizer.step()
            functions.after_step(model, number)
            optimizer.zero_grad()
            seconds += time.perf_counter() - start
        after = validation_loss(model, held_out)
    trained, total = count_parameters(model)
    return {
        "loss_before": before,
        "loss": after,
        "seconds": seconds,
        "attach_seconds": attached,
        "tokens_per_second": sum(len(e.ids) for e in examples) / seconds,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "trained_percent": 100 * trained / total,
        "learning_rate": settings["learning_rate"],
    }


def measure(method: str, file: Path, seed: int) -> dict[str, float]:
    """A training in a process of its own."""
    command = [sys.executable, __file__, "--one", method, "--rows-file", str(file), "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{method} failed:\n{done.stderr[-3000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    from tuneloop.adapters.config import USUAL

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--methods", default=",".join(USUAL))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--rows-file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(train_once(json.loads(options.rows_file.read_text()), options.one, options.seed)))
        return
    shared = os.environ.get("TUNELOOP_DATA")
    data = options.data or (Path(shared) / "bank_en" / "questions_answers.jsonl" if shared else None)
    count = options.rows + VALIDATION_ROWS
    rows = read_rows(data, count) if data else own_samples()[:count]
    found: dict[str, list[dict[str, float]]] = {method: [] for method in options.methods.split(",")}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        file.write_text(json.dumps(rows), encoding="utf-8")
        for seed in range(options.seeds):
            for method, runs in found.items():
                runs.append(measure(method, file, seed))
                print(f"seed {seed} {method}: {runs[-1]}", file=sys.stderr, flush=True)
    columns = ("loss_before", "loss", "seconds", "tokens_per_second", "peak_gb", "trained_percent", "learning_rate")
    print("\nmethod      " + " ".join(f"{name:>18}" for name in columns))
    for method, runs in found.items():
        means = (statistics.mean(run[name] for run in runs) for name in columns)
        print(f"{method:<11} " + " ".join(f"{mean:>18.4f}" for mean in means))
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "versions": {name: version(name) for name in ("torch", "transformers", "peft")},
        "data": data.name if data else "the project's grammar",
        "rows": options.rows,
        "methods": found,
    }
    target = Path(__file__).parent / "results" / "methods.json"
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written to {target}")


if __name__ == "__main__":
    main()
