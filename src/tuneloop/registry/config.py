"""`register:` in the recipe."""

from __future__ import annotations

from typing import Literal

from tuneloop.core.config import Config


class RegisterConfig(Config):
    """How the run's adapter enters the registry."""

    alias: Literal["candidate"] = "candidate"
    """Movable name that is set to the new version."""
