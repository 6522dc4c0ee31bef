"""Stage 3: is the tuned model better? The story from the test split to the verdict, top to bottom."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tuneloop.core.errors import TryAgainError
from tuneloop.core.hashing import stage_key
from tuneloop.core.messages import Language, text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Evaluation, Sample
from tuneloop.engine.config import GenerationConfig
from tuneloop.evaluation.answering import (
    Answering,
    answer_all,
    answer_more,
    ask,
    read_references,
    start_engine,
    timings,
)
from tuneloop.evaluation.answers import Answer, Generated
from tuneloop.evaluation.arms import TUNED, Arm, Given, Questions, adapter_hash, answer_limit, arms_for, questions
from tuneloop.evaluation.bench import Bench
from tuneloop.evaluation.clusters import joined, near_duplicates
from tuneloop.evaluation.comparison import compare_all, headline_of
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.metrics import METRICS, signatures, split_as
from tuneloop.evaluation.nearest import nearest_in
from tuneloop.evaluation.probes import examine
from tuneloop.evaluation.remote import is_url, parse_url
from tuneloop.evaluation.report import render_report
from tuneloop.evaluation.results import (
    Headline,
    Probe,
    Results,
    Warned,
    judged,
    read_evaluation,
    write_predictions,
    write_results,
)
from tuneloop.evaluation.rows import as_rows, asked_of, choose, leaked, read_test_rows, refuse_leaks, units_of
from tuneloop.evaluation.scoring import Rows, Scored, figures, language_of, rule_table, score_arm, slices
from tuneloop.evaluation.script import Script, load_script
from tuneloop.evaluation.tasks import TASKS, labels_of
from tuneloop.models.load import LoadedModel
from tuneloop.store.artifacts import MANIFEST, manifest_hash, sync_tree, verify, write_manifest, write_text_atomically
from tuneloop.store.samples import read_split
from tuneloop.store.workspace import Workspace

FORMAT = 2
"""Raised when the same input starts to give other results."""

HASHED = ("dataset", "model", "template", "adapter", "script")
"""The inputs whose hash tells how to repeat an evaluation."""


def run(
    config: EvaluationConfig,
    generation: GenerationConfig,
    *,
    name: str,
    language: Language,
    seed: int,
    dataset: Path,
    loaded: LoadedModel,
    adapter: Path | None,
    folder: Path,
    workspace: Workspace,
    others: Mapping[str, Path] | None = None,
    trained_on: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Evaluation:
    """Score every arm on the same test rows, compare them, and write down the verdict with its evidence.

    Args:
        config: the recipe's `evaluation:`.
        generation: the recipe's `generation:`.
        name: beginning of the evaluation's id.
        language: of rows that don't name theirs, `en` or `zh`.
        seed: of the choice of rows, of resampling, and of sampling where the temperature is above 0.
        dataset: a finished dataset's folder.
        loaded: the base model.
        adapter: the folder of the adapter to judge; None: the base arms alone.
        folder: where the script's relative path begins: the recipe's folder.
        workspace: where evaluations are kept.
        others: folders of the adapters that `evaluation.against` names.
        trained_on: the dataset whose training split no test row may stand in; `dataset` by default.
        force: do it again under a new id, with new answers, also where test rows were trained on (then marked).
        progress: where to report.

    Returns:
        The evaluation; `reused` when it was finished before and nothing was done.

    Raises:
        RecipeError: the script or the headline is wrong.
        DataError: the test split is empty, a reference is, or a prompt fills the model's context.
        RefusedError: test rows stand in the training split (code `evaluation.leak`), and not `force`.
        IncompatibleError: the adapter changes nothing (code `evaluation.adapter_inactive`).
        TryAgainError: the same evaluation is running (code `evaluation.busy`).
    """
    script = None if config.script is None else load_script(config.script, folder)
    headline = headline_of(config, script is not None)
    test = read_test_rows(dataset)
    train = read_split(trained_on or dataset, "train")
    leaks = leaked(test, train)
    if not force:
        refuse_leaks(leaks, test, dataset)
    labels = labels_of(dataset, config.labels) if TASKS[config.task].labelled else ()
    chosen = choose(test, config.max_rows, seed)
    rows = _rows(config, headline, script, chosen, labels, language=language, seed=seed)
    adapters = {**({TUNED: adapter} if adapter else {}), **(others or {})}
    inputs = _inputs(dataset, loaded, adapters, script)
    parts = {"evaluation": config.model_dump(mode="json"), "generation": generation.model_dump(mode="json")}
    settings: dict[str, Any] = {**parts, "language": language, "seed": seed}
    key = stage_key("evaluation", FORMAT, settings, inputs)
    place = _place(workspace.ensure().evaluations / f"{name}-{key[:8]}", force)
    if (place / MANIFEST).exists():
        verify(place)
        return read_evaluation(place, reused=True)

    with _alone(place):
        limited = generation.model_copy(update={"max_new_tokens": answer_limit(generation, rows.samples, loaded)})
        given = Given(script, labels, nearest_in(train) if "base+nearest" in config.arms and train else None, language)
        arms = arms_for(given, adapted=adapter is not None, chosen=config.arms, others=_others(config))
        asked, warnings = ask(rows, arms, given, limited, loaded)
        hashes = {name: inputs[_input_name(name)] for name in adapters}
        answering = Answering(
            rows=rows,
            arms=arms,
            asked=asked,
            generation=limited,
            loaded=loaded,
            adapters=adapters,
            inputs={**inputs, **hashes},
            cache=_cache(place),
            afresh=force,
            progress=progress,
            given=given,
            own_turns=config.turns == "own",
        )
        engine = start_engine(answering)
        asked, answered = answer_all(answering, engine)
        references = read_references(answering, engine, asked) if config.perplexity else {}
        scored = _score(rows, asked, answered, references, progress)

        def respond(arm: str, samples: Sequence[Sample], label: str) -> list[Answer]:
            """Ask an arm more than the test rows."""
            more = questions(arms[arm], samples, given=given, loaded=loaded, generation=limited, seed=seed)
            made = answer_more(answering, engine, arm, more, label)
            return [made.answers[more.of_row[sample.id]] for sample in samples]

        probes, times = examine(Bench(engine, loaded, rows, headline, scored, language, train, respond), config)
        warnings += _warnings(scored, leaks)
        for warning in warnings:
            progress.note(warning.message())
        origin = _origin(inputs, limited, loaded, dataset=dataset.name, script=config.script, seed=seed)
        origin |= {"rows": [len(rows.samples), len(test)]}
        results = _results(name, rows, scored, headline, warnings, probes, origin)
        _write(place, rows, scored, results, {**timings(answered), **times}, adapter, dataset)
        write_manifest(place, kind="evaluation", config=settings, inputs=inputs, seeds={"seed": seed})
        sync_tree(place)
    return read_evaluation(place)


def _rows(
    config: EvaluationConfig,
    headline: str,
    script: Script | None,
    samples: Sequence[Sample],
    labels: Sequence[str],
    *,
    language: str,
    seed: int,
) -> Rows:
    """What is scored: the chosen samples cut to rows, and every metric that is asked for, the headline's included."""
    cut, task = as_rows(samples, config.turns), TASKS[config.task]
    metrics = task.metrics or config.metrics
    wanted = [*metrics, *([headline] if headline in METRICS else [])]
    return Rows(
        samples=cut,
        units=joined(
            units_of(cut, config.turns), near_duplicates([asked_of(row) for row in cut], config.near_duplicates)
        ),
        metrics=tuple(dict.fromkeys(wanted)),
        script=script,
        language=language,
        seed=seed,
        candidates=task.candidates(cut, labels) if task.candidates else None,
        labelled=task.labelled,
    )


