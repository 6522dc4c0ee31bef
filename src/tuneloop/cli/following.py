"""Commands to try next: complete, with the options that the last one was given, and quoted for the shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuneloop.store.workspace import Workspace, find_workspace


@dataclass(frozen=True)
class Following:
    """What every following command needs to find the same things.

    Args:
        workspace: where the last command worked; named where the current folder does not lead to it.
        settings: `--set` of the last command, for commands that take the recipe again.
        accept_license: the licence that was accepted, for commands that load the model again.
    """

    workspace: Workspace
    settings: Sequence[str] = field(default=())
    accept_license: str | None = None

    def with_recipe(self, verb: str, recipe: Path | str) -> str:
        """A verb that takes the same recipe with the same settings."""
        settings = [word for setting in self.settings for word in ("--set", setting)]
        return self._line(verb, str(recipe), *settings)

    def with_adapter(self, verb: str, *words: str) -> str:
        """A verb that loads an adapter."""
        return self._line(verb, *words)

    def _line(self, verb: str, *words: str) -> str:
        licence = ["--accept-license", self.accept_license] if self.accept_license else []
        here = find_workspace() == self.workspace
        place = [] if here else ["--workspace", str(self.workspace.root)]
        return shlex.join(["tuneloop", *verb.split(), *words, *licence, *place])
