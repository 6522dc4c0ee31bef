"""Answers out of candidates: each candidate's exact log-probability, and the most likely one is the answer.

The engine scores all candidates of a prompt by their prefix tree, so many labels cost about one reading of the prompt.
The token that ends the turn is part of each candidate: `card` and `card_lost` are told apart.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING

from tuneloop.engine.request import Request, ScoreRequest
from tuneloop.evaluation.answers import Answer, Generated, Shelf, complete
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
    shelf: Shelf,
) -> Generated:
    """Answer all requests by their most likely candidate; those that the file holds are not scored again.

    Args:
        engine: scores.
        requests: by `request_key`.
        candidates: the possible answers of each request.
        template: turns a candidate into the tokens that the model would say.
        shelf: the arm's file.

    Raises:
        ResourceError: the disk has no room (code `store.disk_full`).
    """

    def make(missing: Sequence[str]) -> Generator[Answer, None, None]:
        start = time.perf_counter()
        said = dict.fromkeys(candidate for key in missing for candidate in candidates[key])
        ids = {candidate: answer_ids(template, candidate) for candidate in said}
        scored = engine.score_many(_score_request(requests[key], candidates[key], ids) for key in missing)
        for key, tokens in zip(missing, scored, strict=True):
            yield _chosen(key, candidates[key], tokens, time.perf_counter() - start)

    return complete(shelf, requests, make)


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
