"""The program `tuneloop`: reads the command line, runs the verb, and turns whatever is raised into an exit status.

Nothing heavy is imported here or in the verbs' files: each verb imports what it needs when it runs.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from tuneloop.core.messages import Language, set_language

if TYPE_CHECKING:
    import typer

VERBS = (
    "init",
    "run",
    "data",
    "train",
    "evaluate",
    "rules",
    "predict",
    "chat",
    "serve",
    "studio",
    "feedback",
    "keys",
    "adapters",
    "models",
    "recipe",
    "doctor",
)
"""The files that add verbs, in the order of the help."""


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; nothing is raised."""
    from tuneloop.cli.failures import EXIT_BROKEN_PIPE, report
    from tuneloop.cli.signals import StopRequested, signals_unwind

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a character that a terminal can't show must not be an error
            stream.reconfigure(errors="backslashreplace")
    own = list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)
    debug = "--debug" in own
    try:
        with signals_unwind(), warnings.catch_warnings():
            if not debug:  # what libraries tell their programmers is nothing for our users
                warnings.simplefilter("ignore")
            set_language(_language(own))
            application = build()
            status = _invoke(application, arguments)
    except BrokenPipeError:
        _forget_output()
        return EXIT_BROKEN_PIPE
    except (Exception, KeyboardInterrupt, StopRequested) as error:
        from rich.console import Console

        try:
            return report(error, Console(stderr=True), as_json="--json" in own, debug=debug)
        except BrokenPipeError:
            _forget_output()
            return EXIT_BROKEN_PIPE
    return status


def build() -> typer.Typer:
    """Put the program together from the verbs' files."""
    from tuneloop.cli.verbs import root

    application = root()
    for name in VERBS:
        import_module(f"tuneloop.cli.{name}").add_to(application)
    return application


def _invoke(application: typer.Typer, arguments: Sequence[str]) -> int:
    """Parse and run. Not by the parser's own `main`, which would swallow Ctrl-C and closed pipes."""
    import typer
    from typer.main import get_command

    command = get_command(application)
    if "_TUNELOOP_COMPLETE" in os.environ:  # the shell asks for completions
        command.main(args=list(arguments), prog_name="tuneloop")
    try:
        with command.make_context("tuneloop", list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as end:  # --help, for one
        return end.exit_code
    return 0


def _language(arguments: Sequence[str]) -> Language | None:
    """The language of the help and of the parser's complaints, which are needed before the options are read.

    `--language`, else `TUNELOOP_LANGUAGE`, else the workspace's setting; None leaves it to LANG.
    """
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--language":
            value = value if equals else "".join(arguments[place + 1 : place + 2])
            return "zh" if value == "zh" else "en"
    if os.environ.get("TUNELOOP_LANGUAGE"):
        return None
    return _workspace_language(arguments)


def _workspace_language(arguments: Sequence[str]) -> Language | None:
    from tuneloop.core.errors import UsageError
    from tuneloop.store.workspace import find_workspace

    explicit = [arguments[i + 1] for i, argument in enumerate(arguments[:-1]) if argument == "--workspace"]
    try:
        setting = find_workspace(explicit[0] if explicit else None).settings().get("language")
    except UsageError:  # the verb that needs the settings will say what is wrong with them
        return None
    return "zh" if setting == "zh" else "en" if setting == "en" else None


def _forget_output() -> None:
    """Let the interpreter's last flush go nowhere instead of failing on the closed pipe."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):  # not a real file (a test's), or closed
            continue
