"""Answers out of candidates: each candidate's exact log-probability, and the most likely one is the answer.

The engine scores all candidates of a prompt by their prefix tree, so many labels cost about one reading of the prompt.
The token that ends the turn is part of each candidate: `card` and `card_lost` are told apart.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuneloop.core.hashing import canonical_json
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.engine.request import Request, ScoreRequest
from tuneloop.evaluation.answers import Answer, Generated, append_answer, read_answers
from tuneloop.models.constraints import answer_ids

if TYPE_CHECKING:
    from tuneloop.engine.engine import Engine
    from tuneloop.models.template import ChatTemplate


def choose(
    engine: Engine,
    requests: Mapping[str, Request],
    candidates: Mapping[str, Sequence[str]],
    *,
    template: ChatTemplate,
    path: Path,
    label: str,
    progress: Progress,
    afresh: bool = False,
) -> Generated:
    """Answer all requests by their most likely candidate; those that the file holds are not scored again.

    Args:
        engine: scores.
        requests: by `request_key`.
        candidates: the possible answers of each request.
        template: turns a candidate into the tokens that the model would say.
        path: the arm's file out of `answers_file`.
        label: the arm's name beside the progress bar.
        progress: where to report.
        afresh: score all of them again.

    Raises:
        ResourceError: the disk has no room (code `store.disk_full`).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {} if afresh else {key: answer for key, answer in read_answers(path).items() if key in requests}
    missing = {key: request for key, request in requests.items() if key not in known}
    start = time.perf_counter()
    fresh: dict[str, Answer] = {}
    ids: dict[str, tuple[int, ...]] = {}
    with (
        path.open("ab", buffering=0) as file,
        progress.track(label, len(missing), text("evaluation.unit_answers")) as tracker,
    ):
        for key in missing:
            for candidate in candidates[key]:
                ids.setdefault(candidate, answer_ids(template, candidate))
        scored = engine.score_many(_score_request(request, candidates[key], ids) for key, request in missing.items())
        for key, tokens in zip(missing, scored, strict=True):
            fresh[key] = _chosen(key, candidates[key], tokens, time.perf_counter() - start)
            append_answer(file, path, canonical_json(fresh[key].model_dump()))
            tracker.advance()
    return Generated(
        answers={key: (known | fresh)[key] for key in requests},
        fresh=len(fresh),
        fresh_tokens=sum(answer.tokens for answer in fresh.values()),
        seconds=time.perf_counter() - start,
    )


def _score_request(request: Request, candidates: Sequence[str], ids: Mapping[str, tuple[int, ...]]) -> ScoreRequest:
    return ScoreRequest(request.ids, tuple(ids[candidate] for candidate in candidates), request.adapter)


def _chosen(key: str, candidates: Sequence[str], tokens: Sequence[Sequence[float]], seconds: float) -> Answer:
    """The most likely candidate; of equal ones the first.

    Args:
        key: of the request.
        candidates: the possible answers.
        tokens: log-probability of every token of each.
        seconds: since the first request.
    """
    totals = [sum(values) for values in tokens]
    place = max(range(len(totals)), key=totals.__getitem__)
    return Answer(
        key=key,
        text=candidates[place],
        tokens=len(tokens[place]) - 1,
        finish_reason="stop",
        first_token_seconds=seconds,
        seconds=seconds,
        log_probabilities=tuple(totals),
    )
