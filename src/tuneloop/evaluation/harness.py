"""Tasks of lm-eval by name, out of a folder of the user's: its prompts and metrics, our engine's answers.

The folder holds lm-eval's own task files and their data; nothing is looked for elsewhere and nothing is downloaded. Tasks
of the kinds `multiple_choice` and `generate_until` run: they need log-probabilities and greedy answers, which the engine
gives; contexts that share their beginning are read once. As lm-eval does by default, prompts are plain text without a chat
template.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuneloop.core.errors import RecipeError
from tuneloop.core.hashing import hash_file, hash_value
from tuneloop.core.records import Comparison, Figure
from tuneloop.engine.request import Request, Sampling, ScoreRequest
from tuneloop.evaluation.bench import share_of
from tuneloop.evaluation.config import HarnessConfig
from tuneloop.evaluation.results import Probe
from tuneloop.evaluation.rows import shortened
from tuneloop.evaluation.significance import holm, mcnemar, permutation
from tuneloop.evaluation.statistics import Interval, bootstrap, paired_bootstrap, paired_shares, per_row

if TYPE_CHECKING:
    from tuneloop.engine.engine import Engine
    from tuneloop.models.load import LoadedModel

KINDS = ("multiple_choice", "generate_until")
"""lm-eval's `output_type` of the tasks that run here."""

LONGEST = 256
"""Tokens of an answer where the task names no limit (lm-eval's own default)."""

Scores = dict[str, dict[str, float]]
"""By figure (`task.metric`), then item: its score."""


def harness_hash(config: HarnessConfig, folder: Path) -> str:
    """Hash of every file in the folder of tasks.

    Raises:
        RecipeError: there is no such folder (code `evaluation.harness_wrong`).
    """
    place = folder / config.folder
    files = sorted(path for path in place.rglob("*") if path.is_file())
    if not files:
        raise RecipeError("evaluation.harness_wrong", file=place, problem="no files")
    return hash_value({str(path.relative_to(place)): hash_file(path) for path in files})


def run_tasks(
    config: HarnessConfig,
    folder: Path,
    adapters: Mapping[str, str | None],
    engine: Engine,
    loaded: LoadedModel,
    seed: int,
) -> Probe:
    """Let base and judged arm do the tasks.

    Args:
        config: the recipe's `evaluation.harness:`.
        folder: the recipe's.
        adapters: by arm, the name that the engine knows its weights by; the baseline first.
        engine: answers.
        loaded: gives the tokenizer.
        seed: of few-shot examples and resampling.

    Returns:
        By arm every metric that a task scores item by item, with its interval, and the paired comparisons.

    Raises:
        RecipeError: lm-eval is not installed (code `evaluation.harness_missing`), or a task can't be run
            (`evaluation.harness_wrong`).
    """
    place = folder / config.folder
    found = {arm: _scores(config, place, _model(engine, loaded, adapter), seed) for arm, adapter in adapters.items()}
    arms = {
        arm: {name: _figure(list(items.values()), seed) for name, items in scores.items()}
        for arm, scores in found.items()
    }
    compared: list[Comparison] = []
    if len(found) > 1:
        (a, first), (b, second) = found.items()
        compared = [_compare(a, b, name, first[name], second[name], seed) for name in first]
        corrected = holm([one.p for one in compared])
        compared = [one.model_copy(update={"p": p}) for one, p in zip(compared, corrected, strict=True)]
    items = {name: len(scores) for name, scores in next(iter(found.values())).items()}
    return Probe(arms=arms, comparisons=tuple(compared), details={"tasks": list(config.tasks), "items": items})


def _scores(config: HarnessConfig, place: Path, model: Any, seed: int) -> Scores:
    """Run lm-eval, and read every item's scores."""
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    try:
        with _offline(), contextlib.redirect_stderr(io.StringIO()):  # its bars and banners; errors are exceptions
            tasks = TaskManager(include_path=str(place), include_defaults=False)
            _check(config.tasks, tasks)
            made = simple_evaluate(
                model=model,
                tasks=list(config.tasks),
                limit=config.rows,
                bootstrap_iters=0,
                log_samples=True,
                task_manager=tasks,
                random_seed=seed,
                numpy_random_seed=seed,
                torch_random_seed=seed,
                fewshot_random_seed=seed,
            )
    except RecipeError:
        raise
    except Exception as error:  # whatever a task's file makes lm-eval, datasets or jinja say
        raise RecipeError("evaluation.harness_wrong", file=place, problem=shortened(str(error), 300)) from error
    return _by_item(made["samples"])


def _check(names: Sequence[str], tasks: Any) -> None:
    """Refuse names that the folder does not hold, and kinds of tasks that do not run here.

    Raises:
        ValueError: the first such name.
    """
    known = ", ".join(sorted(tasks.all_tasks)) or "-"
    for name in names:
        if name not in tasks.all_tasks:
            raise ValueError(f"{name} (known: {known})")
    for name, task in tasks.load(list(names))["tasks"].items():
        if task.config.output_type not in KINDS:
            raise ValueError(f"{name}: output_type {task.config.output_type} (known: {', '.join(KINDS)})")


