"""All arms answer the same rows: what each is asked, how it is answered, and what that cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuneloop.adapters.merge import adapted
from tuneloop.adapters.replay import check_answers, read_replay, teller_of
from tuneloop.core.errors import DataError
from tuneloop.core.hashing import hash_value
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.engine.config import GenerationConfig
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import Request
from tuneloop.evaluation.answers import Answer, Generated, Shelf, answers_file, generate
from tuneloop.evaluation.arms import Arm, Given, Questions, questions
from tuneloop.evaluation.choosing import choose
from tuneloop.evaluation.proof import prove_active
from tuneloop.evaluation.remote import ask_server
from tuneloop.evaluation.results import Warned
from tuneloop.evaluation.scoring import Rows
from tuneloop.evaluation.turns import depths, with_own_answers
from tuneloop.evaluation.wording import arm_label
from tuneloop.models.load import LoadedModel


def ask(
    rows: Rows, arms: Mapping[str, Arm], given: Given, generation: GenerationConfig, loaded: LoadedModel
) -> tuple[dict[str, Questions], list[Warned]]:
    """Every arm's questions, by arm.

    An arm whose own additions to the prompt do not fit the model's context is left out, with a warning.

    Args:
        rows: what is asked.
        arms: out of `arms_for`.
        given: what they may show.
        generation: its `max_new_tokens` is a number.
        loaded: the base model.

    Raises:
        DataError: a row's own prompt fills the context (code `evaluation.prompt_too_long`).
    """
    asked: dict[str, Questions] = {}
    warnings: list[Warned] = []
    for name, arm in arms.items():
        try:
            asked[name] = questions(
                arm, rows.samples, given=given, loaded=loaded, generation=generation, seed=rows.seed
            )
        except DataError as error:
            if arm.needs is None or error.code != "evaluation.prompt_too_long":
                raise
            values = {"arm": name, "tokens": error.values["tokens"], "limit": error.values["limit"]}
            warnings.append(Warned(code="evaluation.warn_arm_left_out", values=values))
    return asked, warnings


@dataclass(frozen=True)
class Answering:
    """Everything that answers need, for all arms."""

    rows: Rows
    arms: Mapping[str, Arm]
    asked: Mapping[str, Questions]
    """Out of `ask`."""
    generation: GenerationConfig
    loaded: LoadedModel
    adapters: Mapping[str, Path]
    """Folders of the adapters that answer, by name."""
    inputs: Mapping[str, str]
    """Hashes of what decides an answer: `model`, `dtype`, `device`, `template`, and of each adapter by its name."""
    cache: Path
    """Folder of the answers that are kept."""
    afresh: bool
    """Do not take answers from it."""
    progress: Progress
    given: Given
    own_turns: bool = False
    """A conversation goes on with what the arm itself said."""

    def identity(self, arm: Arm) -> dict[str, Any]:
        """What decides an arm's answers beside the prompt."""
        if arm.url is not None:
            return {"url": arm.url, "temperature": self.generation.temperature}
        identity: dict[str, Any] = {part: self.inputs[part] for part in ("model", "dtype", "device", "template")}
        identity |= {} if arm.adapter is None else {"adapter": self.inputs[arm.adapter]}
        return {**identity, "temperature": self.generation.temperature}

    def candidates(self, asked: Questions) -> dict[str, tuple[str, ...]] | None:
        """The possible answers of each request; None: answers are free."""
        if self.rows.candidates is None:
            return None
        if self.rows.labelled:
            return dict.fromkeys(asked.requests, self.rows.candidates[0])
        pairs = zip(self.rows.samples, self.rows.candidates, strict=True)
        found = {asked.of_row[row.id]: candidates for row, candidates in pairs if row.id in asked.of_row}
        return found if found.keys() == asked.requests.keys() else None


def start_engine(answering: Answering) -> Engine:
    """Put the adapters into models, prove that each is the one that was trained and at work, and start the engine.

    Raises:
        IncompatibleError: an adapter changes nothing (code `evaluation.adapter_inactive`), belongs to another base or
            template, or does not answer as it did after its training (`adapters.replay_differs`).
    """
    loaded = answering.loaded
    probe = next(iter(next(iter(answering.asked.values())).requests.values())).ids
    models = {}
    for name, folder in answering.adapters.items():
        models[name] = adapted(loaded, folder)
        prove_active(loaded.model, {name: models[name]}, probe, folder)
        if stored := read_replay(folder):
            check_answers(teller_of(models[name]), stored, place=folder)
    return Engine(loaded.model, adapters=models, batch_size=answering.generation.batch_size)


