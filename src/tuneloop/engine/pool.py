"""The adapters in memory: loaded on first use by a thread of their own, let go when others need the room.

Whoever runs a request holds a lease. An adapter with a lease, or a pinned one, is never let go; of the others the one
that was not used for longest goes first. Taking an adapter out of the pool ends no lease: requests under way finish with
the version they began with, the next one loads anew.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from tuneloop.core.errors import NotFoundError, ResourceError


class Resident(Protocol):
    """What the pool asks of an adapter: matrices for a shared batch, or a merged model."""

    @property
    def name(self) -> str: ...

    @property
    def bytes(self) -> int: ...


A = TypeVar("A", bound=Resident)


class Lease(Generic[A]):
    """A claim on one adapter, held until `AdapterPool.release`."""

    def __init__(self, entry: _Entry[A]) -> None:
        self.entry = entry

    @property
    def adapter(self) -> A | None:
        """The adapter; None while it is being loaded."""
        return self.entry.adapter

    @property
    def error(self) -> BaseException | None:
        """Why it could not be loaded."""
        return self.entry.error


class _Entry(Generic[A]):
    def __init__(self, name: str) -> None:
        self.name = name
        self.adapter: A | None = None
        self.error: BaseException | None = None
        self.leases = 0
        self.pinned = False
        self.listed = True
        """Whether new leases get it."""
        self.bytes = 0


class AdapterPool(Generic[A]):
    """Adapters by name.

    Args:
        load: reads an adapter that is not in memory, in a thread of its own; None: only what `add` has put in is known.
        max_bytes: memory that all adapters may take.
    """

    def __init__(self, load: Callable[[str], A] | None, *, max_bytes: int) -> None:
        self._load = load
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, _Entry[A]] = OrderedDict()
        self._changed = threading.Condition()
        self._threads: ThreadPoolExecutor | None = None
        self._largest = 0
        self.bytes = 0
        """Memory in use, adapters that only a running request holds included."""
        self.loads = 0
        """How often one was loaded."""

    def knows(self, name: str) -> bool:
        """Whether a request may name it: it is there, or there is somebody to ask for it."""
        return self._load is not None or name in self._entries

    @property
    def names(self) -> list[str]:
        """Adapters in memory, the one that was not used for longest first."""
        with self._changed:
            return [name for name, entry in self._entries.items() if entry.adapter is not None]

    def lease(self, name: str) -> Lease[A] | None:
        """Claim an adapter; it may still have to be loaded. None: there is no room before another lease has ended.

        Raises:
            NotFoundError: it is not in memory, and there is nobody to ask for it (code `models.adapter_not_loaded`).
        """
        with self._changed:
            entry = self._entries.get(name)
            if entry is None:
                if self._load is None:
                    known = ", ".join(self._entries) or "—"
                    raise NotFoundError("models.adapter_not_loaded", name=name, known=known)
                # Before the first one is here nobody knows how large they are: the others wait for it.
                unknown = not self._largest and any(entry.adapter is None for entry in self._entries.values())
                if unknown or not self._make_room(self._largest):
                    return None
                entry = self._entries[name] = _Entry(name)
                entry.bytes = self._largest  # a guess until it is here
                self.bytes += entry.bytes
                self._start(entry)
            entry.leases += 1
            self._entries.move_to_end(name)
            return Lease(entry)

    def release(self, lease: Lease[A]) -> None:
        """Give a claim back."""
        with self._changed:
            entry = lease.entry
            entry.leases -= 1
            if not entry.listed and not entry.leases:
                self.bytes -= entry.bytes
                entry.bytes = 0
            self._make_room(0)
            self._changed.notify_all()

    def add(self, adapter: A, *, pinned: bool = False) -> None:
        """Put an adapter in, in the place of another one of its name.

        Raises:
            ResourceError: it does not fit beside those that are in use or pinned (code `adapters.over_budget`).
        """
        with self._changed:
            self._unlist(adapter.name)
            if not self._make_room(adapter.bytes):
                raise self._over_budget(adapter)
            entry = self._entries[adapter.name] = _Entry(adapter.name)
            entry.adapter, entry.bytes, entry.pinned = adapter, adapter.bytes, pinned
            self.bytes += entry.bytes
            self._largest = max(self._largest, adapter.bytes)
            self._changed.notify_all()

    def remove(self, name: str) -> bool:
        """Take an adapter out; False when it was not there. Requests under way finish with it."""
        with self._changed:
            found = name in self._entries
            self._unlist(name)
            self._changed.notify_all()
        return found

    def pin(self, name: str, *, pinned: bool = True) -> bool:
        """Keep an adapter that is in memory whatever happens, or no longer; False when it is not there."""
        with self._changed:
            entry = self._entries.get(name)
            if entry is None or entry.adapter is None:
                return False
            entry.pinned = pinned
            return True

    def wait(self, seconds: float) -> None:
        """Wait until something changes, `seconds` at most."""
        with self._changed:
            self._changed.wait(seconds)

    # ---- inside; the lock is held ------------------------------------------------------------------------------------

    def _make_room(self, size: int) -> bool:
        for name, entry in list(self._entries.items()):
            if self.bytes + size <= self._max_bytes:
                return True
            if not entry.leases and not entry.pinned and entry.adapter is not None:
                self._unlist(name)
        return self.bytes + size <= self._max_bytes

    def _unlist(self, name: str) -> None:
        entry = self._entries.pop(name, None)
        if entry is not None:
            entry.listed = False
            if not entry.leases and entry.adapter is not None:
                self.bytes -= entry.bytes
                entry.bytes = 0

    def _start(self, entry: _Entry[A]) -> None:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="adapters")
        self._threads.submit(self._run, entry)

    def _run(self, entry: _Entry[A]) -> None:
        assert self._load is not None
        error: BaseException | None = None
        adapter: A | None = None
        try:
            adapter = self._load(entry.name)
        except BaseException as caught:  # told to whoever holds a lease
            error = caught
        with self._changed:
            self._arrive(entry, adapter, error)
            self._changed.notify_all()

    def _arrive(self, entry: _Entry[A], adapter: A | None, error: BaseException | None) -> None:
        """The guess at an adapter's size gives way to the truth."""
        self.bytes -= entry.bytes
        entry.bytes = 0
        self.loads += 1
        if adapter is not None and adapter.bytes > self._max_bytes:
            error, adapter = self._over_budget(adapter), None
        if adapter is None:
            entry.error = error
            if self._entries.get(entry.name) is entry:
                self._unlist(entry.name)
            return
        self._largest = max(self._largest, adapter.bytes)
        self._make_room(adapter.bytes)  # where the others are all in use, it is over the limit until one is released
        entry.adapter = adapter
        if entry.listed or entry.leases:
            entry.bytes = adapter.bytes
            self.bytes += entry.bytes

    def _over_budget(self, adapter: A) -> ResourceError:
        return ResourceError("adapters.over_budget", name=adapter.name, bytes=adapter.bytes, limit=self._max_bytes)
