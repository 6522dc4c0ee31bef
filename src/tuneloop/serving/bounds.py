"""Bounds on what comes in, before anything reads it: size and depth of bodies. Plain ASGI, so that streams and
disconnects pass through untouched."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tuneloop.core.errors import ResourceError, UsageError
from tuneloop.serving.http_errors import error_response

MOST_DEPTH = 64
"""Brackets that may stand within each other in a JSON body."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[{\]}]")


class BoundedBodies:
    """Reads no more of a body than is allowed, whatever its header says, and no deeper.

    Args:
        app: what answers.
        limit: bytes.
        but: beginnings of paths that look after themselves, such as a page with uploads.
    """

    def __init__(self, app: ASGIApp, limit: int, but: tuple[str, ...] = ()) -> None:
        self._app = app
        self._limit = limit
        self._but = but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._but):
            await self._app(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":  # left while sending
                return
            body += message.get("body", b"")
            if len(body) > self._limit:
                too_large = ResourceError("serving.body_too_large", size=f"> {self._limit}", limit=self._limit)
                await error_response(too_large)(scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        if depth_of(body) > MOST_DEPTH:
            problem = f"depth > {MOST_DEPTH}"
            await error_response(UsageError("serving.body_invalid", field="body", problem=problem))(
                scope, receive, send
            )
            return
        await self._app(scope, _first({"type": "http.request", "body": body, "more_body": False}, receive), send)


def depth_of(body: bytes) -> int:
    """Most brackets within each other, outside strings.

    >>> depth_of(b'{"a": [[1], "[[[["]}'), depth_of(b"")
    (3, 0)
    """
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _first(message: Message, receive: Receive) -> Receive:
    """Give the body that was read, then whatever comes: a disconnect."""
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return message

    return next_message