def _others(config: EvaluationConfig) -> dict[str, Arm]:
    """The arms that `evaluation.against` names: servers by URL, adapters by name."""
    for name in config.against:
        if is_url(name):
            parse_url(name)
    return {name: Arm(url=name) if is_url(name) else Arm(adapter=name) for name in config.against}


def _input_name(adapter: str) -> str:
    """How an adapter's hash is called among the inputs; the one that is judged is `adapter`."""
    return "adapter" if adapter == TUNED else f"adapter {adapter}"


def _inputs(dataset: Path, loaded: LoadedModel, adapters: Mapping[str, Path], script: Script | None) -> dict[str, str]:
    """Name and hash of everything that decides the answers and their scores."""
    verify(dataset)
    return {
        "dataset": manifest_hash(dataset),
        "model": loaded.sha256,
        "dtype": str(loaded.dtype).removeprefix("torch."),
        "device": loaded.device.type,
        "template": loaded.template.sha256,
        **{_input_name(name): adapter_hash(folder) for name, folder in adapters.items()},
        **({"script": script.sha256} if script else {}),
    }


def _place(first: Path, force: bool) -> Path:
    """The folder of this evaluation: that of its key, or with force the next one that is not finished."""
    place, number = first, 2
    while force and (place / MANIFEST).exists():
        place, number = first.with_name(f"{first.name}-{number}"), number + 1
    return place


