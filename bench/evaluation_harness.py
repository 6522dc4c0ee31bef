"""A multiple-choice task of lm-eval, ours beside lm-eval's own model, item by item and in seconds: `evaluation.py --part harness`.

The task is made in a local folder out of the general probe that comes with tuneloop (140 English questions, four options)
and done without examples and with five, the same ones before every question, as such tasks usually are.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from tuneloop.engine.engine import Engine
from tuneloop.evaluation import harness
from tuneloop.evaluation.config import HarnessConfig
from tuneloop.evaluation.forgetting import items
from tuneloop.models.load import LoadedModel

SHOTS = (0, 5)
HARNESS_BATCHES = (1, 8, 32)
TASK = {
    "dataset_path": "json",
    "test_split": "test",
    "fewshot_split": "examples",
    "fewshot_config": {"sampler": "first_n"},
    "output_type": "multiple_choice",
    "doc_to_text": "Question: {{question}}\nAnswer:",
    "doc_to_choice": "options",
    "doc_to_target": "right",
    "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
}


def write_tasks(folder: Path) -> int:
    """Write the task and its data; returns how many items it has."""
    made = [
        {
            "question": item.question,
            "options": (turned := turn(item.options, place)),
            "right": turned.index(item.options[0]),
        }
        for place, item in enumerate(items("en"))
    ]
    examples, test = made[: max(SHOTS)], made[max(SHOTS) :]
    for name, rows in (("examples", examples), ("test", test)):
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    data = {"data_files": {name: str(folder / f"{name}.json") for name in ("examples", "test")}}
    for shots in SHOTS:
        task = {"task": f"probe_{shots}", "num_fewshot": shots, "dataset_kwargs": data, **TASK}
        (folder / f"probe_{shots}.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")
    return len(test)


def turn(options: tuple[str, ...], by: int) -> list[str]:
    """The options, the right one not always first."""
    by %= len(options)
    return [*options[by:], *options[:by]]


def scored(config: HarnessConfig, folder: Path, model: Any) -> tuple[float, harness.Scores]:
    """Every item's scores, and the seconds that the model took for them: the evaluator's own work is the same for both."""
    answer, spent = model.loglikelihood, []

    def clocked(*arguments: Any, **more: Any) -> Any:
        start = time.perf_counter()
        try:
            return answer(*arguments, **more)
        finally:
            spent.append(time.perf_counter() - start)

    model.loglikelihood = clocked
    found = harness._scores(config, folder, model, 0)
    return sum(spent), found


def bench_harness(loaded: LoadedModel, rows: int | None) -> dict[str, Any]:
    """Both do the task, lm-eval's model at several batch sizes."""
    with tempfile.TemporaryDirectory() as name:
        write_tasks(Path(name))
        return {f"{shots} examples": compare(loaded, Path(name), shots, rows) for shots in SHOTS}


def compare(loaded: LoadedModel, folder: Path, shots: int, rows: int | None) -> dict[str, Any]:
    from lm_eval.models.huggingface import HFLM

    config = HarnessConfig(folder=".", tasks=(f"probe_{shots}",), rows=rows)
    seconds, ours = scored(config, folder, harness._model(Engine(loaded.model), loaded, None))
    theirs: dict[int, float] = {}
    differing: dict[str, int] = {}
    for batch in HARNESS_BATCHES:
        model = HFLM(pretrained=loaded.model, tokenizer=loaded.tokenizer, batch_size=batch)
        theirs[batch], found = scored(config, folder, model)
        for figure, right in found.items():
            differing[f"{figure}, batch {batch}"] = sum(right[item] != ours[figure][item] for item in right)
    return {
        "items": len(next(iter(ours.values()))),
        "accuracy": {figure: sum(right.values()) / len(right) for figure, right in ours.items()},
        "items_that_differ": differing,
        "ours_seconds": seconds,
        "lm_eval_seconds": theirs,
        "times_faster_than_their_best": min(theirs.values()) / seconds,
    }
