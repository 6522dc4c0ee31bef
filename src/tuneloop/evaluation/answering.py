"""All arms answer the same rows: what each is asked, how it is answered, and what that cost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tuneloop.adapters.merge import merge
from tuneloop.core.errors import DataError
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.engine.config import GenerationConfig
from tuneloop.engine.engine import Engine
from tuneloop.evaluation.answers import Generated, answers_file, generate
from tuneloop.evaluation.arms import ARMS, TUNED, Questions, arms_for, prove_active, questions
from tuneloop.evaluation.results import Warned
from tuneloop.evaluation.scoring import Rows
from tuneloop.evaluation.wording import arm_label
from tuneloop.models.load import LoadedModel


def ask(
    rows: Rows, generation: GenerationConfig, loaded: LoadedModel, *, adapted: bool
) -> tuple[dict[str, Questions], list[Warned]]:
    """Every arm's questions, by arm.

    An arm whose own additions to the prompt do not fit the model's context is left out, with a warning.

    Args:
        generation: its `max_new_tokens` is a number.
        adapted: whether there is an adapter.

    Raises:
        DataError: a row's own prompt fills the context (code `evaluation.prompt_too_long`).
    """
    asked: dict[str, Questions] = {}
    warnings: list[Warned] = []
    for name, arm in arms_for(has_script=rows.script is not None, adapted=adapted).items():
        try:
            asked[name] = questions(
                arm, rows.samples, script=rows.script, loaded=loaded, generation=generation, seed=rows.seed
            )
        except DataError as error:
            if not arm.needs_script or error.code != "evaluation.prompt_too_long":
                raise
            values = {"arm": name, "tokens": error.values["tokens"], "limit": error.values["limit"]}
            warnings.append(Warned(code="evaluation.warn_arm_left_out", values=values))
    return asked, warnings


def start_engine(
    asked: Mapping[str, Questions], generation: GenerationConfig, loaded: LoadedModel, adapter: Path | None
) -> Engine:
    """Merge the adapter, let it prove that it is active, and start the engine.

    Args:
        asked: out of `ask`.
        adapter: the folder of the adapter.

    Raises:
        IncompatibleError: the adapter changes nothing (code `evaluation.adapter_inactive`).
    """
    merged = {} if adapter is None else {TUNED: merge(loaded, adapter)}
    if adapter is not None:
        probe = next(iter(asked[TUNED].requests.values())).ids
        prove_active(loaded.model, merged, probe, adapter)
    return Engine(loaded.model, adapters=merged, batch_size=generation.batch_size)


def answer_all(
    engine: Engine,
    asked: Mapping[str, Questions],
    generation: GenerationConfig,
    loaded: LoadedModel,
    inputs: Mapping[str, str],
    *,
    cache: Path,
    afresh: bool,
    progress: Progress,
    label: str | None = None,
) -> dict[str, Generated]:
    """Let every arm answer.

    Args:
        engine: out of `start_engine`.
        asked: out of `ask`.
        inputs: hashes of what decides an answer: `model`, `dtype`, `device`, `template`, and `adapter` if there is one.
        cache: folder of the answers that are kept.
        afresh: do not take answers from it.
        label: what the progress bar says beside the arm.
    """
    answered: dict[str, Generated] = {}
    for name, arm_questions in asked.items():
        identity = {part: inputs[part] for part in ("model", "dtype", "device", "template")}
        identity |= {"adapter": inputs["adapter"]} if ARMS[name].adapted else {}
        answered[name] = generate(
            engine,
            arm_questions.requests,
            template=loaded.template,
            path=answers_file(cache, {**identity, "temperature": generation.temperature}),
            label=text("evaluation.answering", arm=arm_label(name)) + (f": {label}" if label else ""),
            progress=progress,
            afresh=afresh,
        )
        if reused := len(answered[name].answers) - answered[name].fresh:
            progress.note(text("evaluation.reused", arm=arm_label(name), count=reused))
    return answered


def timings(answered: Mapping[str, Generated]) -> dict[str, Any]:
    """`timings.json`: what this evaluation's answers cost, by arm. Never in `results.json`, whose bytes repeat."""
    return {"format": 1, "arms": {name: _timing(generated) for name, generated in answered.items()}}


def _timing(generated: Generated) -> dict[str, float | int | None]:
    waits = [answer.first_token_seconds for answer in generated.answers.values()]
    median, late = (float(value) for value in np.quantile(waits, [0.5, 0.95], method="higher"))
    return {
        "seconds": round(generated.seconds, 3),
        "generated": generated.fresh,
        "reused": len(generated.answers) - generated.fresh,
        "tokens_per_second": round(generated.fresh_tokens / generated.seconds, 1) if generated.fresh else None,
        "first_token_p50": round(median, 4),
        "first_token_p95": round(late, 4),
    }
