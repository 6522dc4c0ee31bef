"""`model: auto` over HTTP: fitted from the adapters' own datasets, kept, and blind to what a key may not use."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.models.load import LoadedModel
from tuneloop.serving.app import make_app
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.routers import Routers, training_questions
from tuneloop.serving.served import ServedModels, make_engine
from tuneloop.serving.worker import Worker
from tuneloop.store.access import create_key
from tuneloop.store.artifacts import manifest_hash, new_artifact
from tuneloop.store.samples import write_samples
from tuneloop.store.workspace import Workspace

QUESTIONS = {
    "bank": [
        f"How do I {verb} my {noun}?" for verb in ("block", "cancel", "find") for noun in ("card", "loan", "account")
    ],
    "travel": [
        f"Can I {verb} the {noun}?" for verb in ("rebook", "change", "see") for noun in ("flight", "hotel", "seat")
    ],
}
BANK, TRAVEL, FOREIGN = "How do I cancel my card?", "Can I rebook the flight?", "红烧肉"


def make_dataset(workspace: Workspace, name: str) -> str:
    """The hash of a frozen dataset of these questions."""
    folder = workspace.datasets / name / "one"
    meta = Meta(source=f"{name}.csv", row=1)
    samples = [
        Sample(
            id=f"{n}", messages=(Message(role="user", content=q), Message(role="assistant", content="Yes")), meta=meta
        )
        for n, q in enumerate(QUESTIONS[name])
    ]
    with new_artifact(folder, kind="dataset", config={"name": name}) as made:
        write_samples(made / "train.jsonl", samples)
    return manifest_hash(folder)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, adapter_maker: Callable[..., None]) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("routed")).ensure()
    for seed, name in enumerate(QUESTIONS, start=1):
        adapter_maker(made, name, seed, dataset=make_dataset(made, name))
    adapter_maker(made, "unknown", 3)
    return made


@pytest.fixture(scope="module")
def client(own: Workspace, loaded: LoadedModel) -> Iterator[TestClient]:
    models = ServedModels(loaded, "tiny", own)
    worker = Worker(make_engine(models, loaded.model, batch_size=8, adapter_bytes=2**26), queue_limit=64)
    yield TestClient(make_app(models, worker, ServingConfig()), raise_server_exceptions=False)
    worker.drain(10)


def ask(client: TestClient, question: str, **headers: str) -> httpx2.Response:
    body = {"model": "auto", "messages": [{"role": "user", "content": question}], "max_tokens": 4}
    return client.post("/v1/chat/completions", json=body, headers=headers)


def test_the_question_chooses_the_adapter_and_the_response_says_so(client: TestClient) -> None:
    for question, model, reason in (
        (BANK, "bank@v0001", "chosen"),
        (TRAVEL, "travel@v0001", "chosen"),
        (FOREIGN, "base", "general"),
    ):
        response = ask(client, question)
        routing = response.json()["routing"]
        assert response.headers["x-tuneloop-model"] == response.json()["model"] == routing["model"] == model
        assert routing["reason"] == reason
        assert response.headers["x-tuneloop-route"].startswith(reason)


def test_a_router_is_fitted_once(client: TestClient, own: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(client, BANK)
    monkeypatch.setattr("tuneloop.serving.router.fit_router", lambda *_: pytest.fail("fitted again"))
    adapters = ServedModels(client.app.state.server.models.loaded, "tiny", own).adapters()  # type: ignore[attr-defined]
    assert Routers(own).current(adapters).names == ("bank", "travel")


def test_an_adapter_whose_dataset_is_gone_is_not_chosen(client: TestClient, own: Workspace) -> None:
    adapters = client.app.state.server.models.adapters()  # type: ignore[attr-defined]
    aside = own.root / "aside"
    shutil.move(own.datasets / "bank", aside)
    try:
        assert Routers(own).current(adapters).names == ("travel",)
    finally:
        shutil.move(aside, own.datasets / "bank")


def test_a_key_is_never_routed_to_what_does_not_exist_for_it(client: TestClient, own: Workspace) -> None:
    _, secret = create_key(own, adapters=["travel"])
    client.app.state.server.keys._seen = (-1e9, {})  # type: ignore[attr-defined]
    asked = {question: ask(client, question, Authorization=f"Bearer {secret}") for question in (BANK, TRAVEL, FOREIGN)}
    assert asked[TRAVEL].json()["model"] == "travel@v0001"
    for question in (BANK, FOREIGN):
        assert asked[question].status_code == 409  # it may not ask the base model either
        assert asked[question].json()["error"]["code"] == "serving.no_route"
        assert "bank" not in asked[question].text


def test_a_conversation_is_known_from_its_beginning_and_from_later_on(tmp_path: Path) -> None:
    meta = Meta(source="talks.jsonl", row=1)
    turns = [Message(role="user", content="One"), Message(role="assistant", content="Yes")]
    turns += [Message(role="user", content="Two"), Message(role="assistant", content="Done")]
    talks = [Sample(id=str(number), messages=tuple(turns), meta=meta) for number in range(3)]
    with new_artifact(tmp_path / "talks", kind="dataset", config={}) as made:
        write_samples(made / "train.jsonl", talks)
    assert training_questions(tmp_path / "talks") == ["One", "One\nTwo", "One"]
