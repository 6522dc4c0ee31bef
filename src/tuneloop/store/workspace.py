"""The workspace: the folder that holds recipes, datasets, runs, evaluations, adapters and the database."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from tuneloop.core.errors import UsageError

MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)
"""What the machine refuses has messages of its own; other failures to make a folder say that its name is wrong."""
MARKER = "tuneloop.yaml"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where things stand below one folder. Folders are made on first write."""

    root: Path

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def evaluations(self) -> Path:
        return self.root / "evaluations"

    @property
    def adapters(self) -> Path:
        return self.root / "adapters"

    def settings(self) -> dict[str, str]:
        """The defaults in `tuneloop.yaml`: `database` (URL) and `language` (en or zh); empty when there is no file.

        Raises:
            UsageError: the file is no YAML mapping, or holds an unknown setting (code `workspace.settings`).
        """
        marker = self.root / MARKER
        if not marker.exists():
            return {}
        import yaml  # the help needs a workspace's type only

        try:
            settings = yaml.safe_load(marker.read_text(encoding="utf-8")) or {}
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise UsageError("store.settings", file=marker, problem=str(error)) from error
        if not isinstance(settings, dict) or not set(settings) <= {"database", "language"}:
            raise UsageError("store.settings", file=marker, problem=f"{settings!r}")
        return {str(key): str(value) for key, value in settings.items()}

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the database: SQLite in the workspace unless `tuneloop.yaml` names another."""
        return self.settings().get("database", f"sqlite:///{self.root / 'tuneloop.db'}")

    def ensure(self) -> Workspace:
        """Make the folder and its marker if they are missing, and return the workspace.

        Raises:
            UsageError: no folder can be made there (code `store.workspace_impossible`).
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if error.errno in MACHINE:
                raise
            raise UsageError("store.workspace_impossible", file=self.root, problem=error.strerror) from error
        marker = self.root / MARKER
        if not marker.exists():
            settings = "# A tuneloop workspace. Settings: database (URL), language (en | zh).\n"
            marker.write_text(settings, encoding="utf-8")
        return self


def find_workspace(explicit: Path | str | None = None, start: Path | None = None) -> Workspace:
    """Find the workspace: `explicit`, `TUNELOOP_WORKSPACE`, the nearest parent with `tuneloop.yaml`, else `start`.

    Args:
        explicit: the `--workspace` option.
        start: where the search begins; the current folder by default.

    Raises:
        UsageError: the name is that of a file (code `store.workspace_is_file`).
    """
    named = explicit or os.environ.get("TUNELOOP_WORKSPACE")
    if named:
        root = Path(named).expanduser().resolve()
        if root.exists() and not root.is_dir():
            raise UsageError("store.workspace_is_file", file=root)
        return Workspace(root)
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / MARKER).exists():
            return Workspace(folder)
    return Workspace(here)
