"""From a request's body to an answer's: prompts in, OpenAI's objects out, whole or streamed."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from tuneloop.core.errors import UsageError
from tuneloop.core.records import Message
from tuneloop.engine.handle import Handle
from tuneloop.engine.request import Request, TokenLogprob
from tuneloop.models.template import ChatTemplate
from tuneloop.serving.backend import Backend
from tuneloop.serving.pieces import Pieces
from tuneloop.serving.served import Model
from tuneloop.serving.wire import ChatRequest, CompletionRequest
from tuneloop.text.tool_calls import ToolCall, call_text, find_calls, tools_text

Body = ChatRequest | CompletionRequest


@dataclass
class Choice:
    """One of the `n` answers in the making."""

    handle: Handle
    pieces: Pieces
    finish_reason: str | None = None


@dataclass
class Reply:
    """A request under way."""

    body: Body
    model: Model
    template: ChatTemplate
    messages: tuple[Message, ...]
    """What was read: the conversation, or the text of a plain completion as one turn."""
    prompt_tokens: int
    choices: list[Choice]
    routing: dict[str, Any] | None = None
    """With `model: auto`: what was chosen, and why."""
    id: str = ""
    created: int = field(default_factory=lambda: int(time.time()))

    def __post_init__(self) -> None:
        kind = "chatcmpl" if isinstance(self.body, ChatRequest) else "cmpl"
        self.id = self.id or f"{kind}-{uuid.uuid4().hex}"

    @property
    def usage(self) -> dict[str, int]:
        """Tokens read and written so far."""
        written = sum(len(choice.handle.ids) for choice in self.choices)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": self.prompt_tokens + written,
        }

    def frame(self, choices: list[dict[str, Any]], *, chunk: bool = False) -> dict[str, Any]:
        """What surrounds the choices."""
        kind = "chat.completion" if isinstance(self.body, ChatRequest) else "text_completion"
        suffix = ".chunk" if chunk and isinstance(self.body, ChatRequest) else ""
        return {
            "id": self.id,
            "object": kind + suffix,
            "created": self.created,
            "model": self.model.name,
            "choices": choices,
        }


def begin(body: Body, model: Model, template: ChatTemplate, backend: Backend, *, longest: int) -> Reply:
    """Put a request's answers into the engine's queue.

    Args:
        body: the request.
        model: what answers.
        template: the base model's.
        backend: what generates.
        longest: tokens that the server writes at most.

    Raises:
        UsageError: there is nothing to answer, or too much (codes `serving.no_question`, `serving.prompt_too_long`).
        TuneloopError: what the backend refuses.
    """
    context = backend.context
    messages, ids = _prompt(body, model, template)
    if len(ids) >= context:
        raise UsageError("serving.prompt_too_long", tokens=len(ids), limit=context)
    most = min(body.limit or longest, longest, context - len(ids))
    choices: list[Choice] = []
    try:
        for number in range(body.n):
            sampling = body.sampling(most=most, choice=number, logprobs=body.logprobs_wanted)
            request = Request(ids, adapter=model.adapter, sampling=sampling, stop_ids=template.stop_ids)
            choices.append(Choice(backend.submit(request), Pieces(template.decode, body.stops)))
    except BaseException:
        backend.cancel([choice.handle for choice in choices])
        raise
    return Reply(body, model, template, messages, len(ids), choices)


async def whole(reply: Reply, backend: Backend, *, deadline_seconds: float) -> dict[str, Any]:
    """Wait for all answers, and return OpenAI's object; leaving early ends all of them."""
    try:
        for choice in reply.choices:
            async for _ in spoken(choice, backend, deadline_seconds):
                pass
    finally:
        backend.cancel([choice.handle for choice in reply.choices])
    if isinstance(reply.body, ChatRequest):
        choices = [_chat_choice(reply, number, choice) for number, choice in enumerate(reply.choices)]
    else:
        before = reply.body.prompt if reply.body.echo else ""
        choices = [
            {
                "index": number,
                "text": before + choice.pieces.text,
                "finish_reason": choice.finish_reason,
                "logprobs": _text_logprobs(reply, choice),
            }
            for number, choice in enumerate(reply.choices)
        ]
    routing = {} if reply.routing is None else {"routing": reply.routing}
    return {**reply.frame(choices), "usage": reply.usage, **routing}


def question_of(body: Body) -> str:
    """What users said, as the router sees it."""
    if isinstance(body, CompletionRequest):
        return body.prompt
    return "\n".join(message.text for message in body.messages if message.role == "user")


async def streamed(reply: Reply, backend: Backend, *, deadline_seconds: float) -> AsyncIterator[str]:
    """Give the answers as server-sent events; what is asked for as `n` comes one answer after the other."""
    chat = isinstance(reply.body, ChatRequest)
    try:
        for number, choice in enumerate(reply.choices):
            if chat:
                yield _event(reply, number, {"role": "assistant", "content": ""}, None)
            async for piece in spoken(choice, backend, deadline_seconds):
                if piece:
                    yield _event(reply, number, {"content": piece} if chat else piece, None)
            yield _event(reply, number, {} if chat else "", choice.finish_reason)
    finally:
        backend.cancel([choice.handle for choice in reply.choices])
    if reply.body.stream_options and reply.body.stream_options.include_usage:
        yield _line({**reply.frame([], chunk=True), "usage": reply.usage})
    yield "data: [DONE]\n\n"


