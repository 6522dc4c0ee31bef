"""What the server counts, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tuneloop.serving.backend import Backend
from tuneloop.serving.completions import Reply

SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Meters:
    """Counters of one server.

    Args:
        backend: whose queue is shown.
    """

    def __init__(self, backend: Backend) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "tuneloop_requests", "Requests by model and how they ended", ["model", "outcome"], registry=self.registry
        )
        self._tokens = Counter("tuneloop_tokens", "Tokens by direction", ["direction"], registry=self.registry)
        self._first = Histogram(
            "tuneloop_first_token_seconds", "Time to the first token", registry=self.registry, buckets=SECONDS
        )
        self._seconds = Histogram(
            "tuneloop_request_seconds", "Time of a whole request", registry=self.registry, buckets=SECONDS
        )
        waiting = Gauge("tuneloop_requests_waiting", "Requests in the queue", registry=self.registry)
        running = Gauge("tuneloop_requests_running", "Requests in the batch", registry=self.registry)
        waiting.set_function(lambda: backend.counts.waiting)
        running.set_function(lambda: backend.counts.running)

    @contextmanager
    def watching(self, reply: Reply) -> Iterator[None]:
        """Count a request, whatever comes of it."""
        start, outcome = time.perf_counter(), "broken off"
        try:
            yield
            if all(choice.finish_reason for choice in reply.choices):
                outcome = "answered"
        except Exception:
            outcome = "failed"
            raise
        finally:
            self._requests.labels(reply.model.name, outcome).inc()
            self._tokens.labels("read").inc(reply.usage["prompt_tokens"])
            self._tokens.labels("written").inc(reply.usage["completion_tokens"])
            self._seconds.observe(time.perf_counter() - start)
            if first := reply.choices[0].handle.first_token_seconds:
                self._first.observe(first)

    async def watch(self, reply: Reply, events: AsyncIterator[str]) -> AsyncIterator[str]:
        """Count a streamed request."""
        with self.watching(reply):
            async for event in events:
                yield event
