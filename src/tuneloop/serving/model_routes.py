"""`/v1/models`, and adapters in and out of memory by their registered names."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Security
from pydantic import BaseModel, ConfigDict, Field

from tuneloop.core.errors import NotFoundError, UsageError
from tuneloop.registry.versions import meant_by_bare_names
from tuneloop.serving.documents import ERRORS, AdapterState, ModelCard, ModelList
from tuneloop.serving.served import AUTO, BASE
from tuneloop.serving.server import BEARER, Server
from tuneloop.store.access import Key

LONGEST_NAME = 200


class LoadRequest(BaseModel):
    """Which adapter is to be kept ready."""

    model_config = ConfigDict(extra="forbid", strict=True)

    lora_name: str = Field(min_length=1, max_length=LONGEST_NAME)
    """A registered adapter: `bank`, `bank@v0003` or `bank@production`."""
    lora_path: str | None = None
    """Refused: adapters come from the registry, never from a path."""
    pinned: bool = False
    """Keep it in memory whatever happens."""


class UnloadRequest(BaseModel):
    """Which adapter is to leave memory."""

    model_config = ConfigDict(extra="forbid", strict=True)

    lora_name: str = Field(min_length=1, max_length=LONGEST_NAME)


def add_models(app: FastAPI, server: Server) -> None:
    """Add the routes."""

    @app.get("/v1/models", tags=["models"], responses=ERRORS, dependencies=[Security(BEARER)])
    def list_models(request: Request) -> ModelList:
        """What `model` may be."""
        key = server.allow(request, "models")
        return ModelList(object="list", data=[ModelCard.model_validate(card) for card in _cards(server, key)])

    @app.get("/v1/models/{model}", tags=["models"], responses=ERRORS, dependencies=[Security(BEARER)])
    def get_model(model: str, request: Request) -> ModelCard:
        """One of them."""
        key = server.allow(request, "models")
        if len(model) > LONGEST_NAME:
            raise NotFoundError("serving.model_unknown", name=model[:60])
        if model == AUTO and server.models.adapters(key):
            return ModelCard.model_validate(_card(AUTO, None, AUTO))
        found = server.models.find(model, key)
        return ModelCard.model_validate(_card(model, None if found.adapter is None else BASE, found.name))

    @app.post("/v1/load_lora_adapter", tags=["models"], responses=ERRORS, dependencies=[Security(BEARER)])
    def load(body: LoadRequest, request: Request) -> AdapterState:
        """Read an adapter before anybody asks for it."""
        key = server.allow(request, "adapters")
        if body.lora_path is not None:
            raise UsageError("serving.path_refused")
        label = _adapter(server, body.lora_name, key)
        server.backend.load(label, pinned=body.pinned)
        return AdapterState(model=label, status="loaded")

    @app.post("/v1/unload_lora_adapter", tags=["models"], responses=ERRORS, dependencies=[Security(BEARER)])
    def unload(body: UnloadRequest, request: Request) -> AdapterState:
        """Let an adapter leave memory; requests under way finish with it, the next one reads it again."""
        key = server.allow(request, "adapters")
        label = _adapter(server, body.lora_name, key)
        if not server.backend.unload(label):
            raise NotFoundError("serving.not_in_memory", name=label)
        return AdapterState(model=label, status="unloaded")


def _adapter(server: Server, name: str, key: Key) -> str:
    found = server.models.find(name, key)
    if found.adapter is None:
        raise NotFoundError("serving.not_in_memory", name=name)
    return found.adapter


def _cards(server: Server, key: Key) -> list[dict[str, Any]]:
    """The base model, every adapter by its bare name, and every version and alias that exist for the key."""
    found = [_card(BASE, None, server.models.base_name)] if key.may_use(BASE) else []
    adapters = server.models.adapters(key)
    if adapters:
        found.append(_card(AUTO, None, AUTO))
    found += [_card(name, BASE, adapter.label) for name, adapter in meant_by_bare_names(adapters).items()]
    for adapter in adapters:
        for id_ in (adapter.label, *(f"{adapter.name}@{alias}" for alias in adapter.aliases)):
            found.append(_card(id_, BASE, adapter.label))
    return found


def _card(id_: str, parent: str | None, root: str) -> dict[str, Any]:
    return {"id": id_, "object": "model", "created": 0, "owned_by": "tuneloop", "parent": parent, "root": root}
