"""Who asks, and how much they may ask: the keys of a running server and the limits of each."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from tuneloop.core.errors import NotAllowedError, ResourceError
from tuneloop.store.access import LOCAL, Key, check_form, hashed_keys
from tuneloop.store.workspace import Workspace

FRESH_SECONDS = 0.5
"""How old the view of the keys may be: a revocation is followed within it."""


class KeyRing:
    """The keys that a server knows.

    Args:
        workspace: whose keys.
        required: ask for a key even while none was made: the server can be reached from elsewhere.
        clock: seconds.
    """

    def __init__(
        self, workspace: Workspace, *, required: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workspace = workspace
        self._required = required
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[float, dict[str, Key]] = (-1e9, {})
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    @property
    def required(self) -> bool:
        """Whether a key is asked for: always once one was made, even when all are revoked."""
        return self._required or bool(self._keys())

    def who(self, secret: str | None) -> Key:
        """Whose key this is; `LOCAL` where none is asked for.

        Raises:
            NotAllowedError: it is missing or not valid (codes `access.key_missing`, `access.key_invalid`).
        """
        if secret and secret.startswith("tl_"):
            key = self._keys().get(check_form(secret))
            if key is None or not key.is_valid():
                raise NotAllowedError("access.key_invalid")
            return key
        if not self.required:
            return LOCAL  # clients send a placeholder where none is needed
        raise NotAllowedError("access.key_invalid" if secret else "access.key_missing")

    def take_request(self, key: Key) -> None:
        """Count a request.

        Raises:
            ResourceError: the key has used up its requests or its tokens of this minute (code `serving.limit_reached`).
        """
        if key.tokens_per_minute is not None:
            item = RateLimitItemPerMinute(key.tokens_per_minute, namespace="tokens")
            if not self._limiter.test(item, key.id):
                raise self._reached(item, key, "tokens_per_minute", key.tokens_per_minute)
        if key.requests_per_minute is not None:
            item = RateLimitItemPerMinute(key.requests_per_minute, namespace="requests")
            if not self._limiter.hit(item, key.id):
                raise self._reached(item, key, "requests_per_minute", key.requests_per_minute)

    def take_tokens(self, key: Key, count: int) -> None:
        """Count tokens that were read or written; the request that goes over the limit is still answered."""
        if key.tokens_per_minute is not None and count > 0:
            item = RateLimitItemPerMinute(key.tokens_per_minute, namespace="tokens")
            self._limiter.hit(item, key.id, cost=count)

    def _keys(self) -> dict[str, Key]:
        with self._lock:
            at, found = self._seen
            if self._clock() - at > FRESH_SECONDS:
                found = hashed_keys(self._workspace)
                self._seen = (self._clock(), found)
            return found

    def _reached(self, item: RateLimitItemPerMinute, key: Key, name: str, limit: int) -> ResourceError:
        reset = self._limiter.get_window_stats(item, key.id).reset_time
        wait = max(1, math.ceil(reset - time.time()))
        return ResourceError("serving.limit_reached", name=name, limit=limit, retry_seconds=wait)