def _cache(place: Path) -> Path:
    return place.parent / ".cache"


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Make the evaluation's folder and keep other processes out of it."""
    _cache(place).mkdir(parents=True, exist_ok=True)
    place.mkdir(exist_ok=True)
    try:
        with FileLock(_cache(place) / f"{place.name}.lock", timeout=0):
            yield
    except Timeout as error:
        raise TryAgainError("evaluation.busy", id=place.name) from error


def _score(
    rows: Rows,
    asked: Mapping[str, Questions],
    answered: Mapping[str, Generated],
    references: Mapping[str, Mapping[str, Answer]],
    progress: Progress,
) -> dict[str, Scored]:
    scored: dict[str, Scored] = {}
    with progress.track(text("evaluation.scoring"), len(asked), text("evaluation.unit_arms")) as tracker:
        for name, questions in asked.items():
            answers = answered[name].answers
            held = [references[name][row.id] for row in rows.samples] if name in references else None
            scored[name] = score_arm(rows, [answers[questions.of_row[row.id]] for row in rows.samples], held)
            tracker.advance()
    return scored


def _warnings(scored: Mapping[str, Scored], leaks: Sequence[Sample]) -> list[Warned]:
    """What the reader must know before believing a figure."""
    found: list[Warned] = []
    if leaks:
        found.append(Warned(code="evaluation.warn_leak", values={"count": len(leaks)}))
    for name, one in scored.items():
        count = {"arm": name, "rows": len(one.answers)}
        if len(one.answers) == 1 and name == next(iter(scored)):
            found.append(Warned(code="evaluation.warn_one_row"))
        if cut := sum(answer.finish_reason != "stop" for answer in one.answers) if name == TUNED else 0:
            found.append(Warned(code="evaluation.warn_answers_cut", values={**count, "count": cut}))
        if empty := sum(not answer.text.strip() for answer in one.answers):
            found.append(Warned(code="evaluation.warn_empty_answers", values={**count, "count": empty}))
    return found


def _results(
    name: str,
    rows: Rows,
    scored: Mapping[str, Scored],
    headline: str,
    warnings: Sequence[Warned],
    probes: Mapping[str, Probe],
    origin: dict[str, Any],
) -> Results:
    compared = compare_all(rows, scored, headline)
    detectable = {one.comparison.a: one.detectable for one in compared if one.comparison.metric == headline}
    cuts = slices(rows.samples)
    hard = [rule.id for rule in rows.script.rules if rule.hard] if rows.script else []
    splits = [split_as(row.answer, language_of(row, rows.language)) for row in rows.samples]
    return judged(
        Results(
            name=name,
            rows=len(rows.samples),
            arms={arm: figures(rows, one, cuts["all"]) for arm, one in scored.items()},
            slices={
                cut: {arm: figures(rows, one, places) for arm, one in scored.items()} for cut, places in cuts.items()
            },
            comparisons=tuple(one.comparison for one in compared),
            headline=Headline(metric=headline, detectable=detectable),
            rules=rule_table(rows, scored),
            hard_rules=tuple(hard),
            probes=dict(probes),
            signatures=signatures(rows.metrics, splits),
            warnings=tuple(warnings),
            made_of=origin,
        )
    )


def _origin(
    inputs: Mapping[str, str],
    generation: GenerationConfig,
    loaded: LoadedModel,
    *,
    dataset: str,
    script: str | None,
    seed: int,
) -> dict[str, Any]:
    """Everything that is needed to repeat the evaluation."""
    return {
        "dataset": dataset,
        "model": loaded.name,
        **({"script": script} if script else {}),
        **{f"{name}_sha256": inputs[name] for name in HASHED if name in inputs},
        "dtype": inputs["dtype"],
        "device": inputs["device"],
        "max_new_tokens": generation.max_new_tokens,
        "temperature": generation.temperature,
        "seed": seed,
        "versions": {package: version(package) for package in ("tuneloop", "torch", "transformers", "peft")},
    }


def _write(
    place: Path,
    rows: Rows,
    scored: Mapping[str, Scored],
    results: Results,
    times: Mapping[str, Any],
    adapter: Path | None,
    dataset: Path,
) -> None:
    write_predictions(place, rows, scored)
    write_results(place, results)
    write_text_atomically(place / "timings.json", json.dumps(times, indent=1) + "\n")
    # The adapter of a run lies in the run's folder, beside the log of its training.
    write_text_atomically(
        place / "report.html", render_report(place, run_folder=adapter.parent if adapter else None, dataset=dataset)
    )
