"""Will more data help? The same recipe on a quarter, half and all of its training rows, judged on the same test rows.

The parts are nested (the quarter stands in the half) and keep validation and test as they are, so that only the number
of training rows differs. The last step is judged by a paired comparison, not by the eye.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tuneloop.core.messages import text
from tuneloop.core.records import Comparison, Figure, Record
from tuneloop.core.seeds import generator
from tuneloop.pipeline.loop import Loop
from tuneloop.store.artifacts import MANIFEST, manifest_hash, new_artifact, read_manifest
from tuneloop.store.samples import read_split, write_samples

SHARES = (0.25, 0.5, 1.0)
ENOUGH = 0.01
"""A last step below this share of the metric's range, proven, means that more of the same rows will not help."""


class Point(Record):
    """One training."""

    share: float
    rows: int
    """Training rows."""
    value: Figure
    """The headline on the test rows."""
    run_id: str
    evaluation_id: str


class LearningCurve(Record):
    """What the number of training rows does to the headline."""

    metric: str
    points: tuple[Point, ...]
    last_step: Comparison
    """All rows against the part before."""
    advice: Literal["more", "enough", "unknown"]
    text: str


def learning_curve(loop: Loop, shares: Sequence[float] = SHARES) -> LearningCurve:
    """Train and evaluate a recipe on parts of its training rows.

    Args:
        loop: the recipe in its workspace; its own training is the last point, and is not done twice.
        shares: of the training rows, rising to 1.
    """
    from tuneloop.evaluation.rematch import compare_evaluations
    from tuneloop.evaluation.results import read_results

    points: list[Point] = []
    folders: list[Path] = []
    metric = ""
    for share in shares:
        part = loop if share == 1 else _part_of(loop, share)
        evaluation = part.evaluation
        metric = read_results(evaluation.path).headline.metric
        rows = len(read_split(part.dataset.path, "train"))
        value = evaluation.arms["tuned"][metric]
        points.append(Point(share=share, rows=rows, value=value, run_id=part.run.id, evaluation_id=evaluation.id))
        folders.append(evaluation.path)
    compared = compare_evaluations(folders[-2], folders[-1], seed=loop.recipe.seed)
    step = next(item for item in compared.comparisons if item.metric == metric)
    advice = advise(step, metric)
    return LearningCurve(
        metric=metric,
        points=tuple(points),
        last_step=step,
        advice=advice,
        text=text(f"evaluation.curve_{advice}", few=points[-2].rows, many=points[-1].rows),
    )


def advise(step: Comparison, metric: str) -> Literal["more", "enough", "unknown"]:
    """What the step from the last part to all rows says: it helped, it can't have helped, or neither is proven."""
    from tuneloop.evaluation.metrics import best

    if step.low > 0:
        return "more"
    return "enough" if step.high < ENOUGH * best(metric) else "unknown"


def _part_of(loop: Loop, share: float) -> Loop:
    """The same loop over a dataset with a part of the training rows; the base model is loaded once."""
    part = Loop(loop.recipe, loop.workspace, progress=loop.progress)
    # Both are results that a loop makes when it is first asked; here they are there already.
    part.loaded = loop.loaded
    part.dataset = loop.dataset.model_copy(
        update={"path": _with_fewer_rows(loop.dataset.path, share, loop.recipe.seed)}
    )
    return part


def _with_fewer_rows(dataset: Path, share: float, seed: int) -> Path:
    """A dataset folder beside another one, with a part of its training rows; made once."""
    target = dataset.with_name(f"{dataset.name}-{round(100 * share):02d}")
    if (target / MANIFEST).exists():
        return target
    train = read_split(dataset, "train")
    order = generator(seed, "learning curve").sample(range(len(train)), len(train))
    kept = sorted(order[: max(1, round(share * len(train)))])
    made = read_manifest(dataset)
    config, inputs = {"part_of": manifest_hash(dataset), "share": share}, {"dataset": manifest_hash(dataset)}
    with new_artifact(target, kind="dataset", config=config, inputs=inputs, seeds={"part": seed}) as folder:
        for name in made.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(dataset / name, folder / name)
        write_samples(folder / "train.jsonl", [train[place] for place in kept])
    return target
