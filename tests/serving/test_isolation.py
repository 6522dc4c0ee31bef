"""Nobody gets another one's answer: mixed batches, errors within them, versions that change, a full queue."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from tuneloop.engine.decoder import Decoder
from tuneloop.models.load import LoadedModel
from tuneloop.registry.versions import point, resolve
from tuneloop.serving import served
from tuneloop.serving.app import make_app
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.served import ServedModels, make_engine
from tuneloop.serving.worker import Worker
from tuneloop.store.database import open_database
from tuneloop.store.workspace import Workspace

MODELS = ("base", "bank", "legal")
QUESTIONS = tuple(f"Question {number}?" for number in range(6))
Pair = tuple[str, str]


@contextmanager
def serve(workspace: Workspace, loaded: LoadedModel, **limits: Any) -> Iterator[TestClient]:
    """A fresh server."""
    config = ServingConfig(**{"max_new_tokens": 24, "batch_size": 8, **limits})
    models = ServedModels(loaded, "tiny", workspace)
    engine = make_engine(models, loaded.model, batch_size=config.batch_size, adapter_bytes=2**26)
    worker = Worker(engine, queue_limit=config.queue_limit)
    try:
        yield TestClient(make_app(models, worker, config), raise_server_exceptions=False)
    finally:
        worker.drain(10)


def ask(client: TestClient, model: str, question: str, **fields: object) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": question}], "max_tokens": 6}
    return client.post("/v1/chat/completions", json=body | fields)


def text_of(response: httpx2.Response) -> str:
    assert response.status_code == 200, response.text
    return str(response.json()["choices"][0]["message"]["content"])


@pytest.fixture(scope="module")
def expected(workspace: Workspace, loaded: LoadedModel) -> dict[Pair, str]:
    """What a fresh server answers when it is asked one thing at a time."""
    with serve(workspace, loaded) as client:
        return {(model, question): text_of(ask(client, model, question)) for model in MODELS for question in QUESTIONS}


def mistakes(client: TestClient, expected: dict[Pair, str], count: int, threads: int = 8) -> list[Pair]:
    """Ask many things at the same time; which answers are not those of a fresh server."""
    pairs = random.Random(count).choices(list(expected), k=count)
    with ThreadPoolExecutor(threads) as pool:
        answers = pool.map(lambda pair: text_of(ask(client, *pair)), pairs)
        return [pair for pair, answer in zip(pairs, answers, strict=True) if answer != expected[pair]]


def test_no_answer_comes_from_another_adapter(
    workspace: Workspace, loaded: LoadedModel, expected: dict[Pair, str]
) -> None:
    assert len(set(expected.values())) > len(QUESTIONS)
    with serve(workspace, loaded) as client:
        assert mistakes(client, expected, 100) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_answer_of_ten_thousand_comes_from_another_adapter(
    workspace: Workspace, loaded: LoadedModel, expected: dict[Pair, str]
) -> None:
    with serve(workspace, loaded) as client:
        assert mistakes(client, expected, 10_000) == []


def test_after_an_error_in_a_mixed_batch_answers_are_those_of_a_fresh_server(
    workspace: Workspace, loaded: LoadedModel, expected: dict[Pair, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., Any] = Decoder.forward
    failures = iter(range(3))

    def failing(self: Decoder, *arguments: Any) -> Any:
        result = real(self, *arguments)
        if len(arguments) > 2 and arguments[2] is not None and next(failures, None) is not None:
            raise RuntimeError("injected, when the work was half done")
        return result

    with serve(workspace, loaded) as client:
        monkeypatch.setattr(Decoder, "forward", failing)
        with ThreadPoolExecutor(8) as pool:
            statuses = [r.status_code for r in pool.map(lambda pair: ask(client, *pair), list(expected))]
        monkeypatch.setattr(Decoder, "forward", real)
        assert 500 in statuses
        assert set(statuses) <= {200, 500}
        assert mistakes(client, expected, 100) == []


def test_ten_times_too_many_requests_are_told_when_to_try_again(workspace: Workspace, loaded: LoadedModel) -> None:
    with serve(workspace, loaded, queue_limit=4, batch_size=2) as client, ThreadPoolExecutor(40) as pool:
        responses = list(pool.map(lambda number: ask(client, "bank", f"Say {number}", max_tokens=24), range(40)))
        statuses = {response.status_code for response in responses}
        assert statuses <= {200, 429}
        assert 200 in statuses
        for response in responses:
            if response.status_code == 429:
                assert int(response.headers["retry-after"]) >= 1
                assert response.json()["error"]["code"] == "serving.full"
        assert text_of(ask(client, "bank", "And now?"))


def test_a_moved_alias_is_followed_and_no_answer_mixes_versions(
    tmp_path: Path, loaded: LoadedModel, adapter_maker: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert served.FRESH_SECONDS <= 1
    monkeypatch.setattr(served, "FRESH_SECONDS", 0.2)
    own = Workspace(tmp_path / "w").ensure()
    adapter_maker(own, "bank", 1, "production")
    adapter_maker(own, "bank", 2, "candidate")

    def move(version: int) -> None:
        with open_database(own) as database, database.write() as connection:
            point(connection, "bank", "production", version)

    with serve(own, loaded) as client, ThreadPoolExecutor(4) as pool:
        wanted = {label: text_of(ask(client, label, "Hello")) for label in ("bank@v0001", "bank@v0002")}
        assert len(set(wanted.values())) == 2
        for version in (2, 1):
            move(version)
            start = time.monotonic()
            seen = ""
            while seen != f"bank@v000{version}":
                assert time.monotonic() - start < 2
                for response in pool.map(lambda _: ask(client, "bank", "Hello"), range(4)):
                    seen = response.headers["x-tuneloop-model"]
                    assert text_of(response) == wanted[seen]
        assert resolve(own, "bank").version == 1


def test_an_adapter_that_leaves_memory_ends_nobodys_answer(
    workspace: Workspace, loaded: LoadedModel, expected: dict[Pair, str]
) -> None:
    with serve(workspace, loaded) as client, ThreadPoolExecutor(9) as pool:
        asked = pool.submit(mistakes, client, expected, 60)
        while not asked.done():
            response = client.post("/v1/unload_lora_adapter", json={"lora_name": "bank"})
            assert response.status_code in (200, 404)
        assert asked.result() == []


@pytest.mark.parametrize(
    "fields", [{"n": 1000}, {"max_tokens": 0}, {"temperature": float("1e9")}, {"top_logprobs": 99}]
)
def test_what_costs_too_much_is_refused_before_any_work(
    workspace: Workspace, loaded: LoadedModel, fields: dict[str, Any]
) -> None:
    with serve(workspace, loaded) as client:
        assert ask(client, "bank", "Hello", **fields).status_code == 400
        assert client.app.state.server.backend.counts == (0, 0)  # type: ignore[attr-defined]
