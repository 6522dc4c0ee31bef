"""What lies in a workspace, read from the files that programs may read: quick, and without torch."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuneloop.core.errors import CorruptError, NotFoundError, UsageError
from tuneloop.core.messages import text
from tuneloop.store.artifacts import MANIFEST, read_manifest
from tuneloop.store.workspace import Workspace


def datasets(workspace: Workspace) -> dict[str, Path]:
    """Finished datasets by `name/id`, the oldest first."""
    folders = [path.parent for path in workspace.datasets.glob(f"*/*/{MANIFEST}") if path.parent.name[0] != "."]
    return {f"{path.parent.name}/{path.name}": path for path in sorted(folders, key=_made)}


def runs(workspace: Workspace) -> dict[str, Path]:
    """Trainings by id, finished or not, the oldest first."""
    return _by_id(workspace.runs, "recipe.yaml")


def evaluations(workspace: Workspace) -> dict[str, Path]:
    """Finished evaluations by id, the oldest first."""
    return _by_id(workspace.evaluations, MANIFEST)


def pick(known: Mapping[str, Path], given: str, what: str, place: Path) -> Path:
    """The folder that a person means: the whole id, the beginning of one, or a name, of which the newest.

    Args:
        known: folders by id, the oldest first.
        given: what was typed.
        what: `dataset`, `run` or `evaluation`, for the message.
        place: where was looked.

    Raises:
        NotFoundError: nothing fits (code `cli.nothing_named`).
        UsageError: several do (code `cli.several_named`).
    """
    if given in known:
        return known[given]
    named = [path for id_, path in known.items() if _name(id_) == given]
    if named:
        return named[-1]
    fitting = [id_ for id_ in known if id_.startswith(given) or id_.rpartition("/")[2].startswith(given)]
    if len(fitting) > 1:
        raise UsageError("cli.several_named", name=given, known=", ".join(fitting))
    if not fitting:
        near = difflib.get_close_matches(given, known, n=5, cutoff=0.3) or list(known)[-5:]
        known_there = ", ".join(near) or text("general.no_rows")
        raise NotFoundError(
            "cli.nothing_named", place=place, what=text(f"cli.noun.{what}"), name=given, known=known_there
        )
    return known[fitting[0]]


def read_json(path: Path) -> Any:
    """Read a JSON file of an artifact.

    Raises:
        NotFoundError: it is not there (code `store.not_found`).
        CorruptError: it is no JSON (code `store.file_differs`).
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError("store.not_found", file=path.parent) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CorruptError("store.file_differs", file=path) from error


def made_at(folder: Path) -> str:
    """When an artifact was finished, in UTC; empty when it is not."""
    return read_manifest(folder).created_at if (folder / MANIFEST).exists() else ""


def steps_done(run: Path) -> int:
    """Optimiser steps of a training, finished or not, from its metrics."""
    path = run / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in reversed(lines):
        try:
            return int(json.loads(line)["step"])
        except (json.JSONDecodeError, KeyError):  # a line that a kill cut off
            continue
    return 0


def _by_id(place: Path, marker: str) -> dict[str, Path]:
    folders = [path.parent for path in place.glob(f"*/{marker}") if path.parent.name[0] != "."]
    return {path.name: path for path in sorted(folders, key=_made)}


def _made(folder: Path) -> tuple[float, str]:
    manifest = folder / MANIFEST
    return (manifest if manifest.exists() else folder).stat().st_mtime, folder.name


def _name(id_: str) -> str:
    """`bank` of `bank/3fa9…` and of `bank-3fa9c1d2` or `bank-3fa9c1d2-2`.

    >>> _name("bank-service/3fa9c1d2ab34"), _name("bank-service-3fa9c1d2"), _name("bank-service-3fa9c1d2-2")
    ('bank-service', 'bank-service', 'bank-service')
    """
    if "/" in id_:
        return id_.partition("/")[0]
    parts = id_.split("-")
    if len(parts) > 2 and parts[-1].isdigit() and len(parts[-1]) < 8:
        parts.pop()
    return "-".join(parts[:-1])
