"""Bodies: no larger and no deeper than allowed, whatever their headers say."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message

from tuneloop.serving.bounds import MOST_DEPTH, BoundedBodies, depth_of

JSON = st.recursive(
    st.none() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)


def real_depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(real_depth, inner), default=0)


@settings(max_examples=40)
@given(JSON, st.booleans())
def test_the_depth_of_a_body_is_that_of_its_json(value: Any, ascii_only: bool) -> None:
    assert depth_of(json.dumps(value, ensure_ascii=ascii_only).encode()) == real_depth(value)


def send(*parts: bytes) -> tuple[int, bytes]:
    """Status of the answer, and the body that reached the application (empty: none did)."""
    reached: list[bytes] = []
    status: list[int] = []
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": place < len(parts) - 1} for place, part in enumerate(parts)
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def respond(message: Message) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append((await receive())["body"])
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    scope = {"type": "http", "path": "/v1/x", "method": "POST", "headers": []}
    asyncio.run(BoundedBodies(app, limit=1000)(scope, receive, respond))
    return status[0], b"".join(reached)


def test_a_body_in_parts_arrives_whole_and_the_disconnect_after_it() -> None:
    assert send(b"[1,", b"2", b"]") == (200, b"[1,2]")


def test_a_body_that_grows_too_large_or_too_deep_reaches_nobody() -> None:
    assert send(*[b"x" * 100] * 11) == (413, b"")
    assert send(b"[" * (MOST_DEPTH + 1)) == (400, b"")
    assert send(b'"' + b"[" * 500 + b'"') == (200, b'"' + b"[" * 500 + b'"')
