"""SHA-256 of values and files: what makes a result repeatable and a change visible."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> str:
    """Return JSON that is the same text for the same value: sorted keys, no spaces.

    >>> canonical_json({"b": 1, "a": [1.0, None]})
    '{"a":[1.0,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def hash_value(value: Any) -> str:
    """SHA-256 (64 hexadecimal digits) of a JSON value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 (64 hexadecimal digits) of a file's bytes, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def stage_key(stage: str, format_number: int, config: Any, inputs: dict[str, str]) -> str:
    """Key of a stage's result: the same key means that there is nothing to do.

    Args:
        stage: name of the stage.
        format_number: raised when the stage's code starts to give other results.
        config: the resolved configuration as a JSON value.
        inputs: name and manifest hash of everything that the stage reads.
    """
    return hash_value({"stage": stage, "format": format_number, "config": config, "inputs": inputs})
