"""Which run goes on: what makes two trainings the same, how they differ, and which folder a training belongs in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneloop.adapters.config import AdapterConfig
from tuneloop.core.errors import IncompatibleError, UsageError
from tuneloop.core.hashing import canonical_json, hash_value, stage_key
from tuneloop.models.load import LoadedModel
from tuneloop.store.artifacts import MANIFEST, manifest_hash, write_text_atomically
from tuneloop.training.config import TrainingConfig

FORMAT = 2
FILE, FORCED = "identity.json", "forced.json"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a training is made from."""

    training: TrainingConfig
    """`training:` of the recipe."""
    adapter: AdapterConfig
    """`adapter:` of the recipe."""
    dataset: Path
    """A dataset's folder."""
    loaded: LoadedModel
    """The base model; to plan for a machine that is not here, it may be without weights."""
    name: str
    """Of the recipe."""
    seed: int
    """Of the recipe."""


def make_identity(inputs: Inputs) -> dict[str, Any]:
    """Everything that the result depends on; a run goes on only with the identity it began with."""
    loaded = inputs.loaded
    return {
        "training": inputs.training.model_dump(mode="json"),
        "adapter": inputs.adapter.model_dump(mode="json"),
        "seed": inputs.seed,
        "dataset": manifest_hash(inputs.dataset),
        "base": loaded.sha256,
        "template": loaded.template.sha256,
        "tokenizer": _hash_tokenizer(loaded.tokenizer),
        "dtype": str(loaded.dtype),
    }


def _hash_tokenizer(tokenizer: Any) -> str:
    """Over the vocabulary, the merges and the rules; padding and truncation are settings of a call."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return hash_value(tokenizer.get_vocab())
    document = json.loads(backend.to_str())
    return hash_value({name: value for name, value in document.items() if name not in ("padding", "truncation")})


def differences(before: Any, after: Any, name: str = "") -> Iterator[str]:
    """Every value that differs, with its name; long hashes are shortened.

    >>> list(differences({"training": {"seed": 1, "x": 2}}, {"training": {"seed": 3, "x": 2}}))
    ['training.seed: 1 → 3']
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(before.get(key), after.get(key), f"{name}.{key}" if name else key)
    elif before != after:
        yield f"{name}: {str(before)[:12]} → {str(after)[:12]}"


def choose_folder(
    runs: Path, name: str, identity: dict[str, Any], *, resume: bool | None, force: bool
) -> tuple[Path, list[str]]:
    """The folder of a training, and what differs from the run that is continued there by force.

    A finished run of the same identity is returned as it is, an unfinished one goes on; otherwise a new name is found.

    Args:
        runs: where runs lie.
        name: of the recipe.
        identity: of this training.
        resume: True asks for the newest unfinished run of this recipe, whatever its inputs were; False begins anew.
        force: with `resume=True`, go on although the inputs differ; otherwise train again.

    Raises:
        IncompatibleError: the unfinished run had other inputs (code `training.resume_differs`).
        UsageError: nothing is unfinished (code `training.nothing_to_resume`).
    """
    own = f"{name}-{stage_key('training', FORMAT, identity, {})[:8]}"
    taken = _named(runs, re.escape(own) + r"(-\d+)?")
    if resume and not (taken and not force):
        return _unfinished(runs, name, identity, force=force)
    if taken and not force and ((taken[-1] / MANIFEST).exists() or resume is not False):
        return taken[-1], []
    return runs / own if not taken else runs / f"{own}-{len(taken) + 1}", []


def _unfinished(runs: Path, name: str, identity: dict[str, Any], *, force: bool) -> tuple[Path, list[str]]:
    """The newest unfinished run of a recipe, which may have had other inputs."""
    found = [p for p in _named(runs, re.escape(name) + r"-[0-9a-f]{8}(-\d+)?") if not (p / MANIFEST).exists()]
    begun = [path for path in found if (path / FILE).exists()]
    if not begun:
        raise UsageError("training.nothing_to_resume")
    latest = max(begun, key=lambda path: (path / FILE).stat().st_mtime_ns)
    different = list(differences(json.loads((latest / FILE).read_text(encoding="utf-8")), identity))
    if different and not force:
        raise IncompatibleError("training.resume_differs", file=latest, difference="; ".join(different))
    return latest, different


def _named(runs: Path, pattern: str) -> list[Path]:
    names = (path for path in (runs.iterdir() if runs.exists() else ()) if re.fullmatch(pattern, path.name))
    return sorted(names, key=lambda path: (len(path.name), path.name))


def keep_identity(folder: Path, identity: dict[str, Any], different: list[str]) -> None:
    """Write down what the run is made from, and mark it when it goes on by force."""
    if different:
        write_text_atomically(folder / FORCED, json.dumps([*read_forced(folder), *different], ensure_ascii=False))
    write_text_atomically(folder / FILE, canonical_json(identity) + "\n")


def read_forced(folder: Path) -> list[str]:
    """What differed when the run was continued by force; empty for an honest run."""
    path = folder / FORCED
    return [str(line) for line in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []
