"""Answers of the arms: generated once, kept line by line, never generated again.

Every answer is appended to a file under `evaluations/.cache/` as soon as it is finished. The file's name is a hash of
the model, the adapter, the template and the decoding; a line's key is a hash of the prompt and its limits. So an
interrupted evaluation goes on where it stopped, and the next evaluation of the same base pays for the new arm only.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from tuneloop.core.errors import ResourceError
from tuneloop.core.hashing import canonical_json, hash_value
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.core.records import Record
from tuneloop.engine.request import Completion, Request
from tuneloop.store.artifacts import write_text_atomically

if TYPE_CHECKING:
    from tuneloop.engine.engine import Engine
    from tuneloop.models.template import ChatTemplate

FORMAT = 1


class Answer(Record):
    """What an arm answered to one prompt."""

    key: str
    """`request_key` of what was asked."""
    text: str
    tokens: int
    """Without the stop token."""
    finish_reason: Literal["stop", "length"]
    first_token_seconds: float
    seconds: float
    log_probabilities: tuple[float, ...] = ()
    """Of each candidate, where the answer is one of a few."""


class Generated(Record):
    """All answers of one arm, and what they cost this time."""

    answers: dict[str, Answer]
    """By `request_key`."""
    fresh: int
    """How many were generated now; the others were there."""
    fresh_tokens: int
    seconds: float


def answers_file(cache: Path, identity: Mapping[str, Any]) -> Path:
    """The file that holds the answers of one model with one adapter and one way of decoding."""
    return cache / f"{hash_value({'format': FORMAT, **identity})}.jsonl"


def request_key(request: Request) -> str:
    """What makes a request the same question: its tokens, its seed and its limit."""
    sampling = request.sampling
    return hash_value({"ids": request.ids, "seed": sampling.seed, "max_new_tokens": sampling.max_new_tokens})


def read_answers(path: Path) -> dict[str, Answer]:
    """Read the answers that are there. A line that an interruption cut short is dropped, and the file mended."""
    if not path.exists():
        return {}
    content = path.read_bytes()
    lines = content.split(b"\n")
    answers = [answer for line in lines if (answer := _parse(line)) is not None]
    whole = "".join(f"{canonical_json(answer.model_dump())}\n" for answer in answers)
    if whole.encode() != content:
        write_text_atomically(path, whole)
    return {answer.key: answer for answer in answers}  # of two with one key, the later one


@dataclass(frozen=True)
class Shelf:
    """Where one arm's answers are kept, and how their making is told."""

    path: Path
    """The arm's file out of `answers_file`."""
    label: str
    """The arm's name beside the progress bar."""
    progress: Progress
    afresh: bool = False
    """Make all answers again; the new ones take the old ones' place."""


Make = Callable[[Sequence[str]], Generator[Answer, None, None]]
"""From keys to their answers, in the same order, each as soon as it is there."""


def complete(shelf: Shelf, keys: Collection[str], make: Make) -> Generated:
    """Answer everything that the file does not answer yet, and keep each answer as soon as it is there.

    Args:
        shelf: the file, and where to report.
        keys: of everything that is asked, each once.
        make: answers those that are missing.

    Raises:
        ResourceError: the disk has no room (code `store.disk_full`).
    """
    shelf.path.parent.mkdir(parents=True, exist_ok=True)
    known = {} if shelf.afresh else read_answers(shelf.path)
    missing = [key for key in keys if key not in known]
    start, tokens = time.perf_counter(), 0
    fresh: dict[str, Answer] = {}
    if missing:
        # One unbuffered write a line: lines of two evaluations that run side by side can't mix.
        with (
            shelf.path.open("ab", buffering=0) as file,
            shelf.progress.track(shelf.label, len(missing), text("evaluation.unit_answers")) as tracker,
            closing(make(missing)) as answers,
        ):
            for answer in answers:
                _append(file, shelf.path, canonical_json(answer.model_dump()))
                fresh[answer.key] = answer
                # The tokens of a candidate were read, not made: they have no speed worth telling.
                tokens += 0 if answer.log_probabilities else answer.tokens
                rate = {text("evaluation.unit_tokens"): round(tokens / (time.perf_counter() - start))}
                tracker.advance(1, **(rate if tokens else {}))
    return Generated(
        answers={key: (known | fresh)[key] for key in keys},
        fresh=len(fresh),
        fresh_tokens=sum(answer.tokens for answer in fresh.values()),
        seconds=time.perf_counter() - start,
    )


def generate(engine: Engine, requests: Mapping[str, Request], *, template: ChatTemplate, shelf: Shelf) -> Generated:
    """Let the engine answer freely.

    Args:
        engine: answers what the file does not hold.
        requests: by `request_key`; the same prompt stands there once.
        template: turns tokens into text.
        shelf: the arm's file.

    Raises:
        ResourceError: the disk has no room (code `store.disk_full`).
    """

    def make(missing: Sequence[str]) -> Generator[Answer, None, None]:
        for completion in engine.generate(requests[key] for key in missing):
            yield _as_answer(completion, template)

    return complete(shelf, requests, make)


def _as_answer(completion: Completion, template: ChatTemplate) -> Answer:
    return Answer(
        key=request_key(completion.request),
        text=template.decode(completion.ids),
        tokens=len(completion.ids),
        finish_reason="stop" if completion.finish_reason == "stop" else "length",
        first_token_seconds=completion.first_token_seconds,
        seconds=completion.seconds,
    )


def _append(file: Any, path: Path, line: str) -> None:
    """Write one line of an answers file, whole or not at all.

    Raises:
        ResourceError: the disk has no room (code `store.disk_full`).
    """
    try:
        file.write(f"{line}\n".encode())
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError("store.disk_full", file=path.parent) from error
        raise


def _parse(line: bytes) -> Answer | None:
    """One line of the file; None when it is empty or was cut short."""
    try:
        return Answer.model_validate_json(line)
    except ValidationError:
        return None
