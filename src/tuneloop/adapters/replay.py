"""A few greedy answers that travel with an adapter: whoever merges, exports or loads it can tell if it still gives them.

Answers are compared token by token: the model reads a stored answer and is asked at every place what it would say next.
Where it agrees everywhere, greedy decoding gives exactly that answer; where one near tie falls the other way in another
number format, the rest of the answer still counts. A weight in the wrong layout agrees almost nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from pydantic import ValidationError
from transformers import GenerationConfig, PreTrainedModel

from tuneloop.core.errors import CorruptError, IncompatibleError
from tuneloop.core.records import Record

FILE = "replay.json"
ROWS = 6
"""Answers that are kept."""
LONGEST_PROMPT = 256
"""Tokens; longer prompts are kept only where there are no shorter ones."""
LONGEST_ANSWER = 48
BOUND = 0.95
"""Share of the stored tokens that must come again. Greedy answers in bfloat16 and float32 differ in near ties only."""

Teller = Callable[[Sequence[int], int], Sequence[int]]
"""From ids and a count to the most likely next token after each of so many last ids."""


class Answered(Record):
    """One prompt and what the model said."""

    prompt_ids: tuple[int, ...]
    answer_ids: tuple[int, ...]
    """With the stop token, unless the answer was cut."""


class Replay(Record):
    """What `replay.json` holds."""

    format: int = 1
    dtype: str
    """Compute type of the model that answered."""
    template_sha256: str
    answers: tuple[Answered, ...]


class Agreement(Record):
    """How far a model gives the stored answers."""

    answers: int
    same: int
    """Answers that it gives token for token."""
    tokens: int
    agreed: int
    """Tokens that it would say in their places."""
    first_difference: str = ""
    """Which answer differs first, and where."""

    @property
    def share(self) -> float:
        """Share of the tokens that agree; 1 where nothing is stored."""
        return self.agreed / self.tokens if self.tokens else 1.0


def choose_prompts(prompts: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Choose the prompts whose answers are kept: the first ones that are short, or the shortest ones.

    >>> choose_prompts([[1, 2], [3], [1, 2]])
    [(1, 2), (3,)]
    """
    known = list(dict.fromkeys(tuple(prompt) for prompt in prompts if prompt))
    short = [prompt for prompt in known if len(prompt) <= LONGEST_PROMPT]
    return (short or sorted(known, key=len))[:ROWS]


@torch.inference_mode()
def record_answers(
    model: PreTrainedModel, prompts: Sequence[tuple[int, ...]], *, stop_ids: Sequence[int], template_sha256: str
) -> Replay:
    """Let a model answer prompts greedily, each alone, so that padding rounds nothing.

    Args:
        model: in evaluation mode, with the adapter attached or merged.
        prompts: token ids.
        stop_ids: what ends an answer.
        template_sha256: of the chat template that made the prompts.
    """
    # min_length and the like that a base model's own generation settings bring would not be greedy decoding.
    settings = GenerationConfig(
        do_sample=False, max_new_tokens=LONGEST_ANSWER, eos_token_id=list(stop_ids), pad_token_id=stop_ids[0]
    )
    answers = []
    for prompt in prompts:
        ids = torch.tensor([prompt], device=model.device)
        made = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=settings)
        answers.append(Answered(prompt_ids=prompt, answer_ids=tuple(made[0, len(prompt) :].tolist())))
    dtype = str(model.dtype).removeprefix("torch.")
    return Replay(dtype=dtype, template_sha256=template_sha256, answers=tuple(answers))


def teller_of(model: PreTrainedModel) -> Teller:
    """What a model would say next, by one forward over all the ids."""

    @torch.inference_mode()
    def tell(ids: Sequence[int], count: int) -> Sequence[int]:
        row = torch.tensor([tuple(ids)], device=model.device)
        said: list[int] = model(input_ids=row, use_cache=False, logits_to_keep=count).logits[0].argmax(-1).tolist()
        return said

    return tell


def compare_answers(tell: Teller, replay: Replay) -> Agreement:
    """Ask at every token of the stored answers what would be said there."""
    same = tokens = agreed = 0
    first = ""
    for number, answered in enumerate(replay.answers, 1):
        wanted = answered.answer_ids
        said = tell((*answered.prompt_ids, *wanted[:-1]), len(wanted))
        equal = [one == other for one, other in zip(said, wanted, strict=True)]
        same += all(equal)
        tokens, agreed = tokens + len(wanted), agreed + sum(equal)
        if not first and not all(equal):
            first = f"{number}:{equal.index(False) + 1}"
    return Agreement(answers=len(replay.answers), same=same, tokens=tokens, agreed=agreed, first_difference=first)


def check_answers(tell: Teller, replay: Replay, *, place: Path | str, bound: float = BOUND) -> Agreement:
    """Compare, and refuse what answers otherwise.

    Raises:
        IncompatibleError: fewer than `bound` of the tokens agree (code `adapters.replay_differs`).
    """
    found = compare_answers(tell, replay)
    if found.share < bound:
        raise IncompatibleError(
            "adapters.replay_differs",
            file=place,
            agreed=found.agreed,
            tokens=found.tokens,
            same=found.same,
            answers=found.answers,
            share=f"{100 * found.share:.1f}",
            bound=f"{100 * bound:.0f}",
            first=found.first_difference,
        )
    return found


def write_replay(replay: Replay, folder: Path) -> None:
    """Put the answers into an adapter's folder, before its manifest is written."""
    (folder / FILE).write_text(replay.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_replay(folder: Path) -> Replay | None:
    """Read an adapter's answers; None for adapters made before answers were kept.

    Raises:
        CorruptError: the file can't be read (code `adapters.replay_unreadable`).
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return Replay.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise CorruptError("adapters.replay_unreadable", file=path) from error