def _by_item(samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> Scores:
    found: Scores = {}
    for task, items in samples.items():
        for item in items:
            for metric in item["metrics"]:
                if isinstance(item.get(metric), bool | int | float):
                    found.setdefault(f"{task}.{metric}", {})[str(item["doc_id"])] = float(item[metric])
    return found


def _figure(scores: Sequence[float], seed: int) -> Figure:
    if set(scores) <= {0.0, 1.0}:
        return share_of(scores)
    if len(scores) < 2:
        return Figure(value=scores[0], n=1)
    interval = bootstrap(per_row(scores), seed=seed)
    return Figure(value=interval.value, low=interval.low, high=interval.high, n=len(scores))


def _compare(
    a: str, b: str, name: str, first: Mapping[str, float], second: Mapping[str, float], seed: int
) -> Comparison:
    """Arm b against arm a on the same items of one task."""
    before, after = list(first.values()), [second[item] for item in first]
    interval: Interval
    if {*before, *after} <= {0.0, 1.0}:
        interval, p = paired_shares(before, after), mcnemar(before, after)
    else:
        sums = per_row(before), per_row(after)
        interval = (
            paired_bootstrap(*sums, seed=seed)[0] if len(before) > 1 else Interval(after[0] - before[0], -1.0, 1.0)
        )
        p = permutation(*sums, seed=seed)
    return Comparison(a=a, b=b, metric=name, difference=interval.value, low=interval.low, high=interval.high, p=p)


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """Keep datasets and the hub's client from asking the network."""
    import datasets.config
    import huggingface_hub.constants as hub

    before = datasets.config.HF_HUB_OFFLINE, hub.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = hub.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, hub.HF_HUB_OFFLINE = before


def _model(engine: Engine, loaded: LoadedModel, adapter: str | None) -> Any:
    """The engine as lm-eval sees a model.

    Raises:
        RecipeError: lm-eval is not installed (code `evaluation.harness_missing`).
    """
    try:
        from lm_eval.api.model import TemplateLM
    except ImportError as error:
        raise RecipeError("evaluation.harness_missing") from error

    tokenizer = loaded.tokenizer

    class EngineModel(TemplateLM):  # type: ignore[misc]  # lm-eval asks for a subclass of its own
        """Tokens in, log-probabilities or greedy answers out."""

        @property
        def eot_token_id(self) -> int:
            return int(tokenizer.eos_token_id if tokenizer.eos_token_id is not None else loaded.template.stop_ids[0])

        def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
            # lm-eval's own model leaves it to the tokenizer whether a prompt begins with a special token.
            return list(tokenizer.encode(string, add_special_tokens=add_special_tokens is not False))

        def _loglikelihood_tokens(self, requests: Any, **_: Any) -> list[tuple[float, bool]]:
            """Each context is scored once, with everything that may follow it."""
            by_context: dict[tuple[int, ...], dict[tuple[int, ...], float]] = {}
            for _, context, text in requests:
                by_context.setdefault(tuple(context), {})[tuple(text)] = 0.0
            asked = [ScoreRequest(context, tuple(texts), adapter) for context, texts in by_context.items()]
            for request, scored in zip(asked, engine.score_many(asked), strict=True):
                sums = map(sum, scored)
                by_context[request.ids] = dict(zip(request.continuations, sums, strict=True))
            # Whether a text is the greedy answer is asked by no task of the kinds above.
            return [(by_context[tuple(context)][tuple(text)], False) for _, context, text in requests]

        def loglikelihood_rolling(self, requests: Any, **_: Any) -> list[float]:
            raise ValueError(f"a task of another kind than {', '.join(KINDS)}")  # refused before

        def generate_until(self, requests: Any, **_: Any) -> list[str]:
            answers = []
            asked = [_as_request(self.tok_encode(one.args[0]), one.args[1], adapter) for one in requests]
            # The engine gives them in the order in which they end.
            said = {id(done.request): done.ids for done in engine.generate(asked)}
            for request, one in zip(asked, requests, strict=True):
                text = str(tokenizer.decode(list(said[id(request)]), skip_special_tokens=True))
                for stop in _stops(one.args[1]):
                    text = text.split(stop)[0]
                answers.append(text)
            return answers

    def _as_request(ids: Sequence[int], how: Mapping[str, Any], adapter: str | None) -> Request:
        limit = int(how.get("max_gen_toks", LONGEST))
        return Request(
            tuple(ids), adapter=adapter, sampling=Sampling(max_new_tokens=limit), stop_ids=loaded.template.stop_ids
        )

    return EngineModel()


def _stops(how: Mapping[str, Any]) -> list[str]:
    """The texts that end an answer."""
    until = how.get("until") or []
    return [until] if isinstance(until, str) else [stop for stop in until if stop]
