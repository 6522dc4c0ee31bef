"""Training throughput of tuneloop beside the textbook script and TRL, in one run on the same samples.

    python bench/train_throughput.py [--data alpaca_en_demo.json] [--targets qv|all] [--rounds 3] [--rows 64]

Every stack trains one pass over the same rows with a LoRA of rank 16. Useful tokens are the tokens of the rendered
samples; padding does not count. Each measurement is a process of its own; stacks alternate; medians are reported.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

RANK, ALPHA = 16, 32
TARGETS: dict[str, Any] = {"qv": ["q_proj", "v_proj"], "all": "all-linear"}


def read_rows(path: Path, count: int) -> list[dict[str, str]]:
    """Question and answer of the first `count` rows of an alpaca-shaped file, after a seeded shuffle."""
    import random

    text = path.read_text(encoding="utf-8")
    rows = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
    random.Random(0).shuffle(rows)
    chosen = []
    for row in rows[:count]:
        question = "\n".join(part for part in (row["instruction"], row.get("input", "")) if part)
        chosen.append({"question": question, "answer": row["output"]})
    return chosen


def own_samples() -> list[dict[str, str]]:
    """Rows of the project's own grammar, for machines without other data."""
    from tuneloop.data.grammar import make_samples

    return [{"question": s.question, "answer": s.answer} for s, _ in make_samples("bank-service", "en", 400, 0)]


def as_samples(rows: list[dict[str, str]]) -> list[Any]:
    """The rows as tuneloop's samples."""
    from tuneloop.core.records import Message, Meta, Sample

    return [
        Sample(
            id=str(number),
            messages=(Message(role="user", content=r["question"]), Message(role="assistant", content=r["answer"])),
            meta=Meta(source="bench", row=number + 1),
        )
        for number, r in enumerate(rows)
    ]


def run_ours_in_torch(rows: list[dict[str, str]], targets: str) -> dict[str, float]:
    """Ours without the C++ kernels."""
    os.environ["TUNELOOP_KERNELS"] = "torch"
    return run_ours(rows, targets)


def run_ours(rows: list[dict[str, str]], targets: str) -> dict[str, float]:
    """The packed path, in C++ where it builds (the build counts as start-up)."""
    import torch

    from tuneloop.adapters.lora import attach_lora
    from tuneloop.kernels import native
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model
    from tuneloop.training.batches import collate, schedule
    from tuneloop.training.estimate import flops_per_epoch
    from tuneloop.training.facts import data_facts, machine_facts, model_facts
    from tuneloop.training.fast_path import fast_path, keep_memory, supervised_loss
    from tuneloop.training.tokenise import tokenise

    keep_memory()
    if native.can_build() and (problem := native.build()):
        sys.exit(problem)
    loaded = load_model(ModelConfig())
    examples = tokenise(as_samples(rows), loaded.template)
    target = TARGETS[targets]
    target = target if isinstance(target, str) else tuple(target)
    facts, rate = model_facts(loaded), machine_facts(loaded).flops_per_second
    model = attach_lora(loaded.model, r=RANK, lora_alpha=ALPHA, target_modules=target, dropout=0.0, seed=0)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4)
    steps = schedule(
        [len(e.ids) for e in examples], max_tokens=1536, max_samples=None, accumulation=1, epochs=2, seed=0
    )
    with fast_path(model):
        for epoch in (0, 1):  # the first pass is the warm-up, as for the others
            ready = time.perf_counter()
            losses = []
            for step in (s for s in steps if s.epoch == epoch):
                batch = collate([examples[i] for i in step.micro_batches[0]], loaded.device)
                loss = supervised_loss(model, batch) / len(batch.targets)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
                optimizer.zero_grad()
                losses.append(loss.item())
            seconds = time.perf_counter() - ready
            if epoch == 0 and len(rows) <= 8:
                break
    needed = flops_per_epoch(facts, data_facts(examples, []), sum(p.numel() for p in parameters))
    return {"seconds": seconds, "loss": statistics.mean(losses), "roof_share": needed / rate / seconds}


def base_and_rows(rows: list[dict[str, str]], dtype: Any) -> tuple[Any, Any, list[str], list[str]]:
    """The same weights and the same rendered text for the peers."""
    from transformers import AutoModelForCausalLM

    from tuneloop.core.progress import SILENT
    from tuneloop.core.records import Message
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_tokenizer
    from tuneloop.models.locate import locate

    tokenizer, template = load_tokenizer(ModelConfig())
    model = AutoModelForCausalLM.from_pretrained(locate(ModelConfig(), SILENT).folder, dtype=dtype)
    prompts, completions = [], []
    for row in rows:
        messages = [Message(role="user", content=row["question"]), Message(role="assistant", content=row["answer"])]
        prompt, whole = template.prompt(messages[:1]), template.render(messages).ids
        prompts.append(tokenizer.decode(prompt))
        completions.append(tokenizer.decode(whole[len(prompt) :]).rstrip("\n"))
    return model, tokenizer, prompts, completions


