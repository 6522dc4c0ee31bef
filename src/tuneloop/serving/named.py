"""From a name to what answers: which base model, which adapter folder, which system message. Torch-free."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from tuneloop.core.errors import CorruptError, NotFoundError, UsageError
from tuneloop.core.records import Record
from tuneloop.models.config import ModelConfig
from tuneloop.registry.evaluations import evaluations_of
from tuneloop.registry.versions import list_adapters, resolve
from tuneloop.store.artifacts import read_manifest
from tuneloop.store.workspace import Workspace

BASE = "base:"
"""Before the name of a model that is to answer without an adapter."""


class Named(Record):
    """What a name stands for."""

    name: str
    """As it is shown: `bank-service@v0003`, `base:smollm2-135m`, or the folder."""
    model: ModelConfig
    folder: Path | None = None
    """The adapter's folder; None for a base model."""
    system: str | None = None
    """The system message that every training sample had."""
    clean: dict[str, Any] = Field(default_factory=dict)
    """The `data.clean` of the recipe it was trained by: what asks it later is cleaned the same way."""
    language: str = "en"
    """Language of its data."""
    max_new_tokens: int | None = None
    """Longest answer that its recipe allowed, or else its last evaluation; None where neither is known."""
    run_id: str | None = None


def find(reference: str | None, workspace: Workspace, *, accept_license: str | None = None) -> Named:
    """Find what answers under a name.

    Args:
        reference: `NAME`, `NAME@v0003`, `NAME@alias`, the folder of an adapter, `base:MODEL`, or None for the only
            adapter that the workspace has.
        workspace: where adapters are registered.
        accept_license: a licence that the user accepts, for base models that ask for it.

    Raises:
        UsageError: None was given and there is more than one adapter (code `serving.which_adapter`), or `base:` names
            no model (`serving.base_unnamed`).
        NotFoundError: there is none (`serving.no_adapter`), or none of that name (`registry.…`).
    """
    reference = _only(workspace) if reference is None else reference
    if reference.startswith(BASE):
        if not (model := reference.removeprefix(BASE)):
            raise UsageError("serving.base_unnamed")
        return Named(name=reference, model=_config({"name_or_path": model}, accept_license))
    folder = Path(reference).expanduser()
    if (folder / "adapter_config.json").is_file() or (folder.is_dir() and "/" in reference):
        return _of_folder(str(folder), folder.resolve(), workspace, accept_license, run_id=_run_of(folder))
    adapter = resolve(workspace, reference)
    return _of_folder(adapter.label, adapter.path, workspace, accept_license, run_id=adapter.run_id)


def _only(workspace: Workspace) -> str:
    names = sorted({adapter.name for adapter in list_adapters(workspace)})
    if not names:
        raise NotFoundError("serving.no_adapter", place=workspace.root)
    if len(names) > 1:
        raise UsageError("serving.which_adapter", known=", ".join(names))
    return names[0]


def _of_folder(
    name: str, folder: Path, workspace: Workspace, accept_license: str | None, *, run_id: str | None
) -> Named:
    """An adapter's manifest names its base; the recipe of its run, where it still is, knows more."""
    config = read_manifest(folder).config
    if not isinstance(config, dict) or "base_model" not in config:
        raise CorruptError("store.manifest_unreadable", file=folder)
    recipe = _recipe_of(workspace, run_id)
    model = recipe.get("model") if isinstance(recipe.get("model"), dict) else None
    data = recipe["data"] if isinstance(recipe.get("data"), dict) else {}
    clean = data.get("clean")
    return Named(
        name=name,
        model=_config(model or {"name_or_path": config["base_model"]}, accept_license),
        folder=folder,
        system=config.get("system", data.get("system")),
        clean=clean if isinstance(clean, dict) else {},
        language=str(recipe.get("language", "en")),
        max_new_tokens=_longest(recipe, workspace, run_id),
        run_id=run_id,
    )


def _recipe_of(workspace: Workspace, run_id: str | None) -> dict[str, Any]:
    path = workspace.runs / (run_id or "–") / "recipe.yaml"
    if not path.is_file():
        return {}
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CorruptError("store.file_differs", file=path) from error
    return values if isinstance(values, dict) else {}


def _longest(recipe: dict[str, Any], workspace: Workspace, run_id: str | None) -> int | None:
    """How long an answer could be when the adapter was judged: what was proven holds for such answers."""
    generation = recipe["generation"] if isinstance(recipe.get("generation"), dict) else {}
    if isinstance(longest := generation.get("max_new_tokens"), int):
        return longest
    judged = evaluations_of(workspace, run_id) if run_id else []
    path = judged[-1].path / "results.json" if judged else None
    if path is None or not path.is_file():
        return None
    try:
        longest = json.loads(path.read_text(encoding="utf-8"))["made_of"]["max_new_tokens"]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise CorruptError("store.file_differs", file=path) from error
    return longest if isinstance(longest, int) else None


def _run_of(folder: Path) -> str | None:
    """The run of an adapter that still lies in its run's folder."""
    place = folder.resolve()
    return place.parent.name if place.name == "adapter" and (place.parent / "recipe.yaml").is_file() else None


def _config(values: dict[str, Any], accept_license: str | None) -> ModelConfig:
    try:
        return ModelConfig.model_validate(values | ({"accept_license": accept_license} if accept_license else {}))
    except ValidationError as error:
        raise CorruptError("store.manifest_unreadable", file=str(values)) from error
