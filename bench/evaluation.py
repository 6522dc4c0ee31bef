"""How long an evaluation takes: labels and free answers, ours beside transformers, in one run.

    python bench/evaluation.py [--rows 600] [--labels 77] [--prompts 300] [--model smollm2-135m] [--part labels|answers|harness]
        [--out FILE]

labels: each row's log-probability of every label. Ours reads the prompt once and the labels as a tree; the peer scores
each label as a sequence of its own, batched and padded, as lm-eval does. The same label must win in every row.
answers: 90 tokens to each prompt of one arm; the peer is `transformers.generate` with left padding. Three arms cost three
times that. Batch sizes that are compared: ours at its best against theirs at 8 and at their best.
harness: a multiple-choice task of lm-eval out of a local folder, beside lm-eval's own model (`evaluation_harness.py`; needs
`pip install 'tuneloop[harness]'`). The same items must be right; the bar is twice its speed at its best batch size.
Writes `bench/results/evaluation.json` unless told otherwise. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from tuneloop.core.records import Message
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import Request, Sampling, ScoreRequest
from tuneloop.models.config import ModelConfig
from tuneloop.models.constraints import answer_ids
from tuneloop.models.load import LoadedModel, load_model

NAMES = """
activate block cancel change check close dispute find get open pay recover replace report request
account address card cheque credit deposit limit loan mortgage password pin statement transfer
"""
VERBS, THINGS = (line.split() for line in NAMES.strip().splitlines())
PEER_BATCHES = (8, 32)
ARMS = 3
RESULTS = Path(__file__).parent / "results" / "evaluation.json"


def labels_of(count: int) -> list[str]:
    """Names as intents have them: many share their beginning."""
    names = sorted(f"{verb}_{thing}" for verb in VERBS for thing in THINGS)
    return random.Random(1).sample(names, count)


def questions_of(count: int) -> list[str]:
    chosen = random.Random(2)
    return [
        f"Hello, I would like to {chosen.choice(VERBS)} my {chosen.choice(THINGS)} number {chosen.randint(1000, 9999)}, "
        f"please tell me what I need to do before {chosen.choice(['Monday', 'Friday', 'the end of May'])}."
        for _ in range(count)
    ]


def prompts_of(loaded: LoadedModel, count: int) -> list[tuple[int, ...]]:
    return loaded.template.prompt_many([[Message(role="user", content=text)] for text in questions_of(count)])


def labels_ours(loaded: LoadedModel, prompts: list[tuple[int, ...]], labels: list[tuple[int, ...]]) -> list[int]:
    engine = Engine(loaded.model)
    scored = engine.score_many(ScoreRequest(prompt, tuple(labels)) for prompt in prompts)
    return [max(range(len(labels)), key=[sum(tokens) for tokens in row].__getitem__) for row in scored]


@torch.inference_mode()
def labels_peer(
    loaded: LoadedModel, prompts: list[tuple[int, ...]], labels: list[tuple[int, ...]], batch: int
) -> list[int]:
    """Every label as a sequence of its own: prompt and label, right-padded, the logits of the label's tokens."""
    chosen = []
    for prompt in prompts:
        totals: list[float] = []
        for start in range(0, len(labels), batch):
            part = labels[start : start + batch]
            longest = max(map(len, part))
            rows = torch.tensor([[*prompt, *label, *[0] * (longest - len(label))] for label in part])
            logits = loaded.model(input_ids=rows, logits_to_keep=longest + 1).logits[:, :-1].float().log_softmax(-1)
            for row, label in enumerate(part):
                totals.append(sum(float(logits[row, place, token]) for place, token in enumerate(label)))
        chosen.append(max(range(len(labels)), key=totals.__getitem__))
    return chosen


def answers_ours(loaded: LoadedModel, prompts: list[tuple[int, ...]], tokens: int, batch: int) -> int:
    engine = Engine(loaded.model, batch_size=batch)
    requests = [Request(prompt, sampling=Sampling(max_new_tokens=tokens)) for prompt in prompts]
    return sum(len(completion.ids) for completion in engine.generate(requests))


