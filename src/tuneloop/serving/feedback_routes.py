"""`POST /v1/feedback`: what somebody says about an answer of this server."""

from __future__ import annotations

from typing import Literal

from fastapi import FastAPI, Request, Security
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tuneloop.core.errors import UsageError
from tuneloop.serving.documents import ERRORS, FeedbackReceipt
from tuneloop.serving.feedback import keep
from tuneloop.serving.server import BEARER, Server
from tuneloop.store.feedback import LONGEST, Feedback


class FeedbackRequest(BaseModel):
    """What is said."""

    model_config = ConfigDict(extra="forbid", strict=True)

    response_id: str = Field(min_length=1, max_length=64)
    """`id` of the answer; of the further ones of `n`: `id-1`, `id-2`, …"""
    kind: Literal["thumbs", "choice", "correction"]
    value: Literal["up", "down", "left", "right", "tie", "corrected"]
    """`up` or `down`; `left` (the answer), `right` (the other one) or `tie`; `corrected`."""
    corrected: str | None = Field(default=None, max_length=LONGEST)
    """The answer as it should have been."""
    other_response_id: str | None = Field(default=None, min_length=1, max_length=64)
    """For `choice`: the other answer to the same question."""
    user: str = Field(default="", max_length=200)
    """Who says it, as the client calls them."""


def add_feedback(app: FastAPI, server: Server) -> None:
    """Add the route."""

    @app.post("/v1/feedback", tags=["feedback"], responses=ERRORS, dependencies=[Security(BEARER)])
    def feedback(body: FeedbackRequest, request: Request) -> FeedbackReceipt:
        """Store feedback, masked; when the response is there, it is on the disk. It can be retried."""
        key = server.allow(request, "feedback")
        server.keys.take_request(key)
        answered = server.recent.find(body.response_id, key.id)
        other = None if body.other_response_id is None else server.recent.find(body.other_response_id, key.id)
        try:
            said = Feedback(
                response_id=answered.id,
                model=answered.model,
                messages=answered.messages,
                answer=answered.answer,
                kind=body.kind,
                value=body.value,
                corrected=body.corrected,
                other_response_id=None if other is None else other.id,
                other_model=None if other is None else other.model,
                other_answer=None if other is None else other.answer,
                user=f"{key.id}:{body.user}" if key.id else body.user,
            )
        except ValidationError as error:
            raise UsageError("serving.body_invalid", field="value", problem=error.errors()[0]["msg"]) from error
        kept = keep(server.models.workspace, said)
        return FeedbackReceipt(
            id=kept.id, object="feedback", created_at=kept.created_at, response_id=kept.response_id, model=kept.model
        )
