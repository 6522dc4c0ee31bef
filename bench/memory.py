"""Peak memory and time of real trainings beside what the plan predicted.

    python bench/memory.py [--data alpaca_en_demo.json] [--rows 60] [--epochs 2]

Each configuration is a training of its own process, from loading the model to the saved adapter; its peak is the
kernel's (`ru_maxrss`), and its seconds are those of the steps. The prediction is the plan's, made before step 1.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from train_throughput import as_samples, own_samples, processor, read_rows

QV = ["q_proj", "v_proj"]
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "smollm2-135m, q/v, 1,024 tokens": {"model": "smollm2-135m", "targets": QV, "tokens": 1024},
    "smollm2-135m, q/v, 3,072 tokens": {"model": "smollm2-135m", "targets": QV, "tokens": 3072},
    "smollm2-135m, all linear, 1,024 tokens": {"model": "smollm2-135m", "targets": "all-linear", "tokens": 1024},
    "smollm2-135m, all linear, 3,072 tokens": {"model": "smollm2-135m", "targets": "all-linear", "tokens": 3072},
    "gemma3-270m, all linear, 1,024 tokens": {"model": "gemma3-270m", "targets": "all-linear", "tokens": 1024},
}


def measure(configuration: dict[str, Any], rows: list[dict[str, str]], epochs: float) -> dict[str, float]:
    """Train once, in this process."""
    from tuneloop.adapters.config import AdapterConfig
    from tuneloop.core.records import Plan
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model
    from tuneloop.store.artifacts import new_artifact
    from tuneloop.store.samples import write_samples
    from tuneloop.store.workspace import Workspace
    from tuneloop.training.config import TrainingConfig
    from tuneloop.training.identity import Inputs
    from tuneloop.training.run import run

    samples = as_samples(rows)
    targets = configuration["targets"]
    with tempfile.TemporaryDirectory() as root:
        dataset = Path(root) / "datasets" / "bench" / "1"
        with new_artifact(dataset, kind="dataset", config={}) as folder:
            for split, part in (("train", samples[12:]), ("validation", samples[:12]), ("test", [])):
                write_samples(folder / f"{split}.jsonl", part)
        inputs = Inputs(
            TrainingConfig(num_train_epochs=epochs, max_tokens_per_batch=configuration["tokens"], report_to=()),
            AdapterConfig(r=16, target_modules=targets if isinstance(targets, str) else tuple(targets)),
            dataset,
            load_model(ModelConfig(name_or_path=configuration["model"], accept_license="gemma")),
            name="bench",
            seed=0,
        )
        done = run(inputs, Workspace(Path(root)), recipe_yaml="name: bench\n", force=True)
        figures = Plan.model_validate_json((done.path / "plan.json").read_bytes()).figures
    return {
        "steps": done.steps,
        "planned_steps": figures["steps"],
        "predicted_bytes": figures["memory_bytes"],
        "measured_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "predicted_seconds": figures["seconds"],
        "measured_seconds": done.seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="alpaca_en_demo.json", help="name of a file in $TUNELOOP_DATA/formats")
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--only", default="", help="configurations whose name holds this text")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args()
    path = Path(os.environ.get("TUNELOOP_DATA", "")) / "formats" / given.data
    rows = read_rows(path, given.rows) if path.is_file() else own_samples()[: given.rows]
    if given.measure:
        print(json.dumps(measure(CONFIGURATIONS[given.measure], rows, given.epochs)))
        return
    print(f"{processor()}; {len(rows)} rows of {path.name if path.is_file() else 'bank-service'}\n")
    print("| configuration | steps | predicted | measured | difference | predicted | measured | difference |")
    print("|---|---|---|---|---|---|---|---|")
    for name in (n for n in CONFIGURATIONS if given.only in n):
        command = [sys.executable, __file__, *sys.argv[1:], "--measure", name]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode:
            sys.exit(answer.stderr)
        figures = json.loads(answer.stdout.splitlines()[-1])
        memory, seconds = ((figures[f"predicted_{what}"], figures[f"measured_{what}"]) for what in ("bytes", "seconds"))
        print(
            f"| {name} | {figures['steps']} | {memory[0] / 1e9:.2f} GB | {memory[1] / 1e9:.2f} GB "
            f"| {memory[0] / memory[1] - 1:+.0%} | {seconds[0]:.0f} s | {seconds[1]:.0f} s "
            f"| {seconds[0] / seconds[1] - 1:+.0%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