async def spoken(choice: Choice, backend: Backend, deadline_seconds: float) -> AsyncGenerator[str, None]:
    """The text of one answer as it becomes certain; the finish reason stands in the choice afterwards."""
    async for ids in backend.tokens(choice.handle, deadline_seconds=deadline_seconds):
        yield choice.pieces.add(ids)
        if choice.pieces.stopped:
            choice.finish_reason = "stop"
            choice.handle.cancel()
            return
    yield choice.pieces.finish()
    choice.finish_reason = choice.handle.reason


def _prompt(body: Body, model: Model, template: ChatTemplate) -> tuple[tuple[Message, ...], tuple[int, ...]]:
    """What is read: as messages, and as tokens."""
    if isinstance(body, CompletionRequest):
        ids = template.plain(body.prompt)
        if not ids:
            raise UsageError("serving.no_question")
        return (Message(role="user", content=body.prompt),), ids
    messages = _messages(body)
    if messages[-1].role not in ("user", "tool") or not messages[-1].content.strip():
        raise UsageError("serving.no_question")
    if model.system is not None and messages[0].role != "system":
        messages = [Message(role="system", content=model.system), *messages]
    return tuple(messages), template.prompt(messages)


def _messages(body: ChatRequest) -> list[Message]:
    """OpenAI's messages as ours: calls of tools become text, as in the training data."""
    messages: list[Message] = []
    for given in body.messages:
        content = given.text
        if given.tool_calls:
            functions = [call.get("function", {}) for call in given.tool_calls]
            calls = [ToolCall(str(f.get("name", "")), _arguments(f.get("arguments"))) for f in functions]
            content = "\n".join(part for part in (content, call_text(calls)) if part)
        messages.append(Message(role="system" if given.role == "developer" else given.role, content=content))
    if body.tools and body.tool_choice != "none":
        described = tools_text(body.tools)
        if messages[0].role == "system":
            messages[0] = Message(role="system", content=f"{messages[0].content}\n{described}")
        else:
            messages.insert(0, Message(role="system", content=described))
    return messages


def _arguments(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _chat_choice(reply: Reply, number: int, choice: Choice) -> dict[str, Any]:
    said, calls = find_calls(choice.pieces.text) if _has_tools(reply.body) else (choice.pieces.text, [])
    message: dict[str, Any] = {"role": "assistant", "content": said, "refusal": None}
    if calls:
        message["content"] = said or None
        message["tool_calls"] = [
            {
                "id": f"call_{uuid.uuid4().hex[:24]}",
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": call.arguments
                    if isinstance(call.arguments, str)
                    else json.dumps(call.arguments, ensure_ascii=False),
                },
            }
            for call in calls
        ]
    reason = "tool_calls" if calls else choice.finish_reason
    return {"index": number, "message": message, "finish_reason": reason, "logprobs": _chat_logprobs(reply, choice)}


def _has_tools(body: Body) -> bool:
    return isinstance(body, ChatRequest) and bool(body.tools)


def _chat_logprobs(reply: Reply, choice: Choice) -> dict[str, Any] | None:
    if reply.body.logprobs_wanted is None:
        return None
    return {"content": [_token(reply, *pair) for pair in zip(choice.handle.ids, choice.handle.logprobs, strict=False)]}


def _token(reply: Reply, token: int, found: TokenLogprob) -> dict[str, Any]:
    def shown(token: int, logprob: float) -> dict[str, Any]:
        text = reply.template.decode([token])
        return {"token": text, "logprob": logprob, "bytes": list(text.encode())}

    return {**shown(token, found.logprob), "top_logprobs": [shown(*pair) for pair in found.top]}


def _text_logprobs(reply: Reply, choice: Choice) -> dict[str, Any] | None:
    if reply.body.logprobs_wanted is None:
        return None
    decode = reply.template.decode
    tokens = [decode([token]) for token in choice.handle.ids]
    offsets = [sum(map(len, tokens[:place])) for place in range(len(tokens))]
    return {
        "tokens": tokens,
        "token_logprobs": [found.logprob for found in choice.handle.logprobs],
        "top_logprobs": [{decode([t]): p for t, p in found.top} for found in choice.handle.logprobs],
        "text_offset": offsets,
    }


def _event(reply: Reply, number: int, delta: Any, finish_reason: str | None) -> str:
    key = "delta" if isinstance(reply.body, ChatRequest) else "text"
    choice = {"index": number, key: delta, "finish_reason": finish_reason, "logprobs": None}
    return _line(reply.frame([choice], chunk=True))


def _line(value: Any) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
