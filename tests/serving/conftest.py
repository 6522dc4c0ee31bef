"""A workspace with two tiny adapters that say different things, and a server's application over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from fastapi import FastAPI
from starlette.testclient import TestClient

from tuneloop.adapters.folder import save_adapter
from tuneloop.adapters.lora import attach_lora
from tuneloop.models.load import LoadedModel
from tuneloop.models.tiny import build_tiny
from tuneloop.registry.versions import register
from tuneloop.serving.app import make_app
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.served import ServedModels, make_engine
from tuneloop.serving.worker import Worker
from tuneloop.store.workspace import Workspace


def make_adapter(
    workspace: Workspace, name: str, seed: int, alias: str = "candidate", *, dataset: str | None = None
) -> None:
    """Register a random adapter of the tiny model, strong enough to change every answer."""
    loaded = build_tiny()
    model = attach_lora(loaded.model, r=4, lora_alpha=8, target_modules="all-linear", dropout=0.0, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for parameter_name, parameter in model.named_parameters():
        if "lora_B" in parameter_name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    run = workspace.runs / f"{name}-{seed}"
    run.mkdir(parents=True)
    inputs = {} if dataset is None else {"dataset": dataset}
    save_adapter(run / "adapter", model, loaded, card=CARD | {"name": name}, inputs=inputs, seed=seed)
    register(workspace, name=name, run_folder=run, base_model="tiny", run_id=run.name, alias=alias)
    model.unload()


CARD = {
    "steps": 1,
    "best_step": 1,
    "validation_loss": "1.0",
    "dataset": "d/1",
    "trained": 1,
    "share": 1.0,
}


@pytest.fixture(scope="session")
def adapter_maker() -> Callable[..., None]:
    return make_adapter


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("served")).ensure()
    make_adapter(made, "bank", 1)
    make_adapter(made, "legal", 2)
    return made


@pytest.fixture(scope="session")
def loaded() -> LoadedModel:
    return build_tiny()


@pytest.fixture(scope="session")
def app(workspace: Workspace, loaded: LoadedModel) -> Iterator[FastAPI]:
    config = ServingConfig(max_new_tokens=24, queue_limit=64, max_body_bytes=20_000)
    models = ServedModels(loaded, "tiny", workspace)
    worker = Worker(
        make_engine(models, loaded.model, batch_size=8, adapter_bytes=2**26), queue_limit=config.queue_limit
    )
    yield make_app(models, worker, config)
    worker.drain(10)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)
