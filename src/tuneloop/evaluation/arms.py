"""The systems that are compared on the same rows: which model answers, and what it is shown.

`ARMS` is the plug-in point: a name, whether the adapter answers, and a function from a row's messages to the prompt.
All arms share rows, template and decoding. Beside them, the recipe can name other adapters and other servers
(`evaluation.against`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tuneloop.core.errors import DataError, NotFoundError
from tuneloop.core.hashing import hash_file, hash_value
from tuneloop.core.messages import Language, text
from tuneloop.core.records import Message, Sample
from tuneloop.core.seeds import derive_seed
from tuneloop.engine.config import GenerationConfig
from tuneloop.engine.request import Request, Sampling
from tuneloop.evaluation.answers import request_key
from tuneloop.evaluation.rows import shortened
from tuneloop.evaluation.script import Script, script_prompt

if TYPE_CHECKING:  # summaries of finished evaluations need no torch
    from tuneloop.models.load import LoadedModel

Need = Literal["script", "labels", "schema", "nearest"]


@dataclass(frozen=True)
class Given:
    """What arms may show a model beside a row's own messages."""

    script: Script | None = None
    labels: tuple[str, ...] = ()
    nearest: Callable[[Sequence[Message]], Sample] | None = None
    """From a row's messages to the training sample whose question is nearest."""
    language: Language = "en"
    schema: str | None = None
    """The JSON schema of the answers."""

    @property
    def there(self) -> frozenset[Need]:
        """What can be shown."""
        needs: dict[Need, object] = {
            "script": self.script,
            "labels": self.labels,
            "schema": self.schema,
            "nearest": self.nearest,
        }
        return frozenset(need for need, thing in needs.items() if thing)


Prompt = Callable[[Sequence[Message], Given], tuple[Message, ...]]
"""A row's messages before the answer, and what may be shown, to what an arm is shown."""

MARGIN = 1.5
"""`max_new_tokens: auto` leaves this many times the longest reference."""


def as_it_stands(messages: Sequence[Message], given: Given) -> tuple[Message, ...]:
    """The row's own prompt."""
    return tuple(messages)


def with_script(messages: Sequence[Message], given: Given) -> tuple[Message, ...]:
    """The script as system message.

    Raises:
        ValueError: there is no script.
    """
    if given.script is None:
        raise ValueError("this arm needs a script")
    return _with_system(messages, script_prompt(given.script))


def with_labels(messages: Sequence[Message], given: Given) -> tuple[Message, ...]:
    """The label set as system message: what a fair baseline must know.

    Raises:
        ValueError: there are no labels.
    """
    if not given.labels:
        raise ValueError("this arm needs labels")
    return _with_system(messages, text("evaluation.prompt_labels", given.language, labels="\n".join(given.labels)))


def with_schema(messages: Sequence[Message], given: Given) -> tuple[Message, ...]:
    """The JSON schema as system message: what a fair baseline must know.

    Raises:
        ValueError: there is no schema.
    """
    if given.schema is None:
        raise ValueError("this arm needs a schema")
    return _with_system(messages, text("evaluation.prompt_schema", given.language, schema=given.schema))


def with_nearest(messages: Sequence[Message], given: Given) -> tuple[Message, ...]:
    """The nearest question of the training split and its answer, as an example in the system message.

    Raises:
        ValueError: nothing was trained on.
    """
    if given.nearest is None:
        raise ValueError("this arm needs training samples")
    found = given.nearest(messages)
    shown = text("evaluation.prompt_nearest", given.language, question=found.question, answer=found.answer)
    return _with_system(messages, shown)


def _with_system(messages: Sequence[Message], shown: str) -> tuple[Message, ...]:
    """Messages with a system message; one of the row's own follows in the same message."""
    if messages and messages[0].role == "system":
        own, rest = messages[0].content, messages[1:]
        return (Message(role="system", content=f"{shown}\n\n{own}"), *rest)
    return (Message(role="system", content=shown), *messages)


@dataclass(frozen=True)
class Arm:
    """One system under comparison."""

    prompt: Prompt = as_it_stands
    adapter: str | None = None
    """Name of the adapter that answers, in the engine; None is the base model."""
    needs: Need | None = None
    """What the prompt shows: without it, the arm does not run."""
    url: str | None = None
    """Another server answers: the address of its API, and the model after `#`."""
    on_request: bool = False
    """Runs only where the recipe names it."""


TUNED = "tuned"
"""The arm that is judged; also the adapter's name in the engine."""

