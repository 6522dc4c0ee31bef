"""What goes out over HTTP, for the OpenAPI page: OpenAI's objects. Answers are built in `completions.py`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel


class Error(BaseModel):
    """What went wrong and what to do."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorBody(BaseModel):
    """OpenAI's error object."""

    error: Error


class Usage(BaseModel):
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AnswerMessage(BaseModel):
    """An answer."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None
    tool_calls: list[dict[str, Any]] | None = None


class ChatChoice(BaseModel):
    """One of the `n` answers."""

    index: int
    message: AnswerMessage
    finish_reason: str
    logprobs: dict[str, Any] | None


class TextChoice(BaseModel):
    """One of the `n` continuations."""

    index: int
    text: str
    finish_reason: str
    logprobs: dict[str, Any] | None


class Routing(BaseModel):
    """With `model: auto`: which adapter was chosen, and how sure the router was."""

    model: str
    score: float
    """Probability of the nearest adapter among those that the key may use."""
    similarity: float
    """Cosine to its nearest training question."""
    reason: Literal["chosen", "general", "unlike", "unsure", "none"]
    """`chosen`; otherwise the base model answers: no training question is near enough, or two adapters are as near."""


class _Completion(BaseModel):
    id: str
    created: int
    model: str
    """The version that answered."""
    usage: Usage
    routing: Routing | None = None


class ChatCompletion(_Completion):
    """An answer to a conversation."""

    object: Literal["chat.completion"]
    choices: list[ChatChoice]


class TextCompletion(_Completion):
    """A continuation of a text."""

    object: Literal["text_completion"]
    choices: list[TextChoice]


class ModelCard(BaseModel):
    """What `model` may be."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    parent: str | None
    root: str


class ModelList(BaseModel):
    """All of them."""

    object: Literal["list"]
    data: list[ModelCard]


class AdapterState(BaseModel):
    """Whether an adapter is in memory."""

    model: str
    status: Literal["loaded", "unloaded"]


class FeedbackReceipt(BaseModel):
    """Feedback that is stored."""

    id: str
    object: Literal["feedback"]
    created_at: str
    response_id: str
    model: str


class Health(BaseModel):
    """State of the process."""

    status: str


ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorBody, "description": "The request can't be answered"},
    "5XX": {"model": ErrorBody, "description": "The server can't answer"},
}
"""For every route."""


def streamed_or(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """An answer, or with `stream` a stream of events."""
    events = {"text/event-stream": {"schema": {"type": "string"}}}
    return {200: {"model": model, "content": events, "description": "The answer"}, **ERRORS}
