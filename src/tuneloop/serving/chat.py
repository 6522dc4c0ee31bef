"""A conversation in the terminal: streamed answers, several turns, and three commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from tuneloop.core.errors import UsageError
from tuneloop.core.messages import text
from tuneloop.core.records import Message


class Answers(Protocol):
    """What a conversation needs of whoever answers."""

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """Return the answer piece by piece."""


class Chat:
    """The state of one conversation.

    >>> class Echo:
    ...     def stream(self, messages):
    ...         yield messages[-1].content.upper()
    >>> chat = Chat(Echo())
    >>> "".join(chat.ask("hello")), len(chat.messages)
    ('HELLO', 2)
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.messages: tuple[Message, ...] = ()

    def ask(self, question: str) -> Iterator[str]:
        """Put a question and return the answer piece by piece; both are remembered once the answer is complete.

        When the answer is broken off, the conversation is as it was before the question.
        """
        asked = (*self.messages, Message(role="user", content=question))
        answer = ""
        for piece in self._answers.stream(asked):
            answer += piece
            yield piece
        self.messages = (*asked, Message(role="assistant", content=answer))

    def undo(self) -> bool:
        """Forget the last question and its answer; False when there is none."""
        if not self.messages:
            return False
        self.messages = self.messages[:-2]
        return True

    def reset(self) -> None:
        """Forget everything."""
        self.messages = ()


COMMANDS: dict[str, Callable[[Chat], str]] = {
    "/reset": lambda chat: _reset(chat),
    "/undo": lambda chat: text("serving.undone" if chat.undo() else "serving.nothing_to_undo"),
    "/help": lambda chat: text("serving.commands"),
}
"""What may be typed instead of a question: a function that acts and says what it did. `/exit` ends the conversation."""

EXITS = ("/exit", "/quit")


def converse(chat: Chat, lines: Iterable[str], write: Callable[[str], None], note: Callable[[str], None]) -> None:
    """Answer every line until `/exit` or the end of the input.

    Args:
        chat: the conversation.
        lines: what the person types.
        write: prints a piece of an answer.
        note: prints a line of our own.
    """
    for line in lines:
        typed = line.strip()
        if typed in EXITS:
            return
        if not typed:
            continue
        if typed in COMMANDS:
            note(COMMANDS[typed](chat))
        elif typed.startswith("/") and " " not in typed:
            note(text("serving.command_unknown", command=typed))
        else:
            _answer(chat, typed, write, note)


def _answer(chat: Chat, question: str, write: Callable[[str], None], note: Callable[[str], None]) -> None:
    try:
        for piece in chat.ask(question):
            write(piece)
        write("\n")
    except UsageError as error:  # too long a conversation, say: the next line may be better
        note(str(error))


def _reset(chat: Chat) -> str:
    chat.reset()
    return text("serving.reset")
