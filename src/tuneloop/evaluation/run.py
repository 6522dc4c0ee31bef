"""Stage 3: is the tuned model better? The story from the test split to the verdict, top to bottom."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tuneloop.adapters.replay import read_replay
from tuneloop.core.errors import TryAgainError
from tuneloop.core.evidence import rows_needed
from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Evaluation, Message, Sample
from tuneloop.engine.config import GenerationConfig
from tuneloop.engine.engine import Engine
from tuneloop.evaluation.answering import (
    Answering,
    answer_all,
    answer_more,
    ask,
    read_references,
    start_engine,
    timings,
)
from tuneloop.evaluation.answers import Answer, Generated, Shelf, answers_file
from tuneloop.evaluation.arms import TUNED, Given, Questions, answer_limit, arms_for, questions
from tuneloop.evaluation.bench import Bench
from tuneloop.evaluation.card import render_card
from tuneloop.evaluation.carrying import carried_table
from tuneloop.evaluation.comparison import compare_all, detectable_of, pairs_of
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.metrics import signatures, split_as
from tuneloop.evaluation.nearest import nearest_in
from tuneloop.evaluation.probes import examine
from tuneloop.evaluation.remote import ask_server
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
from tuneloop.evaluation.scoring import Scored, field_table, figures, language_of, rule_table, score_arm, slices
from tuneloop.evaluation.subject import Gathered, Subject, gather
from tuneloop.store.artifacts import MANIFEST, sync_tree, verify, write_manifest, write_text_atomically

CONSULTED_TOKENS = 512
"""Longest opinion of a judge: its choice is one letter, but some models think first."""


@dataclass(frozen=True)
class Answered:
    """What all arms said."""

    answering: Answering
    engine: Engine
    asked: Mapping[str, Questions]
    answers: Mapping[str, Generated]
    references: Mapping[str, Mapping[str, Answer]]
    """How likely each arm held each row's reference, where that was asked."""
    warnings: tuple[Warned, ...]

    def respond(self, arm: str, samples: Sequence[Sample], label: str) -> list[Answer]:
        """Ask an arm more than the test rows."""
        work = self.answering
        more = questions(
            work.arms[arm],
            samples,
            given=work.given,
            loaded=work.loaded,
            generation=work.generation,
            seed=work.rows.seed,
        )
        made = answer_more(work, self.engine, arm, more, label)
        return [made.answers[more.of_row[sample.id]] for sample in samples]

    def consult(self, url: str, messages: Mapping[str, Sequence[Message]], label: str) -> dict[str, str]:
        """Ask a server that is no arm; what it said before is kept."""
        work = self.answering
        greedy = work.generation.model_copy(update={"temperature": 0.0, "max_new_tokens": CONSULTED_TOKENS})
        kept = answers_file(work.cache, {"url": url, "consulted": CONSULTED_TOKENS})
        made = ask_server(url, messages, greedy, Shelf(kept, label, work.progress, work.afresh))
        return {key: answer.text for key, answer in made.answers.items()}


