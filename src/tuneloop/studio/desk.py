"""What the tabs work with, and what the workspace offers them: arms to compare, scripts, questions to try."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tuneloop.core.errors import CorruptError, UsageError
from tuneloop.core.messages import Language, text
from tuneloop.core.records import Adapter, Sample
from tuneloop.evaluation.script import Script, load_script, script_folder, script_prompt
from tuneloop.registry.versions import resolve
from tuneloop.serving.backend import Backend
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.served import AUTO, BASE, Model, ServedModels
from tuneloop.serving.server import Server
from tuneloop.store.artifacts import MANIFEST, manifest_hash, read_manifest
from tuneloop.store.samples import read_split
from tuneloop.store.workspace import Workspace

SCRIPTED = "base+script"
"""The fair baseline: the base model with the house script in its prompt."""

EXAMPLES = 6
"""Held-out questions that are offered to try."""


@dataclass(frozen=True)
class Desk:
    """One server, as the page sees it."""

    server: Server

    @property
    def models(self) -> ServedModels:
        """What may answer."""
        return self.server.models

    @property
    def backend(self) -> Backend:
        """What generates."""
        return self.server.backend

    @property
    def config(self) -> ServingConfig:
        """The server's limits."""
        return self.server.config

    @property
    def workspace(self) -> Workspace:
        """Whose adapters answer, and where feedback is kept."""
        return self.models.workspace

    @cached_property
    def held_out(self) -> dict[str, Sample]:
        """Held-out rows of one turn by their question; what is known of them (intent, values) lets every rule judge."""
        dataset = _dataset_of(self.workspace, newest(self.models.adapters()))
        rows = [] if dataset is None else read_split(dataset, "test")
        return {row.question: row for row in rows if len(row.prompt) == 1}

    def examples(self) -> list[str]:
        """A few held-out questions, of different intents where the rows have them."""
        chosen: dict[str, str] = {}
        for question, row in self.held_out.items():
            if len(question) <= 120:
                chosen.setdefault(row.meta.tags.get("intent", question), question)
        return list(chosen.values())[:EXAMPLES]


def newest(adapters: list[Adapter]) -> Adapter | None:
    """The version that was registered last."""
    return max(adapters, key=lambda adapter: adapter.created_at, default=None)


# ---- arms ------------------------------------------------------------------------------------------------------------


def arms(desk: Desk, language: Language) -> list[tuple[str, str]]:
    """Who may answer: what the page shows, and the name that `find_arm` takes."""
    base = desk.models.base_name
    found = [
        (text("studio.arm_base", language, base=base), BASE),
        (text("studio.arm_script", language, base=base), SCRIPTED),
    ]
    adapters = desk.models.adapters()
    if adapters:
        found.append((text("studio.arm_auto", language), AUTO))
    for adapter in reversed(adapters):
        aliases = f" ({', '.join(adapter.aliases)})" if adapter.aliases else ""
        found.append((adapter.label + aliases, adapter.label))
    return found


def first_arms(desk: Desk) -> tuple[str, str]:
    """What is compared when the page opens: the base model, and the newest adapter's version that a bare name means."""
    adapter = newest(desk.models.adapters())
    return BASE, SCRIPTED if adapter is None else resolve(desk.workspace, adapter.name).label


def find_arm(desk: Desk, name: str, script: Script | None) -> Model:
    """From an arm's name to what answers; `auto` is left to each question.

    Raises:
        UsageError: the arm needs a script, and none is chosen (code `studio.no_script`).
        NotFoundError: there is no such version any more.
    """
    if name == AUTO:
        return Model(AUTO, None)
    if name != SCRIPTED:
        return desk.models.find(name)
    if script is None:
        raise UsageError("studio.no_script")
    return Model(SCRIPTED, None, script_prompt(script))


# ---- scripts ---------------------------------------------------------------------------------------------------------


def scripts(desk: Desk) -> list[str]:
    """Names of scripts: those of the workspace's own recipes first, then its files, then the built-in ones."""
    own = [_script_in(desk.workspace, adapter.run_id) for adapter in reversed(desk.models.adapters())]
    files = sorted(path.relative_to(desk.workspace.root) for path in desk.workspace.root.glob("scripts/*.y*ml"))
    built_in = sorted(path.stem for path in script_folder().glob("*.yaml"))
    return list(dict.fromkeys([*(name for name in own if name), *map(str, files), *built_in]))


def read_script(desk: Desk, name: str | None) -> Script | None:
    """Read a script by one of the names of `scripts`.

    Raises:
        RecipeError: it is gone, or wrong.
    """
    if not name:
        return None
    folders = (desk.workspace.root, desk.workspace.root / "recipes")
    return load_script(name, next((folder for folder in folders if (folder / name).is_file()), folders[0]))


def first_script(desk: Desk) -> str | None:
    """The script of the newest adapter's recipe, if it had one."""
    adapter = newest(desk.models.adapters())
    return None if adapter is None else _script_in(desk.workspace, adapter.run_id)


def _script_in(workspace: Workspace, run_id: str) -> str | None:
    path = workspace.runs / run_id / "recipe.yaml"
    if not path.is_file():
        return None
    try:
        recipe: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        script = (recipe.get("evaluation") or {}).get("script")
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError) as error:
        raise CorruptError("store.file_differs", file=path) from error
    return script if isinstance(script, str) else None


def _dataset_of(workspace: Workspace, adapter: Adapter | None) -> Path | None:
    """The dataset that an adapter was trained on, where it still lies in the workspace."""
    if adapter is None:
        return None
    wanted = read_manifest(adapter.path).inputs.get("dataset")
    folders = (path.parent for path in workspace.datasets.glob(f"*/*/{MANIFEST}"))
    return next((folder for folder in sorted(folders) if manifest_hash(folder) == wanted), None)