@torch.inference_mode()
def answers_peer(loaded: LoadedModel, prompts: list[tuple[int, ...]], tokens: int, batch: int) -> int:
    made = 0
    for start in range(0, len(prompts), batch):
        part = prompts[start : start + batch]
        longest = max(map(len, part))
        ids = torch.tensor([[*[0] * (longest - len(p)), *p] for p in part])
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in part])
        out = loaded.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            do_sample=False,
            pad_token_id=0,
        )
        made += out[:, longest:].numel()
    return made


def timed(work: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def bench_labels(loaded: LoadedModel, rows: int, count: int, peer_rows: int) -> dict[str, Any]:
    prompts, labels = prompts_of(loaded, rows), [answer_ids(loaded.template, name) for name in labels_of(count)]
    ours, found = timed(lambda: labels_ours(loaded, prompts, labels))
    report: dict[str, Any] = {"rows": rows, "labels": count, "ours_seconds": ours}
    for batch in PEER_BATCHES:
        seconds, other = timed(lambda batch=batch: labels_peer(loaded, prompts[:peer_rows], labels, batch))
        same = sum(a == b for a, b in zip(found, other, strict=False))
        report[f"each label alone, batch {batch}"] = {
            "seconds": seconds * rows / peer_rows,
            "rows_measured": peer_rows,
            "same_label": f"{same}/{peer_rows}",
            "times_slower": seconds * rows / peer_rows / ours,
        }
    return report


def bench_answers(loaded: LoadedModel, count: int, tokens: int) -> dict[str, Any]:
    prompts = prompts_of(loaded, count)
    report: dict[str, Any] = {"prompts": count, "new_tokens": tokens}
    for name, work in (("ours", answers_ours), ("transformers", answers_peer)):
        for batch in PEER_BATCHES:
            seconds, made = timed(lambda work=work, batch=batch: work(loaded, prompts, tokens, batch))
            report[f"{name}, batch {batch}"] = {"seconds": seconds, "tokens_per_second": made / seconds}
    speed = {name: value["tokens_per_second"] for name, value in report.items() if isinstance(value, dict)}
    ours, theirs = (max(speed[f"{name}, batch {batch}"] for batch in PEER_BATCHES) for name in ("ours", "transformers"))
    report["three_arms_seconds"] = ARMS * count * tokens / ours
    report["times_faster_than_theirs_at_8"] = ours / speed["transformers, batch 8"]
    report["times_faster_than_their_best"] = ours / theirs
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument(
        "--peer-rows", type=int, default=30, help="rows that the slow peer scores; its time is scaled up"
    )
    parser.add_argument("--labels", type=int, default=77)
    parser.add_argument("--prompts", type=int, default=300)
    parser.add_argument("--tokens", type=int, default=90)
    parser.add_argument("--harness-rows", type=int, help="items of lm-eval's task; all (135) by default")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--dtype", default="auto", help="float32: the same label in every row, rounding apart")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--part", choices=["labels", "answers", "harness", "all"], default="all")
    options = parser.parse_args()
    loaded = load_model(ModelConfig.model_validate({"name_or_path": options.model, "dtype": options.dtype}))
    report: dict[str, Any] = {"model": options.model, "dtype": str(loaded.dtype)}
    if options.part in ("labels", "all"):
        report["labels"] = bench_labels(loaded, options.rows, options.labels, min(options.rows, options.peer_rows))
    if options.part in ("answers", "all"):
        report["answers"] = bench_answers(loaded, options.prompts, options.tokens)
    if options.part in ("harness", "all"):
        from evaluation_harness import bench_harness

        report["harness"] = bench_harness(loaded, options.harness_rows)
    report["machine"] = platform.processor() or platform.machine()
    report["versions"] = {package: version(package) for package in ("tuneloop", "torch", "transformers")}
    print(json.dumps(report, indent=1))
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