def run(
    config: EvaluationConfig,
    generation: GenerationConfig,
    subject: Subject,
    *,
    force: bool = False,
    progress: Progress = SILENT,
) -> Evaluation:
    """Score every arm on the same test rows, compare them, and write down the verdict with its evidence.

    Args:
        config: the recipe's `evaluation:`.
        generation: the recipe's `generation:`.
        subject: what is evaluated, and where it lies.
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
    gathered = gather(config, generation, subject, force=force)
    place = _place(subject.workspace.ensure().evaluations / gathered.id, force)
    if (place / MANIFEST).exists():
        verify(place)
        return read_evaluation(place, reused=True)
    with _alone(place):
        answered = _answer(gathered, _cache(place), force, progress)
        scored = _score(answered, progress)
        bench = Bench(
            engine=answered.engine,
            loaded=subject.loaded,
            rows=gathered.rows,
            headline=gathered.headline,
            scored=scored,
            language=subject.language,
            train=gathered.train,
            respond=answered.respond,
            consult=answered.consult,
            folder=subject.folder,
            adapter=subject.adapter,
            progress=progress,
        )
        probes, times = examine(bench, config)
        warnings = [*_warnings(scored, gathered.leaks), *answered.warnings]
        for warning in warnings:
            progress.note(warning.message())
        results = _results(gathered, scored, warnings, probes, gathered.origin(answered.answering.generation))
        _write(place, gathered, scored, results, {**timings(answered.answers), **times})
    return read_evaluation(place)


def _answer(gathered: Gathered, cache: Path, force: bool, progress: Progress) -> Answered:
    """Let every arm answer the rows."""
    config, subject, rows, train = gathered.config, gathered.subject, gathered.rows, gathered.train
    limit = answer_limit(gathered.generation, rows.samples, subject.loaded)
    limited = gathered.generation.model_copy(update={"max_new_tokens": limit})
    nearest = nearest_in(train) if "base+nearest" in config.arms and train else None
    schema = gathered.schema.shown if gathered.schema else None
    given = Given(gathered.script, gathered.labels, nearest, subject.language, schema)
    arms = arms_for(given.there, adapted=subject.adapter is not None, chosen=config.arms, others=gathered.others())
    asked, warnings = ask(rows, arms, given, limited, subject.loaded)
    answering = Answering(
        rows=rows,
        arms=arms,
        asked=asked,
        generation=limited,
        loaded=subject.loaded,
        adapters=subject.adapters,
        inputs={**gathered.hashes, **gathered.adapter_hashes},
        cache=cache,
        afresh=force,
        progress=progress,
        given=given,
        own_turns=config.turns == "own",
    )
    warnings += [
        Warned(code="evaluation.warn_no_replay", values={"arm": name})
        for name, folder in subject.adapters.items()
        if read_replay(folder) is None
    ]
    engine = start_engine(answering)
    asked, answers = answer_all(answering, engine)
    references = read_references(answering, engine, asked) if config.perplexity else {}
    return Answered(answering, engine, asked, answers, references, tuple(warnings))


def _score(answered: Answered, progress: Progress) -> dict[str, Scored]:
    """Score every arm's answers, in the order of the rows."""
    rows, scored = answered.answering.rows, {}
    with progress.track(text("evaluation.scoring"), len(answered.asked), text("evaluation.unit_arms")) as tracker:
        for name, asked in answered.asked.items():
            answers, references = answered.answers[name].answers, answered.references.get(name)
            held = [references[row.id] for row in rows.samples] if references is not None else None
            scored[name] = score_arm(rows, [answers[asked.of_row[row.id]] for row in rows.samples], held)
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
    gathered: Gathered,
    scored: Mapping[str, Scored],
    warnings: Sequence[Warned],
    probes: Mapping[str, Probe],
    origin: dict[str, Any],
) -> Results:
    rows, headline = gathered.rows, gathered.headline
    compared = compare_all(rows, scored, headline)
    cuts = slices(rows.samples)
    hard = [rule.id for rule in rows.script.rules if rule.hard] if rows.script else []
    splits = [split_as(row.answer, language_of(row, rows.language)) for row in rows.samples]
    return judged(
        Results(
            name=gathered.subject.name,
            rows=len(rows.samples),
            arms={arm: figures(rows, one, cuts["all"]) for arm, one in scored.items()},
            slices={
                cut: {arm: figures(rows, one, places) for arm, one in scored.items()} for cut, places in cuts.items()
            },
            comparisons=tuple(one.comparison for one in compared),
            headline=Headline(
                metric=headline,
                detectable=detectable_of(compared, headline),
                units=len(set(rows.units)),
                needed=rows_needed(len(pairs_of(list(scored)))),
            ),
            rules=rule_table(rows, scored),
            fields=field_table(rows, scored),
            carried=carried_table(rows, scored),
            hard_rules=tuple(hard),
            probes=dict(probes),
            signatures=signatures(rows.metrics, splits),
            warnings=tuple(warnings),
            made_of=origin,
        )
    )


def _write(
    place: Path, gathered: Gathered, scored: Mapping[str, Scored], results: Results, times: Mapping[str, Any]
) -> None:
    """Write the evaluation's folder, its manifest last."""
    subject = gathered.subject
    write_predictions(place, gathered.rows, scored)
    write_results(place, results)
    write_text_atomically(place / "README.md", render_card(results))
    write_text_atomically(place / "timings.json", json.dumps(times, indent=1) + "\n")
    # The adapter of a run lies in the run's folder, beside the log of its training.
    run_folder = subject.adapter.parent if subject.adapter else None
    write_text_atomically(place / "report.html", render_report(place, run_folder=run_folder, dataset=subject.dataset))
    seeds = {"seed": subject.seed}
    write_manifest(place, kind="evaluation", config=gathered.settings, inputs=gathered.hashes, seeds=seeds)
    sync_tree(place)


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
