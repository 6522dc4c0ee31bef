"""The whole server over a vLLM process: adapters, keys, router and feedback stay ours. vLLM itself is a stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tuneloop.core.errors import TryAgainError, UsageError
from tuneloop.engine.handle import Handle
from tuneloop.engine.request import Request, Sampling
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import LoadedModel, load_text
from tuneloop.serving.app import make_app
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.served import ServedModels
from tuneloop.serving.vllm import Vllm
from tuneloop.serving.vllm_wire import body_of
from tuneloop.store.access import create_key
from tuneloop.store.feedback import list_feedback
from tuneloop.store.workspace import Workspace

from .fake_vllm import FakeVllm, running

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def fake(loaded: LoadedModel) -> Iterator[FakeVllm]:
    with running(loaded) as fake:
        yield fake


@pytest.fixture(scope="module")
def over_vllm(fake: FakeVllm, workspace: Workspace) -> Iterator[TestClient]:
    """This process has the tokenizer alone."""
    models = ServedModels(load_text(ModelConfig(name_or_path="tiny")), "tiny", workspace)
    backend = Vllm(fake.url, models.folder, queue_limit=64)
    config = ServingConfig(max_new_tokens=24)
    yield TestClient(make_app(models, backend, config), raise_server_exceptions=False)
    backend.drain(5)


def ask(client: TestClient, **fields: Any) -> Any:
    return client.post("/v1/chat/completions", json={"model": "base", "messages": HELLO, "max_tokens": 8} | fields)


@pytest.mark.parametrize("model", ["base", "bank", "legal@v0001"])
@pytest.mark.parametrize("more", [{}, {"stop": "e"}, {"n": 2, "temperature": 1.0, "seed": 3}])
def test_answers_are_those_of_the_engine(
    over_vllm: TestClient, client: TestClient, model: str, more: dict[str, Any]
) -> None:
    theirs, ours = (ask(one, model=model, **more) for one in (over_vllm, client))
    assert theirs.status_code == ours.status_code == 200
    assert theirs.json()["choices"] == ours.json()["choices"]
    assert theirs.headers["x-tuneloop-model"] == ours.headers["x-tuneloop-model"]


def test_a_stream_and_its_metrics_are_ours(over_vllm: TestClient) -> None:
    said = ask(over_vllm, model="bank", stream=True, stream_options={"include_usage": True}).text
    assert "data: [DONE]" in said
    assert 'outcome="answered"' in over_vllm.get("/metrics").text


def test_feedback_names_the_version_that_answered(over_vllm: TestClient, workspace: Workspace) -> None:
    response_id = ask(over_vllm, model="legal").json()["id"]
    said = {"response_id": response_id, "kind": "thumbs", "value": "up"}
    assert over_vllm.post("/v1/feedback", json=said).status_code == 200
    assert list_feedback(workspace)[-1].model == "legal@v0001"


def test_adapters_are_told_to_vllm_by_the_registry_s_folders(
    over_vllm: TestClient, fake: FakeVllm, workspace: Workspace
) -> None:
    name = {"lora_name": "bank"}
    assert over_vllm.post("/v1/load_lora_adapter", json=name).status_code == 200
    assert "bank@v0001" in fake.worker.resident
    assert over_vllm.post("/v1/unload_lora_adapter", json=name).status_code == 200
    assert "bank@v0001" not in fake.worker.resident
    assert over_vllm.post("/v1/unload_lora_adapter", json=name).status_code == 404
    assert ask(over_vllm, model="bank").status_code == 200


@pytest.mark.parametrize(("status", "ours"), [(500, 503), (429, 503), (400, 400)])
def test_what_vllm_refuses_is_told_with_its_own_words(
    over_vllm: TestClient, fake: FakeVllm, status: int, ours: int
) -> None:
    fake.failing = status
    try:
        response = ask(over_vllm)
    finally:
        fake.failing = None
    assert response.status_code == ours
    assert "it fails" in response.json()["error"]["message"]
    assert ask(over_vllm).status_code == 200


def test_keys_hold_before_vllm_is_asked(fake: FakeVllm, loaded: LoadedModel, tmp_path: Any) -> None:
    own = Workspace(tmp_path).ensure()
    _, secret = create_key(own, role="viewer")
    models = ServedModels(loaded, "tiny", own)
    backend = Vllm(fake.url, models.folder, queue_limit=4)
    client = TestClient(make_app(models, backend, ServingConfig()), raise_server_exceptions=False)
    before = len(fake.bodies)
    assert ask(client).status_code == 401
    assert len(fake.bodies) == before
    answered = client.post(
        "/v1/chat/completions",
        json={"model": "base", "messages": HELLO, "max_tokens": 2},
        headers={"authorization": f"Bearer {secret}"},
    )
    assert answered.status_code == 200
    assert len(fake.bodies) == before + 1
    backend.drain(5)


def test_an_address_where_nobody_answers_is_one_clear_error() -> None:
    with pytest.raises(TryAgainError) as caught:
        Vllm("http://127.0.0.1:9", lambda label: pytest.fail(label), queue_limit=1)
    assert caught.value.code == "serving.engine_away"


def test_a_request_says_everything_that_decides_its_answer() -> None:
    sampling = Sampling(temperature=0.5, top_p=0.9, top_k=3, seed=7, max_new_tokens=5, logprobs=2)
    body = body_of(Handle(Request((1, 2), "bank@v0001", sampling, stop_ids=(4,)), 100), "bank@v0001")
    assert body["prompt"] == [1, 2]
    assert (body["model"], body["max_tokens"], body["stop_token_ids"]) == ("bank@v0001", 5, [4])
    assert (body["temperature"], body["top_p"], body["top_k"], body["seed"]) == (0.5, 0.9, 3, 7)
    assert body["return_token_ids"]
    assert body["return_tokens_as_token_ids"]
    assert body["logprobs"] == 2
    constrained = Request((1,), constraint=lambda ids: [1])
    with pytest.raises(UsageError):
        body_of(Handle(constrained, 100), "base")
