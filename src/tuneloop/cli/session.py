"""What every verb gets and gives back: a `Session` in, a `Reply` out.

People read stderr, programs read stdout. Only this file decides which of the two is written.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

    from tuneloop.core.progress import Progress
    from tuneloop.store.workspace import Workspace


@dataclass(frozen=True)
class Reply:
    """What a verb answers.

    Args:
        value: the answer for programs: a JSON value, or records.
        show: the answer for people: what rich can print, in order.
        plain: text that goes to stdout as it is when nobody asked for JSON (a recipe, a schema, an answer).
    """

    value: Any
    show: Iterable[Any] = field(default=())
    plain: str | None = None


@dataclass(frozen=True)
class Session:
    """Where a verb works and where it reports."""

    workspace: Workspace
    console: Console
    """Writes to stderr."""
    progress: Progress
    json: bool = False

    def show(self, *things: Any) -> None:
        """Print for people; nothing when a program is listening."""
        if not self.json:
            for thing in things:
                # Text is not wrapped: a path or a command can then be copied whole.
                self.console.print(thing, soft_wrap=not _is_drawn(thing), markup=False, highlight=False)

    def answer(self, reply: Reply) -> None:
        """Print a verb's reply where it belongs."""
        if self.json:
            write_json(reply.value)
            return
        self.show(*reply.show)
        if reply.plain is not None:
            write_plain(reply.plain)


def _is_drawn(thing: Any) -> bool:
    """True for tables and panels, which fit themselves to the terminal."""
    return hasattr(thing, "__rich_measure__") and not hasattr(thing, "plain")


def write_json(value: Any) -> None:
    """Write one JSON document to stdout."""
    write_plain(json.dumps(value, ensure_ascii=False, indent=2, default=_as_json))


def write_plain(text: str, stream: TextIO | None = None) -> None:
    """Write text and one line end, at once: a reader that went away is noticed here and not at the interpreter's exit."""
    stream = stream or sys.stdout
    stream.write(text if text.endswith("\n") else text + "\n")
    stream.flush()


def _as_json(value: Any) -> Any:
    """What `json` can't write itself: records, by their own rules, and paths."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
