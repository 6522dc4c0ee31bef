"""Waiting requests and the adapters they need: who gets a lease, and who has to wait for room."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import dropwhile
from typing import Generic

from tuneloop.core.errors import ResourceError, TuneloopError
from tuneloop.engine.handle import AnyHandle
from tuneloop.engine.pool import A, AdapterPool, Lease

PATIENCE = 64
"""Steps in which others may pass a request that waits for room; then nobody is let in until it has got some."""


class Claims(Generic[A]):
    """The leases of requests that have no place yet."""

    def __init__(self, pool: AdapterPool[A]) -> None:
        self._pool = pool
        self._leases: dict[AnyHandle, Lease[A]] = {}
        self._blocked: AnyHandle | None = None
        self._steps = 0
        """How long the blocked request has been passed by others."""

    def adapter_for(self, handle: AnyHandle, *, anything_runs: bool) -> A | None:
        """The request's adapter; None: it is being loaded, there is no room for it, or the request has failed."""
        lease = self._leases.get(handle)
        if lease is None:
            name = handle.request.adapter
            assert name is not None
            try:
                lease = self._pool.lease(name)
            except TuneloopError as error:
                handle.fail(error)
                return None
            if lease is None:
                if not self._leases and not anything_runs:  # nobody will ever make room
                    handle.fail(ResourceError("adapters.no_room", name=name))
                return None
            self._leases[handle] = lease
            if handle is self._blocked:
                self._blocked = None
        if lease.error is not None:
            self.forget(handle)
            handle.fail(lease.error)
        return lease.adapter

    def hand_over(self, handle: AnyHandle) -> Callable[[], None]:
        """The request has got a place: what to call when it leaves."""
        lease = self._leases.pop(handle)
        return lambda: self._pool.release(lease)

    def forget(self, handle: AnyHandle) -> None:
        """The request will not come."""
        lease = self._leases.pop(handle, None)
        if lease is not None:
            self._pool.release(lease)

    def must_yield(self, handle: AnyHandle, waiting: Iterable[AnyHandle]) -> bool:
        """Whether those behind this request have passed it often enough: then they give up what they hold."""
        if handle.done or handle in self._leases:
            return False
        if self._blocked is None or self._blocked.done:
            self._blocked, self._steps = handle, 0
        if handle is not self._blocked:
            return False
        self._steps += 1
        if self._steps < PATIENCE:
            return False
        for other in dropwhile(lambda other: other is not handle, list(waiting)):
            self.forget(other)
        return True
