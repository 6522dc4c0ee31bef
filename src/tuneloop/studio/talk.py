"""A conversation with two arms: what was asked, what each answered, and how both answer the next question together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from tuneloop.core.errors import TuneloopError
from tuneloop.core.messages import Language
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.evaluation.script import Script, Violation, check, judges
from tuneloop.serving.completion_routes import choose_model
from tuneloop.serving.completions import Reply, begin, spoken
from tuneloop.serving.served import AUTO, Model
from tuneloop.serving.wire import ChatMessage, ChatRequest
from tuneloop.store.access import LOCAL
from tuneloop.studio.desk import Desk

FRAME_SECONDS = 0.08
"""How often the page is told what is new: fluent to the eye, and no flood."""

STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Spoken:
    """One arm's answer, in the making or finished."""

    model: str
    """Who answered: `bank-service@v0003`, `base`, `base+script`."""
    is_routed: bool = False
    """Whether the router chose who answers."""
    response_id: str = ""
    text: str = ""
    finish_reason: str | None = None
    """`stop`, `length`, `stopped` (by the person), `error`; None while it is in the making."""
    first_token_seconds: float = 0.0
    seconds: float = 0.0
    tokens: int = 0
    judged: int | None = None
    """Rules of the script that had something to say; None without a script."""
    violations: tuple[Violation, ...] = ()
    error: str = ""

    @property
    def is_rateable(self) -> bool:
        """Whether there is an answer to speak about; one of no words may need a correction most."""
        return self.finish_reason in ("stop", "length", STOPPED) and bool(self.response_id)


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and both answers."""

    question: str
    sides: tuple[Spoken, Spoken]


Turns = tuple[Turn, ...]


def history(turns: Turns, side: int) -> tuple[Message, ...]:
    """The conversation as one side had it; an answer that failed was never said.

    >>> turn = Turn("Hi", (Spoken("base", text="Hello", finish_reason="stop"), Spoken("b", finish_reason="error")))
    >>> [message.content for message in history((turn,), 0)], history((turn,), 1)
    (['Hi', 'Hello'], ())
    """
    return tuple(
        message
        for turn in turns
        if turn.sides[side].text
        for message in (
            Message(role="user", content=turn.question),
            Message(role="assistant", content=turn.sides[side].text),
        )
    )


def stopped(turns: Turns) -> Turns:
    """The conversation after the person broke the last answers off."""
    if not turns:
        return turns
    last = turns[-1]
    left, right = (
        side if side.finish_reason is not None else replace(side, finish_reason=STOPPED) for side in last.sides
    )
    return (*turns[:-1], Turn(last.question, (left, right)))


@dataclass(frozen=True, slots=True)
class Wish:
    """How the next question is to be answered."""

    arms: tuple[Model, Model]
    script: Script | None
    max_new_tokens: int
    temperature: float
    language: Language


async def answer(desk: Desk, turns: Turns, question: str, wish: Wish) -> AsyncIterator[Turns]:
    """Let both arms answer at the same time; gives the conversation again and again, as it grows.

    Leaving the iterator early ends both answers. What goes wrong on one side is told there, and the other goes on.
    """
    sides = [Spoken(model.name) for model in wish.arms]
    news = asyncio.Event()

    async def speak(side: int) -> None:
        try:
            async for said in _answers(desk, history(turns, side), question, wish, side):
                sides[side] = said
                news.set()
        except TuneloopError as error:
            told = f"{error.message(wish.language)} {error.hint(wish.language)}"
            sides[side] = replace(sides[side], finish_reason="error", error=told)
        news.set()

    tasks = [asyncio.create_task(speak(side)) for side in (0, 1)]
    try:
        while not all(task.done() for task in tasks):
            news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), 1.0)
            yield (*turns, Turn(question, (sides[0], sides[1])))
            await asyncio.sleep(FRAME_SECONDS)
        for task in tasks:
            task.result()
        yield (*turns, Turn(question, (sides[0], sides[1])))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _answers(
    desk: Desk, before: tuple[Message, ...], question: str, wish: Wish, side: int
) -> AsyncIterator[Spoken]:
    model = wish.arms[side]
    asked = (*before, Message(role="user", content=question))
    body = ChatRequest(
        model=model.name,
        messages=[ChatMessage(role=message.role, content=message.content) for message in asked],
        max_tokens=wish.max_new_tokens,
        temperature=wish.temperature,
    )
    routing = None
    if model.name == AUTO:
        model, routing = await choose_model(desk.server, body, LOCAL)
    template = desk.models.loaded.template
    reply = begin(body, model, template, desk.backend, longest=desk.config.max_new_tokens)
    reply.routing = routing
    choice = reply.choices[0]
    pieces = spoken(choice, desk.backend, desk.config.deadline_seconds)
    with desk.server.meters.watching(reply):
        try:
            async for _ in pieces:
                yield _so_far(reply)
        finally:
            await pieces.aclose()
    said = replace(_so_far(reply), text=choice.pieces.text, finish_reason=choice.finish_reason)
    if wish.script is not None:
        judged, violations = judge(wish.script, asked, said, desk.held_out.get(question))
        said = replace(said, judged=judged, violations=violations)
    yield said


def _so_far(reply: Reply) -> Spoken:
    choice = reply.choices[0]
    handle = choice.handle
    return Spoken(
        reply.model.name,
        reply.routing is not None,
        reply.id,
        choice.pieces.text.rstrip("\ufffd"),
        first_token_seconds=handle.first_token_seconds,
        seconds=handle.seconds,
        tokens=len(handle.ids),
    )


def judge(
    script: Script, asked: Sequence[Message], said: Spoken, known: Sample | None
) -> tuple[int, tuple[Violation, ...]]:
    """Hold an answer against the script.

    Args:
        script: the rules.
        asked: the conversation before the answer.
        said: the answer.
        known: the held-out row that asks the same, whose intent and values let the rules about them judge as well.

    Returns:
        How many rules had something to say, and what is broken, in the interface language.
    """
    tags = known.meta.tags if known is not None and len(asked) == 1 else {}
    messages = (*asked, Message(role="assistant", content=said.text))
    sample = Sample(id="studio", messages=messages, meta=Meta(source="studio", row=1, lang=script.language, tags=tags))
    return len(judges(script, sample)), check(script, sample, said.text, said.finish_reason or "stop")
