"""Feedback on answers: the newest answers are remembered for it, and what is said is masked and stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from tuneloop.core.errors import NotFoundError
from tuneloop.core.records import Message
from tuneloop.store.feedback import Feedback, add
from tuneloop.store.private import pseudonym_key
from tuneloop.store.workspace import Workspace
from tuneloop.text.language import detect_language
from tuneloop.text.personal.mask import mask_texts

REMEMBERED_BYTES = 32 * 2**20
"""Memory for answers that feedback may still come for."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was given."""

    id: str
    model: str
    messages: tuple[Message, ...]
    answer: str
    key_id: str = ""
    """The API key that asked; nobody else may speak about it."""


class RecentAnswers:
    """The newest answers, in memory only.

    Args:
        max_bytes: memory for them, about; the oldest go first.
    """

    def __init__(self, max_bytes: int = REMEMBERED_BYTES) -> None:
        self._max_bytes = max_bytes
        self._answers: OrderedDict[str, Answered] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def remember(self, answered: Answered) -> None:
        """Keep an answer; older ones may be forgotten for it."""
        with self._lock:
            self._answers[answered.id] = answered
            self._bytes += _size(answered)
            while self._bytes > self._max_bytes and self._answers:
                self._bytes -= _size(self._answers.popitem(last=False)[1])

    def find(self, response_id: str, key_id: str = "") -> Answered:
        """The answer with this id.

        Raises:
            NotFoundError: there is none, or it is somebody else's (code `serving.response_unknown`).
        """
        with self._lock:
            found = self._answers.get(response_id)
        if found is None or found.key_id != key_id:
            raise NotFoundError("serving.response_unknown", id=response_id[:80])
        return found


def keep(workspace: Workspace, said: Feedback) -> Feedback:
    """Mask what was said and store it: for the API and the page.

    Raises:
        TuneloopError: what the database and the workspace's key raise.
    """
    key = pseudonym_key(workspace)

    def mask(texts: Sequence[str]) -> list[str]:
        language = detect_language("\n".join(texts)) or "en"
        return [masked.text for masked in mask_texts(texts, language=language, key=key)]

    return add(workspace, said, mask)


def _size(answered: Answered) -> int:
    texts = [answered.answer, *(message.content for message in answered.messages)]
    return 500 + 2 * sum(map(len, texts))
