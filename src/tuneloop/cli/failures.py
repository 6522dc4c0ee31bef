"""How a verb ends when it fails: one clear message, or one JSON document, and the exit status of the error.

Everything that can be raised becomes an error of the tree here: the command line parser's complaints, signals, a full
disk, a folder without write permission. What remains is a bug, and says so.
"""

from __future__ import annotations

import difflib
import errno
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tuneloop.cli.session import write_json
from tuneloop.cli.signals import StopRequested
from tuneloop.core.errors import (
    Interrupted,
    NotAllowedError,
    ResourceError,
    Terminated,
    TryAgainError,
    TuneloopError,
    UsageError,
)
from tuneloop.core.messages import text

if TYPE_CHECKING:
    from rich.console import Console

EXIT_BROKEN_PIPE = 141
"""128 + SIGPIPE, like other tools: whoever read our output has gone away."""


def translate(error: BaseException) -> TuneloopError:
    """Return the error of the tree that says what `error` means."""
    if isinstance(error, TuneloopError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("general.interrupted")
    if isinstance(error, StopRequested):
        return Terminated("general.terminated")
    if isinstance(error, MemoryError):
        return ResourceError("general.memory")
    if isinstance(error, OSError) and (known := _translate_os_error(error)) is not None:
        return known
    if (wrong_use := _translate_usage(error)) is not None:
        return wrong_use
    return TuneloopError("general.bug", error=f"{type(error).__name__}: {error}".rstrip(": "))


def report(error: BaseException, console: Console, *, as_json: bool, debug: bool) -> int:
    """Tell of a failure and return the exit status."""
    ours = translate(error)
    if debug:
        trace = "".join(traceback.format_exception(error))
        console.print(trace, markup=False, highlight=False, soft_wrap=True)
    try:
        values = ours.as_json()
    except (KeyError, IndexError, ValueError) as hole:  # the catalogue has no such text, or another placeholder
        ours = TuneloopError("general.bug", error=f"{ours.code} ({hole!r})")
        values = ours.as_json()
    if as_json:
        write_json({"error": values})
    else:
        _show(values, console, calm=isinstance(ours, Interrupted | Terminated))
    return ours.status.exit


def _show(values: dict[str, Any], console: Console, *, calm: bool) -> None:
    """The message, where it happened, and what to do; what a person asked for is no error in red."""
    from rich.text import Text

    place = _place(values)
    head = Text() if calm else Text(text("cli.error") + " ", style="bold red")
    head.append(values["message"], style="default not bold")
    if place and place not in values["message"]:
        head.append(f"\n  {place}", style="dim")
    console.print(head, soft_wrap=True)
    console.print(Text(values["hint"]), soft_wrap=True)


def _place(values: dict[str, Any]) -> str:
    if values["file"] is None:
        return ""
    return str(values["file"]) if values["row"] is None else f"{values['file']}:{values['row']}"


def _translate_os_error(error: OSError) -> TuneloopError | None:
    """What the machine refuses. A file that is missing is each stage's own message, and here it is a bug."""
    place = error.filename if isinstance(error.filename, str) else "."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError("store.disk_full", file=place)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return NotAllowedError("general.permission", file=place)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return ResourceError("general.files_open")
    if isinstance(error, ConnectionError | TimeoutError):
        return TryAgainError("general.network", problem=str(error))
    return None


def _translate_usage(error: BaseException) -> UsageError | None:
    """The parser's complaints. Its classes are private: they are told apart by what they carry, never by their text."""
    if not hasattr(error, "format_message"):
        return None
    help_command = _help_command(error)
    if hasattr(error, "option_name"):
        near = list(getattr(error, "possibilities", None) or ()) or _near_options(error)
        if not near:
            return UsageError("cli.option_unknown", option=error.option_name, help=help_command)
        return UsageError("cli.option_unknown_near", option=error.option_name, near=near[0], help=help_command)
    parameter = getattr(error, "param", None)
    if parameter is not None:
        name = parameter.opts[-1] if parameter.opts[-1].startswith("-") else str(parameter.name).upper()
        if hasattr(error, "param_type"):
            return UsageError("cli.parameter_missing", name=name, help=help_command)
        problem = str(error.args[0]).removeprefix("Value error, ")
        return UsageError("cli.parameter_invalid", name=name, problem=problem, help=help_command)
    return UsageError("cli.usage", problem=str(error.format_message()), help=help_command)


def _help_command(error: Any) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context is not None else 'tuneloop'} --help"


def _near_options(error: Any) -> Sequence[str]:
    context = getattr(error, "ctx", None)
    known = [name for parameter in context.command.params for name in parameter.opts] if context is not None else []
    return difflib.get_close_matches(error.option_name, known, n=1)
