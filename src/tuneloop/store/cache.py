"""The folder of everything that can be had again: downloaded and converted models, built kernels."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`TUNELOOP_CACHE`, else `~/.cache/tuneloop`."""
    named = os.environ.get("TUNELOOP_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "tuneloop"