def run_textbook(rows: list[dict[str, str]], targets: str) -> dict[str, float]:
    """The guide's script: float32, random batches of 8, padded to the longest, loss over all positions."""
    import torch
    from peft import LoraConfig, get_peft_model

    model, tokenizer, prompts, completions = base_and_rows(rows, torch.float32)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = get_peft_model(
        model, LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS[targets], task_type="CAUSAL_LM")
    )
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    texts = [p + c for p, c in zip(prompts, completions, strict=True)]
    ready = time.perf_counter()
    losses = []
    for start in range(0, len(texts), 8):
        batch = tokenizer(texts[start : start + 8], return_tensors="pt", padding=True, add_special_tokens=False)
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        loss = model(**batch, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return {"seconds": time.perf_counter() - ready, "loss": statistics.mean(losses)}


def run_trl(rows: list[dict[str, str]], targets: str) -> dict[str, float]:
    """TRL's SFTTrainer with its defaults on prompt–completion rows."""
    return train_with_trl(rows, targets, {})


def run_trl_tuned(rows: list[dict[str, str]], targets: str) -> dict[str, float]:
    """TRL as well as its documentation allows on a CPU: bf16, no checkpointing, similar lengths together."""
    settings = {
        "bf16": True,
        "gradient_checkpointing": False,
        "per_device_train_batch_size": 4,
        "train_sampling_strategy": "group_by_length",
    }
    return train_with_trl(rows, targets, settings)


def train_with_trl(rows: list[dict[str, str]], targets: str, settings: dict[str, Any]) -> dict[str, float]:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    model, tokenizer, prompts, completions = base_and_rows(rows, torch.bfloat16 if settings else torch.float32)
    with tempfile.TemporaryDirectory() as folder:
        own = {"output_dir": folder, "num_train_epochs": 1, "save_strategy": "no", "report_to": "none", "use_cpu": True}
        trainer = SFTTrainer(
            model=model,
            processing_class=tokenizer,
            args=SFTConfig(**own, **settings),
            train_dataset=Dataset.from_list(
                [{"prompt": p, "completion": c} for p, c in zip(prompts, completions, strict=True)]
            ),
            peft_config=LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS[targets], task_type="CAUSAL_LM"),
        )
        ready = time.perf_counter()
        result = trainer.train()
        return {"seconds": time.perf_counter() - ready, "loss": result.training_loss}


STACKS: dict[str, Callable[[list[dict[str, str]], str], dict[str, float]]] = {
    "tuneloop": run_ours,
    "tuneloop-torch": run_ours_in_torch,
    "textbook": run_textbook,
    "trl": run_trl,
    "trl-tuned": run_trl_tuned,
}


def measure(stack: str, rows: list[dict[str, str]], targets: str) -> dict[str, float]:
    """Run one stack in this process and add its peak memory."""
    begin = time.perf_counter()
    figures = STACKS[stack](rows, targets)
    figures["startup_seconds"] = time.perf_counter() - begin - figures["seconds"]
    figures["memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return figures


def useful_tokens(rows: list[dict[str, str]]) -> int:
    from tuneloop.core.records import Message
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_tokenizer

    _, template = load_tokenizer(ModelConfig())
    return sum(
        len(
            template.render(
                [Message(role="user", content=r["question"]), Message(role="assistant", content=r["answer"])]
            ).ids
        )
        for r in rows
    )


def compare(rows: list[dict[str, str]], targets: str, rounds: int) -> dict[str, dict[str, float]]:
    """Alternate the stacks and return each one's medians."""
    tokens = useful_tokens(rows)
    found: dict[str, list[dict[str, float]]] = {stack: [] for stack in STACKS}
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump(rows, file)
    for number in range(rounds):
        for stack, measured in found.items():
            command = [sys.executable, __file__, "--stack", stack, "--rows-file", file.name, "--targets", targets]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{stack} failed:\n{done.stderr[-3000:]}")
            measured.append(json.loads(done.stdout.splitlines()[-1]))
            print(
                f"round {number + 1} {stack}: {tokens / measured[-1]['seconds']:.0f} tok/s", file=sys.stderr, flush=True
            )
    os.unlink(file.name)
    table = {}
    for stack, measured in found.items():
        medians = {key: statistics.median(m[key] for m in measured) for key in measured[0]}
        table[stack] = {"tokens_per_second": tokens / medians["seconds"], **medians}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--targets", choices=TARGETS, default="qv")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--stack", choices=STACKS, help=argparse.SUPPRESS)
    parser.add_argument("--rows-file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stack:
        print(json.dumps(measure(options.stack, json.loads(options.rows_file.read_text()), options.targets)))
        return
    shared = os.environ.get("TUNELOOP_DATA")
    data = options.data or (Path(shared) / "formats" / "alpaca_en_demo.json" if shared else None)
    rows = read_rows(data, options.rows) if data else own_samples()[: options.rows]
    table = compare(rows, options.targets, options.rounds)
    ours = table["tuneloop"]["tokens_per_second"]
    print(f"\n{'stack':<15} {'tok/s':>7} {'ours ×':>7} {'peak GB':>8} {'start s':>8} {'roof':>6} {'loss':>7}")
    for stack, row in table.items():
        print(
            f"{stack:<15} {row['tokens_per_second']:>7.0f} {ours / row['tokens_per_second']:>7.1f} "
            f"{row['memory_bytes'] / 1e9:>8.1f} {row['startup_seconds']:>8.1f} "
            f"{row.get('roof_share', float('nan')):>6.0%} {row['loss']:>7.3f}"
        )
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "trl", "accelerate")},
        "data": data.name if data else "grammar:bank-service",
        "rows": len(rows),
        "useful_tokens": useful_tokens(rows),
        "targets": options.targets,
        "rounds": options.rounds,
        "medians": table,
    }
    target = Path(__file__).parent / "results" / f"train_throughput-{options.targets}.json"
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written to {target}")


def processor() -> str:
    """The processor's name and whether it has bf16 instructions."""
    from tuneloop.models.precision import has_bfloat16_instructions

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        name = next(
            (line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line), name
        )
    return f"{name}, bf16 {'yes' if has_bfloat16_instructions() else 'no'}"


if __name__ == "__main__":
    main()
