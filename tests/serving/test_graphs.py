"""`--engine openvino` over an exported folder and over the registry."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tuneloop.core.errors import NotFoundError, UsageError
from tuneloop.core.progress import SILENT
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import LoadedModel
from tuneloop.serving.app import make_app
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.engines import start_openvino
from tuneloop.store.workspace import Workspace

pytest.importorskip("openvino", reason="the extra 'openvino' is not installed")

from tuneloop.models.openvino_graph import write_openvino

CONFIG = ServingConfig(engine="openvino", max_new_tokens=24)


def test_an_exported_folder_answers_as_our_own_engine_does(
    loaded: LoadedModel, workspace: Workspace, client: TestClient, tmp_path: Path
) -> None:
    write_openvino(loaded, tmp_path, half=False)
    model = ModelConfig(name_or_path=str(tmp_path), dtype="float32")
    models, backend = start_openvino(CONFIG, model, workspace, SILENT)
    over_graph = TestClient(make_app(models, backend, CONFIG), raise_server_exceptions=False)
    asked = {"model": "base", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8}
    theirs, ours = (one.post("/v1/chat/completions", json=asked) for one in (over_graph, client))
    assert theirs.json()["choices"] == ours.json()["choices"]
    assert over_graph.post("/v1/chat/completions", json=asked | {"model": "bank"}).status_code == 404
    assert backend.drain(5)


def test_the_registry_s_adapters_are_merged_on_their_first_use(workspace: Workspace, client: TestClient) -> None:
    models, backend = start_openvino(CONFIG, ModelConfig(name_or_path="tiny"), workspace, SILENT)
    over_graph = TestClient(make_app(models, backend, CONFIG), raise_server_exceptions=False)
    asked = {"model": "legal", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8}
    theirs, ours = (one.post("/v1/chat/completions", json=asked) for one in (over_graph, client))
    assert theirs.json()["choices"] == ours.json()["choices"]
    assert theirs.headers["x-tuneloop-model"] == ours.headers["x-tuneloop-model"] == "legal@v0001"
    assert backend.drain(5)


def test_it_has_no_address_and_needs_its_library(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ModelConfig(name_or_path="tiny")
    with pytest.raises(UsageError) as caught:
        start_openvino(CONFIG.model_copy(update={"engine_url": "http://127.0.0.1:1"}), model, workspace, SILENT)
    assert caught.value.code == "serving.engine_url"
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(NotFoundError) as missing:
        start_openvino(CONFIG, model, workspace, SILENT)
    assert "pip install 'tuneloop[openvino]'" in missing.value.hint()


def test_the_converter_s_report_of_its_use_is_a_stand_in() -> None:
    from openvino.tools.ovc import telemetry_utils

    assert telemetry_utils.tm.__name__ == "openvino.tools.ovc.telemetry_stub"
