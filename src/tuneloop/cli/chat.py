"""`tuneloop chat`: a conversation in the terminal, or one question whose answer goes to stdout."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from tuneloop.cli.options import AcceptLicenseOption, AdapterOption
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.signals import stops_calmly
from tuneloop.cli.verbs import verb
from tuneloop.core.messages import text

if TYPE_CHECKING:
    from tuneloop.core.progress import Progress
    from tuneloop.serving.answer import Answerer
    from tuneloop.serving.chat import FindVoice


class Given(TypedDict):
    """What is passed on as it was given."""

    max_new_tokens: int | None
    accept_license: str | None
    progress: Progress


def add_to(application: typer.Typer) -> None:
    verb(application, "chat")(chat)


def chat(
    session: Session,
    question: Annotated[str | None, typer.Argument(metavar="[QUESTION]", help=text("cli.option.question"))] = None,
    adapter: AdapterOption = None,
    max_new_tokens: Annotated[
        int | None, typer.Option("--max-new-tokens", min=1, help=text("cli.option.max_new_tokens"))
    ] = None,
    accept_license: AcceptLicenseOption = None,
) -> Reply | None:
    from tuneloop import api
    from tuneloop.core.errors import UsageError

    if question is None and session.json:
        raise UsageError("cli.chat_json", help="tuneloop chat --help")
    given = Given(max_new_tokens=max_new_tokens, accept_license=accept_license, progress=session.progress)
    if question is None:
        with stops_calmly("serving.chat_ended"):
            _converse(session, *api.converse(adapter, session.workspace, **given))
        return None
    return _answer(session, api.load(adapter, session.workspace, **given), question)


def _answer(session: Session, answerer: Answerer, question: str) -> Reply | None:
    """Only the answer on stdout, piece by piece as it is made."""
    messages = [{"role": "user", "content": question}]
    if session.json:
        answer = answerer.answer_many([messages])[0]
        values = {"adapter": answerer.name, "question": question, "answer": answer.text}
        return Reply({**values, "finish_reason": answer.finish_reason, "tokens": answer.tokens})
    for piece in answerer.stream(messages):
        _write(piece)
    _write("\n")
    return None


def _converse(session: Session, first: Answerer, find: FindVoice) -> None:
    from rich.text import Text

    from tuneloop.serving.chat import Chat, converse

    session.show(Text(text("serving.welcome", name=first.name, commands=text("serving.commands")), style="dim"))
    converse(Chat(first, find), _lines(session), _write, lambda note: session.show(Text(note, style="dim")))


def _lines(session: Session) -> Iterator[str]:
    """What is typed; with line editing and history where the terminal has them."""
    if not sys.stdin.isatty():
        yield from sys.stdin
        return
    import contextlib

    with contextlib.suppress(ImportError):  # line editing is a comfort that some builds of Python lack
        import readline  # noqa: F401
    while True:
        session.console.print("[bold green]›[/] ", end="")
        try:
            yield input()
        except EOFError:
            session.console.print()
            return


def _write(piece: str) -> None:
    sys.stdout.write(piece)
    sys.stdout.flush()
