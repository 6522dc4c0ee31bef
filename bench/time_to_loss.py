"""Seconds until the validation loss that tuned TRL reaches after one epoch, by tuneloop and by TRL, on the same rows.

    python bench/time_to_loss.py [--data alpaca_en_demo.json] [--rows 300] [--seeds 3]

tuneloop runs under its own plan. TRL runs tuned (bf16, no checkpointing, similar lengths together, its own learning
rate) and with its defaults. All are scored on the same 60 held-out rows; the seconds of scoring do not count.
TRL's defaults are capped at three epochs: a loss that is not reached gives a lower bound.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from train_throughput import ALPHA, RANK, TARGETS, as_samples, base_and_rows, processor, read_rows

VALIDATION_ROWS = 60
EVALUATIONS_PER_EPOCH = 4
CAP_EPOCHS = 3
TUNED: dict[str, Any] = {
    "bf16": True,
    "gradient_checkpointing": False,
    "per_device_train_batch_size": 4,
    "train_sampling_strategy": "group_by_length",
}

Curve = list[tuple[float, float]]
"""Training seconds so far and validation loss."""


def run_ours(rows: list[dict[str, str]], seed: int, epochs: float) -> Curve:
    """The steps of tuneloop's training loop under the plan it makes for these rows and this machine."""
    import torch

    from tuneloop.adapters.config import AdapterConfig
    from tuneloop.adapters.lora import attach_lora
    from tuneloop.kernels import native
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model
    from tuneloop.training.batches import collate, schedule
    from tuneloop.training.config import TrainingConfig
    from tuneloop.training.facts import data_facts, machine_facts, model_facts
    from tuneloop.training.fast_path import fast_path, keep_memory, supervised_loss
    from tuneloop.training.loop import rate_factor, validation_loss
    from tuneloop.training.plan import make_plan

    keep_memory()
    if native.can_build() and (problem := native.build()):
        sys.exit(problem)
    loaded = load_model(ModelConfig())
    examples = tokenised(rows, loaded.template)
    held_out, examples = examples[:VALIDATION_ROWS], examples[VALIDATION_ROWS:]
    facts = data_facts(examples, held_out)
    plan = make_plan(
        TrainingConfig(num_train_epochs=epochs),
        AdapterConfig(),
        model_facts(loaded),
        facts,
        machine_facts(loaded),
        seed=seed,
    )
    model = attach_lora(
        loaded.model,
        r=plan.value("r"),
        lora_alpha=plan.value("lora_alpha"),
        target_modules=plan.value("target_modules"),
        dropout=0.0,
        seed=seed,
    )
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, weight_decay=plan.value("weight_decay"))
    budget = plan.value("max_tokens_per_batch")
    lengths = [len(e.ids) for e in examples]
    steps = schedule(lengths, max_tokens=budget, max_samples=None, accumulation=1, epochs=epochs, seed=seed)
    every = max(1, len(steps) // EVALUATIONS_PER_EPOCH)
    seconds, curve = 0.0, []
    with fast_path(model):
        for number, step in enumerate(steps, start=1):
            start = time.perf_counter()
            for group in optimizer.param_groups:
                group["lr"] = plan.value("learning_rate") * rate_factor(number, plan.value("warmup_steps"), len(steps))
            batch = collate([examples[i] for i in step.micro_batches[0]], loaded.device)
            (supervised_loss(model, batch) / len(batch.targets)).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            seconds += time.perf_counter() - start
            if number % every == 0 or number == len(steps):
                curve.append((seconds, validation_loss(model, held_out)))
    return curve


def tokenised(rows: list[dict[str, str]], template: Any) -> list[Any]:
    """The rows as every stack sees them: rendered by one template, answers supervised."""
    from tuneloop.training.tokenise import tokenise

    return tokenise(as_samples(rows), template)


def run_trl(rows: list[dict[str, str]], seed: int, epochs: float, settings: dict[str, Any]) -> Curve:
    """TRL's SFTTrainer; the held-out loss is taken between its steps, as ours is: the mean over all answer tokens."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_tokenizer

    model, tokenizer, prompts, completions = base_and_rows(rows, torch.bfloat16 if settings else torch.float32)
    held_out = tokenised(rows[:VALIDATION_ROWS], load_tokenizer(ModelConfig())[1])
    pairs = [{"prompt": p, "completion": c} for p, c in zip(prompts, completions, strict=True)][VALIDATION_ROWS:]
    every = max(1, len(pairs) // settings.get("per_device_train_batch_size", 8) // EVALUATIONS_PER_EPOCH)
    curve: Curve = []

    @torch.no_grad()
    def held_out_loss(model: Any) -> float:
        total, count = 0.0, 0
        model.eval()
        for example in held_out:
            ids = torch.tensor([example.ids])
            keep = torch.tensor(example.supervised[1:])
            logits = model(input_ids=ids).logits[0, :-1][keep].float()
            total += float(torch.nn.functional.cross_entropy(logits, ids[0, 1:][keep], reduction="sum"))
            count += int(keep.sum())
        model.train()
        return total / count

    class Clock(TrainerCallback):
        """Counts the seconds of steps, and scores the held-out rows between them."""

        seconds, started = 0.0, 0.0

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.started = time.perf_counter()

        def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
            self.seconds += time.perf_counter() - self.started
            if state.global_step % every == 0 or state.global_step == state.max_steps:
                curve.append((self.seconds, held_out_loss(model)))

    with tempfile.TemporaryDirectory() as folder:
        own = {"output_dir": folder, "save_strategy": "no", "report_to": "none", "use_cpu": True, "seed": seed}
        SFTTrainer(
            model=model,
            processing_class=tokenizer,
            args=SFTConfig(**own, **settings, num_train_epochs=epochs),
            train_dataset=Dataset.from_list(pairs),
            peft_config=LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS["all"], task_type="CAUSAL_LM"),
            callbacks=[Clock()],
        ).train()
    return curve


STACKS: dict[str, Any] = {
    "tuneloop": run_ours,
    "trl-tuned": lambda rows, seed, epochs: run_trl(rows, seed, epochs, TUNED),
    "trl": lambda rows, seed, epochs: run_trl(rows, seed, epochs, {}),
}


def seconds_to(curve: Curve, loss: float) -> float | None:
    """When the curve first reaches the loss, between evaluations by a straight line; None when it never does."""
    before: tuple[float, float] | None = None
    for seconds, value in curve:
        if value <= loss:
            if before is None:
                return seconds
            share = (before[1] - loss) / (before[1] - value)
            return before[0] + share * (seconds - before[0])
        before = seconds, value
    return None


def measure(stack: str, file: Path, seed: int, epochs: float) -> Curve:
    """Run a stack in a process of its own."""
    command = [sys.executable, __file__, "--stack", stack, "--rows-file", str(file), "--seed", str(seed)]
    done = subprocess.run([*command, "--epochs", str(epochs)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{stack} failed:\n{done.stderr[-3000:]}")
    curve = json.loads(done.stdout.splitlines()[-1])
    last = curve[-1]
    print(f"seed {seed} {stack}: loss {last[1]:.4f} after {last[0]:.0f} s", file=sys.stderr, flush=True)
    return [(seconds, loss) for seconds, loss in curve]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--stack", choices=STACKS, help=argparse.SUPPRESS)
    parser.add_argument("--rows-file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--epochs", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stack:
        rows = json.loads(options.rows_file.read_text())
        print(json.dumps(STACKS[options.stack](rows, options.seed, options.epochs)))
        return
    shared = os.environ.get("TUNELOOP_DATA")
    if options.data is None and shared is None:
        sys.exit("Name a file of rows with --data, or set TUNELOOP_DATA.")
    data = options.data or Path(str(shared)) / "formats" / "alpaca_en_demo.json"
    rows = read_rows(data, options.rows + VALIDATION_ROWS)
    seconds: dict[str, list[float]] = {"tuneloop": [], "trl-tuned": []}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        file.write_text(json.dumps(rows), encoding="utf-8")
        targets = []
        for seed in range(options.seeds):
            tuned = measure("trl-tuned", file, seed, 1)
            targets.append(tuned[-1][1])
            seconds["trl-tuned"].append(tuned[-1][0])
            reached = seconds_to(measure("tuneloop", file, seed, 1), targets[-1])
            if reached is None:
                sys.exit(f"tuneloop did not reach {targets[-1]:.4f} in one epoch (seed {seed})")
            seconds["tuneloop"].append(reached)
        curve = measure("trl", file, 0, CAP_EPOCHS)
    ours, tuned_seconds = statistics.median(seconds["tuneloop"]), statistics.median(seconds["trl-tuned"])
    reached = seconds_to(curve, targets[0])
    default_seconds = reached if reached is not None else curve[-1][0]
    sign = "" if reached is not None else "> "
    print(f"\n{'stack':<12} {'seconds':>10} {'ours ×':>10}")
    print(f"{'tuneloop':<12} {ours:>10.0f}")
    print(f"{'trl-tuned':<12} {tuned_seconds:>10.0f} {tuned_seconds / ours:>10.1f}")
    print(f"{'trl':<12} {sign + format(default_seconds, '.0f'):>10} {sign + format(default_seconds / ours, '.1f'):>10}")
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "trl", "accelerate")},
        "data": data.name,
        "rows": options.rows,
        "validation_losses": targets,
        "seconds": {**seconds, "trl": [default_seconds]},
        "trl_defaults_reached_it": reached is not None,
    }
    target = Path(__file__).parent / "results" / f"time_to_loss-{data.stem}.json"
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written to {target}")


if __name__ == "__main__":
    main()
