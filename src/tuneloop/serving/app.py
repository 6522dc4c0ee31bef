"""The HTTP application: OpenAI's routes over one engine."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Security
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from tuneloop.core.messages import text
from tuneloop.core.version import __version__
from tuneloop.serving.backend import Backend
from tuneloop.serving.bounds import BoundedBodies
from tuneloop.serving.completion_routes import add_completions
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.documents import ERRORS, Health
from tuneloop.serving.feedback_routes import add_feedback
from tuneloop.serving.http_errors import catch_errors
from tuneloop.serving.keys import KeyRing
from tuneloop.serving.meters import Meters
from tuneloop.serving.model_routes import add_models
from tuneloop.serving.routers import Routers
from tuneloop.serving.served import ServedModels
from tuneloop.serving.server import BEARER, Server

DRAIN_SECONDS = 30.0
UPLOADS = ("/studio",)
"""What looks after the size of bodies itself."""

log = logging.getLogger("tuneloop.serving")


def make_app(models: ServedModels, backend: Backend, config: ServingConfig, *, keys_required: bool = False) -> FastAPI:
    """Make the application; `app.state.server` is what its routes share.

    Args:
        models: what it serves.
        backend: what generates; it is drained when the application ends.
        config: limits.
        keys_required: ask for a key even while none was made.
    """
    keys = KeyRing(models.workspace, required=keys_required)
    server = Server(models, backend, config, Meters(backend), keys, Routers(models.workspace))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        if not backend.drain(DRAIN_SECONDS):
            log.warning(text("serving.drained_late", seconds=f"{DRAIN_SECONDS:.0f}"))

    app = FastAPI(title="tuneloop", version=__version__, lifespan=lifespan)
    app.state.server = server
    catch_errors(app)
    app.add_middleware(BoundedBodies, limit=config.max_body_bytes, but=UPLOADS)
    _add_health(app, server)
    add_models(app, server)
    add_completions(app, server)
    add_feedback(app, server)
    return app


def _add_health(app: FastAPI, server: Server) -> None:
    @app.get("/health", tags=["operations"])
    async def health() -> Health:
        """The process runs."""
        return Health(status="ok")

    @app.get("/ready", tags=["operations"], response_model=Health, responses={503: {"model": Health}})
    async def ready() -> JSONResponse:
        """The model is loaded, and requests are taken."""
        is_ready = server.backend.alive
        return JSONResponse({"status": "ready" if is_ready else "not ready"}, 200 if is_ready else 503)

    metrics_responses = {200: {"content": {"text/plain": {}}}, **ERRORS}

    @app.get(
        "/metrics",
        tags=["operations"],
        response_class=Response,
        responses=metrics_responses,
        dependencies=[Security(BEARER)],
    )
    async def metrics(request: Request) -> Response:
        """Prometheus."""
        server.allow(request, "metrics")
        return Response(generate_latest(server.meters.registry), media_type=CONTENT_TYPE_LATEST)
