"""A request on its way through the engine: what whoever asked holds in the hand."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

from tuneloop.engine.request import Completion, FinishReason, Request, ScoreRequest, TokenLogprob


class Handle:
    """An answer in the making. `cancel` and the reading of it are safe from any thread.

    Args:
        request: what was asked.
        context: tokens that the model reads at most.
    """

    def __init__(self, request: Request, context: int) -> None:
        self.request = request
        self.ids: list[int] = []
        self.logprobs: list[TokenLogprob] = []
        self.error: BaseException | None = None
        self.reason: FinishReason | None = None
        self.adapter_version: str | None = None
        self.submitted = time.perf_counter()
        self.taken = self.submitted
        self.first_token_seconds = 0.0
        self.seconds = 0.0
        self.is_cancelled = False
        self.most = min(request.sampling.max_new_tokens, context - len(request.ids))
        """Tokens that may be generated."""
        self._fresh: deque[int] = deque()
        if self.most < 1:
            self.finish("length")

    @property
    def done(self) -> bool:
        """Whether nothing will follow."""
        return self.reason is not None or self.error is not None

    def cancel(self) -> None:
        """End the answer before the next step."""
        self.is_cancelled = True

    def take_new(self) -> list[int]:
        """The tokens that have come since the last call."""
        return [self._fresh.popleft() for _ in range(len(self._fresh))]

    def completion(self) -> Completion:
        """The finished answer.

        Raises:
            BaseException: what went wrong, when something did.
        """
        if self.error is not None:
            raise self.error
        assert self.reason is not None, "the answer is not finished"
        return Completion(
            request=self.request,
            ids=tuple(self.ids),
            finish_reason=self.reason,
            first_token_seconds=self.first_token_seconds,
            seconds=self.seconds,
            logprobs=tuple(self.logprobs),
            adapter_version=self.adapter_version,
        )

    # ---- for the engine ----------------------------------------------------------------------------------------------

    def start(self, adapter_version: str | None = None) -> None:
        """The engine takes the request up."""
        self.taken = time.perf_counter()
        self.adapter_version = adapter_version

    def accept(self, token: int, logprob: TokenLogprob | None = None) -> None:
        """Take the next token."""
        self.first_token_seconds = self.first_token_seconds or time.perf_counter() - self.taken
        if token in self.request.stop_ids:
            self.finish("stop")
            return
        self.ids.append(token)
        if logprob is not None:
            self.logprobs.append(logprob)
        self._fresh.append(token)
        if len(self.ids) >= self.most:
            self.finish("length")

    def finish(self, reason: FinishReason) -> None:
        """Nothing follows."""
        self.seconds = time.perf_counter() - self.taken
        self.reason = reason

    def fail(self, error: BaseException) -> None:
        """Nothing follows, because of an error."""
        self.seconds = time.perf_counter() - self.taken
        self.error = error


class ScoreHandle:
    """Log-probabilities in the making."""

    def __init__(self, request: ScoreRequest) -> None:
        self.request = request
        self.scores: list[list[float]] | None = None
        self.error: BaseException | None = None
        self.is_cancelled = False

    @property
    def done(self) -> bool:
        """Whether nothing will follow."""
        return self.scores is not None or self.error is not None

    def cancel(self) -> None:
        """Forget it before the next step."""
        self.is_cancelled = True

    def result(self) -> list[list[float]]:
        """A log-probability for every token of every continuation.

        Raises:
            BaseException: what went wrong, when something did.
        """
        if self.error is not None:
            raise self.error
        assert self.scores is not None, "not scored yet"
        return self.scores

    # ---- for the engine ----------------------------------------------------------------------------------------------

    def start(self, adapter_version: str | None = None) -> None:
        """The engine takes the request up."""

    def finish(self, reason: FinishReason) -> None:
        """It was given up."""
        self.scores = []

    def fail(self, error: BaseException) -> None:
        """Nothing follows, because of an error."""
        self.error = error


AnyHandle = Handle | ScoreHandle


class Counts(NamedTuple):
    """Requests on their way."""

    waiting: int
    running: int
