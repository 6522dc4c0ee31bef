"""A conversation in the terminal: streamed answers, several turns, one voice or two on the same question."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tuneloop.core.errors import TuneloopError, UsageError
from tuneloop.core.messages import text
from tuneloop.core.records import Message


class Answers(Protocol):
    """What a conversation needs of whoever answers."""

    name: str

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """Return the answer piece by piece."""


FindVoice = Callable[[str], Answers]
"""From a name to who answers under it; raises an error of the tree."""


class Voice:
    """Who answers, and the conversation as they had it.

    >>> class Echo:
    ...     name = "echo"
    ...     def stream(self, messages):
    ...         yield messages[-1].content.upper()
    >>> voice = Voice(Echo())
    >>> "".join(voice.ask("hello")), len(voice.messages)
    ('HELLO', 2)
    """

    def __init__(self, answers: Answers, messages: tuple[Message, ...] = ()) -> None:
        self._answers = answers
        self.messages = messages

    @property
    def name(self) -> str:
        """As the registry knows it."""
        return self._answers.name

    def ask(self, question: str) -> Iterator[str]:
        """Put a question and return the answer piece by piece; both are remembered once the answer is complete."""
        asked = (*self.messages, Message(role="user", content=question))
        answer = ""
        for piece in self._answers.stream(asked):
            answer += piece
            yield piece
        self.messages = (*asked, Message(role="assistant", content=answer))


class Chat:
    """The state of one conversation.

    Args:
        answers: who answers first.
        find: finds the others, for `/adapter` and `/compare`.
    """

    def __init__(self, answers: Answers, find: FindVoice) -> None:
        self.voices: tuple[Voice, ...] = (Voice(answers),)
        self._find = find

    def undo(self) -> bool:
        """Forget the last question and its answers; False when there is none."""
        if not self.voices[0].messages:
            return False
        for voice in self.voices:
            voice.messages = voice.messages[:-2]
        return True

    def reset(self) -> None:
        """Forget everything that was said."""
        for voice in self.voices:
            voice.messages = ()

    def choose(self, *names: str) -> None:
        """Let others answer from now on; they go on with the conversation that the first voice had.

        Raises:
            TuneloopError: there is nobody of such a name; nothing has changed then.
        """
        said = self.voices[0].messages
        self.voices = tuple([Voice(self._find(name), said) for name in names])


def _reset(chat: Chat, given: Sequence[str]) -> str:
    chat.reset()
    return text("serving.reset")


def _undo(chat: Chat, given: Sequence[str]) -> str:
    return text("serving.undone" if chat.undo() else "serving.nothing_to_undo")


def _adapter(chat: Chat, given: Sequence[str]) -> str:
    if len(given) != 1:
        raise UsageError("serving.adapter_names")
    chat.choose(given[0])
    return text("serving.now_answers", name=chat.voices[0].name)


def _compare(chat: Chat, given: Sequence[str]) -> str:
    """One name: it and who answers now; two: those; none: the base model and who answers now."""
    if len(given) > 2 or (len(given) < 2 and len(chat.voices) > 1):
        raise UsageError("serving.compare_names")
    names = tuple(given) if len(given) == 2 else (*(given or ("base",)), chat.voices[0].name)
    chat.choose(*names)
    return text("serving.now_both", left=chat.voices[0].name, right=chat.voices[1].name)


def _save(chat: Chat, given: Sequence[str]) -> str:
    """One conversation a line, in the form that every recipe reads; a file that exists is never overwritten."""
    if not chat.voices[0].messages:
        return text("serving.nothing_to_save")
    path = Path(" ".join(given) or time.strftime("chat-%Y%m%d-%H%M%S.jsonl")).expanduser()
    rows = [{"messages": [m.model_dump() for m in voice.messages], "model": voice.name} for voice in chat.voices]
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    except OSError as error:
        raise UsageError("serving.not_saved", file=path, problem=error.strerror or str(error)) from error
    return text("serving.saved", path=path)


COMMANDS: dict[str, Callable[[Chat, Sequence[str]], str]] = {
    "/adapter": _adapter,
    "/compare": _compare,
    "/undo": _undo,
    "/reset": _reset,
    "/save": _save,
    "/help": lambda chat, given: text("serving.commands"),
}
"""What may be typed instead of a question: a function that acts on the words after it and says what it did.
`/exit` ends the conversation."""

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
        command, *given = typed.split()
        try:
            if command in COMMANDS:
                note(COMMANDS[command](chat, given))
            elif command.startswith("/") and "/" not in command[1:] and not given:
                note(text("serving.command_unknown", command=command))
            else:
                _answer(chat, typed, write, note)
        except TuneloopError as error:  # an unknown name, too long a conversation: the next line may be better
            note(str(error))


def _answer(chat: Chat, question: str, write: Callable[[str], None], note: Callable[[str], None]) -> None:
    """All voices answer, one after the other; when one breaks off, the conversation is as it was before the question."""
    before = [voice.messages for voice in chat.voices]
    try:
        for voice in chat.voices:
            if len(chat.voices) > 1:
                note(text("serving.speaks", name=voice.name))
            _say(voice, question, write, note if len(chat.voices) > 1 else None)
    except BaseException:
        for voice, messages in zip(chat.voices, before, strict=True):
            voice.messages = messages
        raise


def _say(voice: Voice, question: str, write: Callable[[str], None], note: Callable[[str], None] | None) -> None:
    start, first = time.perf_counter(), None
    for piece in voice.ask(question):
        first = first or time.perf_counter() - start
        write(piece)
    write("\n")
    if note is not None:
        seconds = time.perf_counter() - start
        note(text("serving.spoke", first=f"{1000 * (first or seconds):.0f}", seconds=f"{seconds:.1f}"))
