"""The systems that are compared on the same rows: which model answers, and what it is shown.

`ARMS` is the plug-in point: a name, whether the adapter answers, and a function from a row's messages to the prompt.
All arms share rows, template and decoding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuneloop.core.errors import DataError, IncompatibleError, NotFoundError
from tuneloop.core.hashing import hash_file, hash_value
from tuneloop.core.records import Message, Sample
from tuneloop.core.seeds import derive_seed
from tuneloop.engine.config import GenerationConfig
from tuneloop.engine.request import Request, Sampling
from tuneloop.evaluation.answers import request_key
from tuneloop.evaluation.rows import shortened
from tuneloop.evaluation.script import Script, script_prompt

if TYPE_CHECKING:  # summaries of finished evaluations need no torch
    import torch
    from transformers import PreTrainedModel

    from tuneloop.models.load import LoadedModel

Prompt = Callable[[Sequence[Message], Script | None], tuple[Message, ...]]
"""A row's messages before the answer, and the script, to what an arm is shown."""

MARGIN = 1.5
"""`max_new_tokens: auto` leaves this many times the longest reference."""


def as_it_stands(messages: Sequence[Message], script: Script | None) -> tuple[Message, ...]:
    """The row's own prompt."""
    return tuple(messages)


def with_script(messages: Sequence[Message], script: Script | None) -> tuple[Message, ...]:
    """The script as system message; a system message of the row's own follows it in the same message.

    Raises:
        ValueError: there is no script.
    """
    if script is None:
        raise ValueError("this arm needs a script")
    rules = script_prompt(script)
    if messages and messages[0].role == "system":
        own, rest = messages[0].content, messages[1:]
        return (Message(role="system", content=f"{rules}\n\n{own}"), *rest)
    return (Message(role="system", content=rules), *messages)


@dataclass(frozen=True)
class Arm:
    """One system under comparison."""

    prompt: Prompt
    adapted: bool = False
    """The adapter answers, not the base model."""
    needs_script: bool = False


ARMS: dict[str, Arm] = {
    "base": Arm(as_it_stands),
    "base+script": Arm(with_script, needs_script=True),
    "tuned": Arm(as_it_stands, adapted=True),
}
"""In the order of every table."""

TUNED = "tuned"
"""The arm that is judged; also the adapter's name in the engine."""


def arms_for(*, has_script: bool, adapted: bool) -> dict[str, Arm]:
    """The arms that can run with what there is.

    >>> list(arms_for(has_script=False, adapted=True))
    ['base', 'tuned']
    """
    return {
        name: arm for name, arm in ARMS.items() if (has_script or not arm.needs_script) and (adapted or not arm.adapted)
    }


@dataclass(frozen=True)
class Questions:
    """What one arm is asked."""

    requests: dict[str, Request]
    """By request key; rows with the same prompt share one."""
    of_row: dict[str, str]
    """Row id to request key."""


def questions(
    arm: Arm,
    rows: Sequence[Sample],
    *,
    script: Script | None,
    loaded: LoadedModel,
    generation: GenerationConfig,
    seed: int,
) -> Questions:
    """Turn rows into requests for the engine.

    Args:
        generation: its `max_new_tokens` must be a number by now (`answer_limit`).
        seed: of the sampling; without effect when the temperature is 0.

    Raises:
        DataError: a prompt fills the model's context (code `evaluation.prompt_too_long`; names the row).
    """
    context = context_length(loaded)
    prompts = loaded.template.prompt_many([arm.prompt(row.prompt, script) for row in rows])
    requests: dict[str, Request] = {}
    of_row: dict[str, str] = {}
    for row, ids in zip(rows, prompts, strict=True):
        if len(ids) >= context:
            question = shortened(row.question)
            raise DataError("evaluation.prompt_too_long", id=row.id, question=question, tokens=len(ids), limit=context)
        request = Request(
            ids=ids,
            adapter=TUNED if arm.adapted else None,
            sampling=Sampling(
                temperature=generation.temperature,
                seed=derive_seed(seed, "evaluation", row.id) if generation.temperature > 0 else 0,
                max_new_tokens=min(int(generation.max_new_tokens), context - len(ids)),
            ),
            stop_ids=loaded.template.stop_ids,
        )
        of_row[row.id] = request_key(request)
        requests[of_row[row.id]] = request
    return Questions(requests, of_row)


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


def prove_active(
    base: PreTrainedModel, adapted: Mapping[str, PreTrainedModel], probe: Sequence[int], folder: Path
) -> None:
    """Check that each adapter changes what the model says next after the probe.

    Args:
        base: the base model.
        adapted: merged models by name, as the engine holds them.
        probe: a prompt's token ids.
        folder: the adapter's folder, for the message.

    Raises:
        IncompatibleError: the logits are the base model's (code `evaluation.adapter_inactive`).
    """
    plain = _last_logits(base, probe)
    import torch

    for model in adapted.values():
        if torch.equal(plain, _last_logits(model, probe)):
            raise IncompatibleError("evaluation.adapter_inactive", file=folder)


def _last_logits(model: PreTrainedModel, ids: Sequence[int]) -> torch.Tensor:
    """Logits of the token after `ids`, shape `(vocabulary,)`."""
    import torch

    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=torch.tensor([list(ids)], device=model.device)).logits[0, -1]
    return logits
