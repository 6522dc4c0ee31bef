"""Which files of a text encoder decide what it says; torch-free, so that stages can tell whether it changed."""

from __future__ import annotations

from pathlib import Path

from tuneloop.core.hashing import hash_file

PATTERNS = ("*.safetensors", "*.json", "*.txt", "*.model", "1_Pooling/config.json")


def hash_encoder(folder: Path) -> dict[str, str]:
    """Hashes of these files, by their path in the folder."""
    paths = sorted({path for pattern in PATTERNS for path in folder.glob(pattern)})
    return {str(path.relative_to(folder)): hash_file(path) for path in paths}