ARMS: dict[str, Arm] = {
    "base": Arm(),
    "base+script": Arm(with_script, needs="script"),
    "base+labels": Arm(with_labels, needs="labels"),
    "base+schema": Arm(with_schema, needs="schema"),
    "base+nearest": Arm(with_nearest, needs="nearest", on_request=True),
    "tuned": Arm(adapter=TUNED),
}
"""In the order of every table."""


def arms_for(
    there: Collection[Need],
    *,
    adapted: bool,
    chosen: Sequence[str] | Literal["auto"] = "auto",
    others: Mapping[str, Arm] | None = None,
) -> dict[str, Arm]:
    """The arms that can run with what there is; the base and the tuned one always do.

    Args:
        there: what can be shown (`Given.there`).
        adapted: whether there is an adapter to judge.
        chosen: the recipe's `evaluation.arms`.
        others: more arms, by name; they stand before the tuned one.

    >>> list(arms_for((), adapted=True))
    ['base', 'tuned']
    """
    wanted = [
        name
        for name, arm in ARMS.items()
        if name in ("base", TUNED) or (not arm.on_request if chosen == "auto" else name in chosen)
    ]
    runs = {
        name: ARMS[name]
        for name in wanted
        if (ARMS[name].needs is None or ARMS[name].needs in there) and (adapted or ARMS[name].adapter is None)
    }
    tuned = {TUNED: runs.pop(TUNED)} if TUNED in runs else {}
    return {**runs, **(others or {}), **tuned}


@dataclass(frozen=True)
class Questions:
    """What one arm is asked."""

    requests: dict[str, Request]
    """By request key; rows with the same prompt share one."""
    of_row: dict[str, str]
    """Row id to request key."""
    messages: dict[str, tuple[Message, ...]] = field(default_factory=dict)
    """By request key: what is asked, for arms that another server answers."""


def questions(
    arm: Arm,
    rows: Sequence[Sample],
    *,
    given: Given,
    loaded: LoadedModel,
    generation: GenerationConfig,
    seed: int,
) -> Questions:
    """Turn rows into requests for the engine.

    Args:
        given: what the arm may show.
        generation: its `max_new_tokens` must be a number by now (`answer_limit`).
        seed: of the sampling; without effect when the temperature is 0.

    Raises:
        DataError: a prompt fills the model's context (code `evaluation.prompt_too_long`; names the row).
    """
    context = context_length(loaded)
    shown = [arm.prompt(row.prompt, given) for row in rows]
    asked = Questions({}, {})
    for row, messages, ids in zip(rows, shown, loaded.template.prompt_many(shown), strict=True):
        if len(ids) >= context:
            question = shortened(row.question)
            raise DataError("evaluation.prompt_too_long", id=row.id, question=question, tokens=len(ids), limit=context)
        request = Request(
            ids=ids,
            adapter=arm.adapter,
            sampling=Sampling(
                temperature=generation.temperature,
                seed=derive_seed(seed, "evaluation", row.id) if generation.temperature > 0 else 0,
                max_new_tokens=min(int(generation.max_new_tokens), context - len(ids)),
            ),
            stop_ids=loaded.template.stop_ids,
        )
        key = request_key(request)
        asked.of_row[row.id], asked.requests[key], asked.messages[key] = key, request, messages
    return asked


def answer_limit(generation: GenerationConfig, rows: Sequence[Sample], loaded: LoadedModel) -> int:
    """The longest answer in tokens: as configured, or half as much again as the longest reference."""
    if generation.max_new_tokens != "auto":
        return int(generation.max_new_tokens)
    whole = loaded.template.render_many([row.messages for row in rows])
    prompts = loaded.template.prompt_many([row.prompt for row in rows])
    longest = max(len(tokens.ids) - len(prompt) for tokens, prompt in zip(whole, prompts, strict=True))
    return max(1, min(math.ceil(MARGIN * longest), context_length(loaded)))


def context_length(loaded: LoadedModel) -> int:
    """Most tokens of prompt and answer together that the model was made for."""
    return int(getattr(loaded.model.config, "max_position_embeddings", None) or 2**31)


def adapter_hash(adapter: Path) -> str:
    """SHA-256 over an adapter's configuration and weights, whoever wrote the folder.

    Raises:
        NotFoundError: the folder holds no adapter (code `store.not_found`).
    """
    files = {path.name: path for pattern in ("adapter_config.json", "*.safetensors") for path in adapter.glob(pattern)}
    if len(files) < 2:
        raise NotFoundError("store.not_found", file=adapter)
    return hash_value({name: hash_file(path) for name, path in files.items()})
