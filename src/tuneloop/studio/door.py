"""What stands before the page: who may open it, and what its browser may load."""

from __future__ import annotations

import base64
import binascii

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tuneloop.core.errors import NotAllowedError
from tuneloop.serving.http_errors import error_response
from tuneloop.serving.keys import KeyRing
from tuneloop.store.access import Key

POLICY = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'"
"""The browser loads nothing from elsewhere, whatever an answer or a library would like."""

VERBS = ("generate", "feedback")
"""What the page does in a person's name."""


class Door:
    """Asks for a key where the server has keys: the browser's own dialog (HTTP Basic), any name, the key as password.

    The page shows every adapter and counts nothing, so a key that is limited to some adapters or to a rate stays outside.

    Args:
        app: what answers.
        keys: the server's.
        path: where the page is.
    """

    def __init__(self, app: ASGIApp, keys: KeyRing, path: str) -> None:
        self._app = app
        self._keys = keys
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] not in ("http", "websocket") or not (path == self._path or path.startswith(f"{self._path}/")):
            await self._app(scope, receive, send)
            return
        try:
            self._let_in(dict(scope["headers"]).get(b"authorization", b""))
        except NotAllowedError as error:
            response = error_response(error)
            response.status_code = 401
            response.headers["WWW-Authenticate"] = 'Basic realm="tuneloop", charset="UTF-8"'
            await response(scope, receive, send)
            return
        await self._app(scope, receive, _with_policy(send))

    def _let_in(self, authorization: bytes) -> None:
        key = self._keys.who(_password(authorization))
        missing = [verb for verb in VERBS if not key.may(verb)]
        if missing or not _is_free(key):
            raise NotAllowedError("access.not_allowed", role=key.role, verb=missing[0] if missing else "studio")


def _is_free(key: Key) -> bool:
    return key.adapters is None and key.requests_per_minute is None and key.tokens_per_minute is None


def _password(authorization: bytes) -> str | None:
    """The password of HTTP Basic; None where there is none.

    >>> _password(b"Basic " + base64.b64encode(b"me:tl_secret")), _password(b"Bearer x"), _password(b"Basic ?")
    ('tl_secret', None, None)
    """
    kind, _, given = authorization.partition(b" ")
    if kind.lower() != b"basic":
        return None
    try:
        return base64.b64decode(given, validate=True).decode("utf-8").partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _with_policy(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (b"content-security-policy", POLICY)]
        await send(message)

    return sent
