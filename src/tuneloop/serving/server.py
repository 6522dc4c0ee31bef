"""What the routes of one server share."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request
from fastapi.security import HTTPBearer

from tuneloop.core.errors import NotAllowedError
from tuneloop.serving.backend import Backend
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.feedback import RecentAnswers
from tuneloop.serving.keys import KeyRing
from tuneloop.serving.meters import Meters
from tuneloop.serving.routers import Routers
from tuneloop.serving.served import ServedModels
from tuneloop.store.access import Key

BEARER = HTTPBearer(auto_error=False, description="An API key; not asked for while the workspace has none.")


@dataclass(frozen=True)
class Server:
    """One server."""

    models: ServedModels
    backend: Backend
    config: ServingConfig
    meters: Meters
    keys: KeyRing
    routers: Routers
    recent: RecentAnswers = field(default_factory=RecentAnswers)

    def allow(self, request: Request, verb: str) -> Key:
        """Who asks, if they may.

        Raises:
            NotAllowedError: the key is missing, not valid, or may not (codes `access.…`).
        """
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        key = self.keys.who(secret.strip() if kind.lower() == "bearer" else None)
        if not key.may(verb):
            raise NotAllowedError("access.not_allowed", role=key.role, verb=verb)
        return key