def answer_all(answering: Answering, engine: Engine) -> tuple[dict[str, Questions], dict[str, Generated]]:
    """Let every arm answer.

    Returns:
        By arm, what it was asked in the end (with `own_turns`, that depends on its answers), and its answers.
    """
    asked: dict[str, Questions] = {}
    answered: dict[str, Generated] = {}
    for name in answering.asked:
        if answering.own_turns:
            asked[name], answered[name] = _converse(answering, engine, name)
        else:
            asked[name] = answering.asked[name]
            answered[name] = answer_more(answering, engine, name, asked[name])
        if reused := len(answered[name].answers) - answered[name].fresh:
            answering.progress.note(text("evaluation.reused", arm=arm_label(name), count=reused))
    return asked, answered


def _converse(answering: Answering, engine: Engine, name: str) -> tuple[Questions, Generated]:
    """Answer turn after turn, all conversations together; before each turn stands what the arm said itself."""
    whole = Questions({}, {})
    answers: dict[str, Answer] = {}
    said: dict[str, str] = {}
    parts: list[Generated] = []
    for rows in depths(answering.rows.samples):
        asked = questions(
            answering.arms[name],
            [with_own_answers(row, said) for row in rows],
            given=answering.given,
            loaded=answering.loaded,
            generation=answering.generation,
            seed=answering.rows.seed,
        )
        parts.append(answer_more(answering, engine, name, asked))
        answers |= parts[-1].answers
        said |= {row: answers[key].text for row, key in asked.of_row.items()}
        whole.requests.update(asked.requests)
        whole.messages.update(asked.messages)
        whole.of_row.update(asked.of_row)
    costs = {field: sum(getattr(part, field) for part in parts) for field in ("fresh", "fresh_tokens", "seconds")}
    return whole, Generated(answers=answers, **costs)


def answer_more(answering: Answering, engine: Engine, name: str, asked: Questions, label: str = "") -> Generated:
    """Let one arm answer some questions, those first that the cache does not hold.

    Args:
        name: the arm.
        asked: out of `questions`: those of the test rows, or more.
        label: what the progress bar says beside the arm's name.
    """
    arm = answering.arms[name]
    identity = answering.identity(arm)
    candidates = None if arm.url is not None else answering.candidates(asked)
    label = text("evaluation.answering", arm=arm_label(name)) + (f": {label}" if label else "")
    kept = identity if candidates is None else {**identity, "candidates": hash_value(sorted(set(candidates.values())))}
    shelf = Shelf(answers_file(answering.cache, kept), label, answering.progress, answering.afresh)
    if arm.url is not None:
        return ask_server(arm.url, asked.messages, answering.generation, shelf)
    template = answering.loaded.template
    if candidates is None:
        return generate(engine, asked.requests, template=template, shelf=shelf)
    return choose(engine, asked.requests, candidates, template=template, shelf=shelf)


def read_references(
    answering: Answering, engine: Engine, asked_of: Mapping[str, Questions]
) -> dict[str, dict[str, Answer]]:
    """How likely every arm holds the reference of every row: by arm, then row id. Servers do not tell it."""
    found: dict[str, dict[str, Answer]] = {}
    for name, asked in asked_of.items():
        arm = answering.arms[name]
        if arm.url is not None:
            continue
        keys = {row.id: hash_value([asked.of_row[row.id], row.answer]) for row in answering.rows.samples}
        requests: dict[str, Request] = {keys[row]: asked.requests[key] for row, key in asked.of_row.items()}
        kept = answers_file(answering.cache, {**answering.identity(arm), "candidates": "reference"})
        label = text("evaluation.reading", arm=arm_label(name))
        generated = choose(
            engine,
            requests,
            {keys[row.id]: (row.answer,) for row in answering.rows.samples},
            template=answering.loaded.template,
            shelf=Shelf(kept, label, answering.progress, answering.afresh),
        )
        found[name] = {row: generated.answers[key] for row, key in keys.items()}
    return found


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
