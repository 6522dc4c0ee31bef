"""How a function becomes a verb: the options that all verbs share, the session it gets, the help in two languages."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from tuneloop.cli.session import Reply, Session
from tuneloop.core.errors import UsageError
from tuneloop.core.messages import Language, set_language, text

Verb = Callable[..., Reply | None]

WorkspaceOption = Annotated[Path | None, typer.Option("--workspace", help=text("cli.option.workspace"))]
LanguageOption = Annotated[Language | None, typer.Option("--language", help=text("cli.option.language"))]
JsonOption = Annotated[bool, typer.Option("--json", help=text("cli.option.json"))]
DebugOption = Annotated[bool, typer.Option("--debug", help=text("cli.option.debug"))]

# fmt: off
ORDER = (
    "init", "run", "data", "check", "train", "runs", "evaluate", "evaluations", "rules", "predict", "chat", "serve", "studio",
    "feedback", "keys", "adapters", "models", "recipe", "doctor", "version", "prepare", "list", "show", "compare", "promote",
    "rollback", "export", "get", "schema", "create", "revoke",
)
# fmt: on
"""Verbs and groups in the order of the help."""

_SHARED = {
    "workspace": (WorkspaceOption, None),
    "language": (LanguageOption, None),
    "json": (JsonOption, False),
    "debug": (DebugOption, False),
}


def _translate_headings() -> None:
    """Give the parser's help its headings in the interface language; it keeps them in its module."""
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = text("cli.heading.arguments")
    rich_utils.OPTIONS_PANEL_TITLE = text("cli.heading.options")
    rich_utils.COMMANDS_PANEL_TITLE = text("cli.heading.commands")
    rich_utils.REQUIRED_LONG_STRING = text("cli.heading.required")
    rich_utils.DEFAULT_STRING = text("cli.heading.default")


class _Command(TyperCommand):
    """A verb whose help speaks the interface language."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _translate_headings()
        super().format_help(ctx, formatter)

    def get_usage(self, ctx: Any) -> str:
        return super().get_usage(ctx).replace("Usage:", text("cli.heading.usage"), 1)

    def get_help_option(self, ctx: Any) -> Any:
        return _translated(super().get_help_option(ctx))


def _translated(help_option: Any) -> Any:
    if help_option is not None:
        help_option.help = text("cli.option.help")
    return help_option


class _Group(TyperGroup):
    """A group that answers an unknown verb with the nearest one, as an error of the tree."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _translate_headings()
        super().format_help(ctx, formatter)

    def get_usage(self, ctx: Any) -> str:
        return super().get_usage(ctx).replace("Usage:", text("cli.heading.usage"), 1)

    def get_help_option(self, ctx: Any) -> Any:
        return _translated(super().get_help_option(ctx))

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of a loop, whatever the order in which verbs and groups were added."""
        return sorted(self.commands, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            known = [known for known, command in self.commands.items() if not command.hidden]
            near = difflib.get_close_matches(name, known, n=1)
            values = {"command": name, "group": ctx.command_path, "known": ", ".join(known)}
            if near:
                raise UsageError("cli.command_unknown_near", near=near[0], **values)
            raise UsageError("cli.command_unknown", **values)
        return super().resolve_command(ctx, args)


def root() -> typer.Typer:
    """The program itself. The shared options may stand before the verb as well as after it."""
    app = typer.Typer(
        name="tuneloop",
        cls=_Group,
        help=text("cli.help"),
        pretty_exceptions_enable=False,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def start(
        context: typer.Context,
        workspace: WorkspaceOption = None,
        language: LanguageOption = None,
        json: JsonOption = False,
        debug: DebugOption = False,
    ) -> None:
        context.obj = {"workspace": workspace, "language": language, "json": json, "debug": debug}
        _help_if_alone(context)

    return app


def group(parent: typer.Typer, name: str) -> typer.Typer:
    """A group of verbs below `parent`, such as `data`."""
    app = typer.Typer(cls=_Group, invoke_without_command=True)
    app.callback()(_help_if_alone)
    parent.add_typer(app, name=name, help=text(f"cli.help.{name}"))
    return app


def verb(app: typer.Typer, name: str) -> Callable[[Verb], Verb]:
    """Make `function(session, ...) -> Reply` the verb `name` of `app`.

    Args:
        app: the program or a group.
        name: its path with dots, such as `data.prepare`; `cli.help.<name>` is its help.
    """

    def decorate(function: Verb) -> Verb:
        signature = inspect.signature(function, eval_str=True)
        own = list(signature.parameters.values())[1:]
        shared = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for key, (annotation, default) in _SHARED.items()
        ]
        context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)

        @functools.wraps(function)
        def command(**values: Any) -> None:
            given = values.pop("context").find_root().obj or {}
            common = {key: values.pop(key) or given.get(key) for key in _SHARED}
            session = open_session(common["workspace"], common["language"], as_json=bool(common["json"]))
            reply = function(session, **values)
            if reply is not None:
                session.answer(reply)

        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + shared + [context]
        command.__signature__ = signature.replace(parameters=parameters, return_annotation=None)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name.rsplit(".", 1)[-1], cls=_Command, help=text(f"cli.help.{name}"))(command)
        return function

    return decorate


def open_session(workspace: Path | None, language: Language | None, *, as_json: bool) -> Session:
    """Find the workspace, choose the language, and open the console."""
    from rich.console import Console

    from tuneloop.cli.progress import ConsoleProgress
    from tuneloop.store.workspace import find_workspace

    if language is not None:
        set_language(language)
    console = Console(stderr=True)
    return Session(find_workspace(workspace), console, ConsoleProgress(console), as_json)


def _help_if_alone(context: typer.Context) -> None:
    """Print the help when no verb follows."""
    if context.invoked_subcommand is None:
        if (context.find_root().obj or {}).get("json"):
            raise UsageError("cli.command_missing", help=f"{context.command_path} --help")
        typer.echo(context.get_help())
