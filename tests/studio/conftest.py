"""A desk over a workspace of two tiny adapters, as `tuneloop serve` puts it together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tuneloop.core.messages import set_language
from tuneloop.models.load import LoadedModel
from tuneloop.models.tiny import build_tiny
from tuneloop.serving.app import make_app
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.served import ServedModels, make_engine
from tuneloop.serving.worker import Worker
from tuneloop.store.workspace import Workspace
from tuneloop.studio.desk import Desk

from ..serving.conftest import make_adapter


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    set_language("en")
    yield
    set_language(None)


@pytest.fixture(scope="session")
def loaded() -> LoadedModel:
    return build_tiny()


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedModel) -> Iterator[Desk]:
    workspace = Workspace(tmp_path_factory.mktemp("studio")).ensure()
    make_adapter(workspace, "bank", 1)
    make_adapter(workspace, "legal", 2)
    recipe = workspace.runs / "legal-2" / "recipe.yaml"
    recipe.write_text("evaluation: {script: bank-service}\n", encoding="utf-8")
    models = ServedModels(loaded, "tiny", workspace)
    config = ServingConfig(max_new_tokens=24, queue_limit=16)
    worker = Worker(
        make_engine(models, loaded.model, batch_size=4, adapter_bytes=2**26), queue_limit=config.queue_limit
    )
    yield Desk(make_app(models, worker, config).state.server)
    worker.drain(10)
