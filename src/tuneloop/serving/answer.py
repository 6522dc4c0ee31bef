"""What answers: a model, the adapter merged into it, and the chat template that it was trained with. Text in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tuneloop.adapters.merge import adapted
from tuneloop.core.errors import UsageError
from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Message
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import FinishReason, Request, Sampling
from tuneloop.models.load import LoadedModel, load_model
from tuneloop.serving.named import Named
from tuneloop.serving.pieces import Pieces

MAX_NEW_TOKENS = 512
"""Longest answer of chat and prediction, unless told otherwise."""

Conversation = Sequence[Message | Mapping[str, Any]]
"""Messages as records, or as `{"role": …, "content": …}`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer and how it ended."""

    text: str
    finish_reason: FinishReason
    """`stop`: the model ended by itself; `length`: it was cut."""
    tokens: int
    first_token_seconds: float
    seconds: float


class Answerer:
    """Answers conversations.

    Args:
        loaded: the base model.
        engine: what generates; others may share it.
        name: what people call this model: `bank-service@v0003`, or `base:smollm2-135m`.
        adapter: the engine's name of the adapter; None: the engine's own model answers.
        system: system message put before a conversation that has none, as in the training.
        sampling: how tokens are chosen; greedy by default.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        engine: Engine,
        *,
        name: str,
        adapter: str | None = None,
        system: str | None = None,
        sampling: Sampling | None = None,
    ) -> None:
        self.name = name
        self.system = system
        self.template = loaded.template
        self._adapter = adapter
        self._sampling = sampling or Sampling(max_new_tokens=MAX_NEW_TOKENS)
        self._context = int(getattr(loaded.model.config, "max_position_embeddings", None) or 2**31)
        self._engine = engine

    def __repr__(self) -> str:
        return f"<Answerer {self.name}>"

    def answer(self, messages: Conversation) -> str:
        """Return the answer to a conversation that ends with the user's turn.

        Raises:
            UsageError: the messages can't be used (code `serving.message_invalid`, `serving.no_question`), or they
                fill the model's context (`serving.prompt_too_long`).
        """
        return self.answer_many([messages])[0].text

    def stream(self, messages: Conversation) -> Iterator[str]:
        """Return the answer piece by piece, as it is made.

        Raises:
            UsageError: as `answer`.
        """
        return self._pieces(self._request(messages))

    def answer_many(self, conversations: Sequence[Conversation], *, progress: Progress = SILENT) -> list[Answer]:
        """Answer conversations together, in their order; equal ones are answered once.

        Raises:
            UsageError: as `answer`; `row` is the number of the conversation.
        """
        places: dict[Request, list[int]] = {}
        for place, conversation in enumerate(conversations):
            places.setdefault(self._request(conversation, row=place + 1), []).append(place)
        answers: dict[int, Answer] = {}
        with progress.track(text("serving.answering"), len(conversations), text("serving.unit_answers")) as tracker:
            for completion in self._engine.generate(places):
                answer = Answer(
                    text=self.template.decode(completion.ids),
                    finish_reason=completion.finish_reason,
                    tokens=len(completion.ids),
                    first_token_seconds=completion.first_token_seconds,
                    seconds=completion.seconds,
                )
                answers |= dict.fromkeys(places[completion.request], answer)
                tracker.advance(len(places[completion.request]))
        return [answers[place] for place in range(len(conversations))]

    def _pieces(self, request: Request) -> Iterator[str]:
        pieces = Pieces(self.template.decode)
        for token in self._engine.stream(request):
            yield pieces.add([token])
        yield pieces.finish()

    def _request(self, conversation: Conversation, row: int | None = None) -> Request:
        messages = as_messages(conversation, row=row)
        if self.system is not None and messages[0].role != "system":
            messages = (Message(role="system", content=self.system), *messages)
        ids = self.template.prompt(messages)
        room = self._context - len(ids)
        if room < 1:
            raise UsageError("serving.prompt_too_long", row=row, tokens=len(ids), limit=self._context)
        limit = min(self._sampling.max_new_tokens, room)
        sampling = replace(self._sampling, max_new_tokens=limit)
        return Request(ids, adapter=self._adapter, sampling=sampling, stop_ids=self.template.stop_ids)


def load_answerer(
    named: Named, *, max_new_tokens: int | None = None, batch_size: int = 32, progress: Progress = SILENT
) -> Answerer:
    """Load the model, merge the adapter into it, and return what answers.

    Raises:
        TuneloopError: everything that loading a model raises; `adapters.base_differs` when the base is another.
    """
    loaded = load_model(named.model, progress=progress)
    return Answerer(
        loaded,
        merged_engine(loaded, named.folder, batch_size=batch_size),
        name=named.name,
        system=named.system,
        sampling=Sampling(max_new_tokens=max_new_tokens or MAX_NEW_TOKENS),
    )


def merged_engine(loaded: LoadedModel, folder: Path | None, *, batch_size: int = 32) -> Engine:
    """An engine of one model: the base, or a copy with the adapter in `folder` in it: merged where its method merges.

    Raises:
        ArtifactError: the adapter is missing, damaged, or was trained on another base.
    """
    return Engine(loaded.model if folder is None else adapted(loaded, folder), batch_size=batch_size)


def as_messages(conversation: Conversation, row: int | None = None) -> tuple[Message, ...]:
    """Check a conversation that is to be answered.

    Raises:
        UsageError: a message is none (code `serving.message_invalid`), or there is nothing to answer
            (`serving.no_question`).

    >>> as_messages([{"role": "user", "content": "Hi"}])
    (Message(role='user', content='Hi'),)
    """
    try:
        messages = tuple(m if isinstance(m, Message) else Message.model_validate(dict(m)) for m in conversation)
    except (ValidationError, TypeError, ValueError) as error:
        raise UsageError("serving.message_invalid", row=row, value=repr(conversation)[:80]) from error
    if not messages or messages[-1].role not in ("user", "tool") or not messages[-1].content.strip():
        raise UsageError("serving.no_question", row=row)
    return messages
