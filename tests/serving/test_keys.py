"""Keys over HTTP: asked for once there are any; what a key may not see does not exist for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tuneloop.core.errors import NotAllowedError
from tuneloop.models.load import LoadedModel
from tuneloop.serving.app import make_app
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.keys import FRESH_SECONDS, KeyRing
from tuneloop.serving.served import ServedModels, make_engine
from tuneloop.serving.worker import Worker
from tuneloop.store.access import ROLES, Role, create_key, revoke_key
from tuneloop.store.workspace import Workspace

HELLO = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, adapter_maker: Callable[..., None]) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("keyed")).ensure()
    adapter_maker(made, "bank", 1)
    adapter_maker(made, "legal", 2)
    return made


@pytest.fixture(scope="module")
def client(own: Workspace, loaded: LoadedModel) -> Iterator[TestClient]:
    models = ServedModels(loaded, "tiny", own)
    worker = Worker(make_engine(models, loaded.model, batch_size=8, adapter_bytes=2**26), queue_limit=64)
    yield TestClient(make_app(models, worker, ServingConfig(), keys_required=True), raise_server_exceptions=False)
    worker.drain(10)


def look_again(client: TestClient) -> None:
    """Let the server look at the keys at once."""
    client.app.state.server.keys._seen = (-1e9, {})  # type: ignore[attr-defined]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_without_a_key_nothing_is_answered_but_health(client: TestClient) -> None:
    for method, path in (
        ("POST", "/v1/chat/completions"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models/bank"),
        ("GET", "/metrics"),
    ):
        response = client.request(method, path, json={"model": "bank", **HELLO} if method == "POST" else None)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json()["error"]["code"] == "access.key_missing"
    assert client.get("/health").status_code == client.get("/ready").status_code == 200


def test_a_key_sees_its_adapters_and_no_others(client: TestClient, own: Workspace) -> None:
    _, secret = create_key(own, adapters=["bank"])
    headers = bearer(secret)
    look_again(client)
    names = {model["id"] for model in client.get("/v1/models", headers=headers).json()["data"]}
    assert names == {"auto", "bank", "bank@v0001", "bank@candidate"}
    assert client.post("/v1/chat/completions", json={"model": "bank", **HELLO}, headers=headers).status_code == 200
    for name in ("legal", "legal@v0001", "base", "tiny", "nobody"):
        response = client.post("/v1/chat/completions", json={"model": name, **HELLO}, headers=headers)
        assert response.status_code == 404
        assert "legal" not in response.text.replace(name.partition("@")[0], "")
        assert client.get(f"/v1/models/{name}", headers=headers).status_code == 404


def test_a_revoked_key_is_refused_within_a_second(own: Workspace) -> None:
    now = [0.0]
    ring = KeyRing(own, clock=lambda: now[0])
    key, secret = create_key(own)
    assert ring.who(secret).id == key.id
    revoke_key(own, key.id)
    now[0] += FRESH_SECONDS + 0.01
    with pytest.raises(NotAllowedError, match="not valid"):
        ring.who(secret)
    assert FRESH_SECONDS < 1


def test_every_role_may_what_the_table_says_and_nothing_else(client: TestClient, own: Workspace) -> None:
    routes = {
        "models": ("GET", "/v1/models", None),
        "generate": ("POST", "/v1/chat/completions", {"model": "bank", **HELLO}),
        "metrics": ("GET", "/metrics", None),
        "adapters": ("POST", "/v1/load_lora_adapter", {"lora_name": "bank"}),
        "feedback": ("POST", "/v1/feedback", {"response_id": "none", "kind": "thumbs", "value": "up"}),
    }
    roles: tuple[Role, ...] = ("viewer", "annotator", "operator", "admin")
    secrets = {role: create_key(own, role=role)[1] for role in roles}
    look_again(client)
    for role, secret in secrets.items():
        for verb, (method, path, body) in routes.items():
            status = client.request(method, path, json=body, headers=bearer(secret)).status_code
            assert (status != 403) == (verb in ROLES[role]), (role, verb, status)


def test_limits_answer_429_and_say_when_to_try_again(client: TestClient, own: Workspace) -> None:
    for limits in ({"requests_per_minute": 2}, {"tokens_per_minute": 5}):
        _, secret = create_key(own, **limits)  # type: ignore[arg-type]
        look_again(client)
        responses = [
            client.post("/v1/chat/completions", json={"model": "bank", **HELLO}, headers=bearer(secret))
            for _ in range(3)
        ]
        assert responses[0].status_code == 200
        assert responses[-1].status_code == 429
        assert responses[-1].json()["error"]["code"] == "serving.limit_reached"
        assert 1 <= int(responses[-1].headers["retry-after"]) <= 60


def test_feedback_on_another_keys_answer_is_not_found(client: TestClient, own: Workspace) -> None:
    first, second = (bearer(create_key(own)[1]) for _ in range(2))
    look_again(client)
    id_ = client.post("/v1/chat/completions", json={"model": "bank", **HELLO}, headers=first).json()["id"]
    body = {"response_id": id_, "kind": "thumbs", "value": "up"}
    assert client.post("/v1/feedback", json=body, headers=second).status_code == 404
    assert client.post("/v1/feedback", json=body, headers=first).status_code == 200


def test_where_no_key_was_made_none_is_asked_for(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    assert KeyRing(workspace).who("sk-placeholder").role == "admin"
    key, _ = create_key(workspace)
    revoke_key(workspace, key.id)
    ring = KeyRing(workspace)
    assert ring.required  # all keys revoked does not open the door
    with pytest.raises(NotAllowedError, match="wants an API key"):
        ring.who(None)
