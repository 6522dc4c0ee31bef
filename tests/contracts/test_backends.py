"""What every backend of the server must keep to: token ids in, the engine's token ids out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest
import torch

from tuneloop.adapters.merge import merge
from tuneloop.core.errors import NotFoundError, ResourceError, TryAgainError, UsageError
from tuneloop.engine.compiled import CompiledEngine, Graph
from tuneloop.engine.engine import Engine
from tuneloop.engine.handle import Handle
from tuneloop.engine.request import Request, Sampling
from tuneloop.models.load import LoadedModel
from tuneloop.serving.backend import Backend
from tuneloop.serving.engines import ENGINES
from tuneloop.serving.graphs import make_graph
from tuneloop.serving.served import ServedModels, make_engine
from tuneloop.serving.vllm import Vllm
from tuneloop.serving.worker import Worker
from tuneloop.store.workspace import Workspace

from ..serving.conftest import loaded, workspace  # noqa: F401
from ..serving.fake_vllm import FakeVllm, running

BANK, LEGAL = "bank@v0001", "legal@v0001"
PROMPT = tuple(b"Hello")
LONG = Request(PROMPT, sampling=Sampling(max_new_tokens=2000))

SHORT = Sampling(max_new_tokens=2)

Make = Callable[[ServedModels, LoadedModel, FakeVllm, int], Backend]


def make_torch(models: ServedModels, loaded: LoadedModel, fake: FakeVllm, queue_limit: int) -> Backend:  # noqa: F811
    return Worker(make_engine(models, loaded.model, batch_size=8, adapter_bytes=2**26), queue_limit=queue_limit)


def make_vllm(models: ServedModels, loaded: LoadedModel, fake: FakeVllm, queue_limit: int) -> Backend:  # noqa: F811
    return Vllm(fake.url, models.folder, queue_limit=queue_limit)


GRAPHS: dict[str, Graph] = {}
"""By label: each is made once for all tests; nothing in it changes."""


def make_openvino(models: ServedModels, loaded: LoadedModel, fake: FakeVllm, queue_limit: int) -> Backend:  # noqa: F811
    pytest.importorskip("openvino", reason="the extra 'openvino' is not installed")

    def make(label: str) -> Graph:
        if label not in GRAPHS:
            model = merge(loaded, models.folder(label)) if label else loaded.model
            GRAPHS[label] = make_graph(model, label, torch.float32)
        return GRAPHS[label]

    engine = CompiledEngine(make(""), vocabulary=259, context=2048, make=make, batch_size=8, max_bytes=2**26)
    return Worker(engine, queue_limit=queue_limit)


MAKERS: dict[str, Make] = {"torch": make_torch, "vllm": make_vllm, "openvino": make_openvino}


@pytest.fixture(scope="module")
def fake(loaded: LoadedModel) -> Iterator[FakeVllm]:  # noqa: F811
    with running(loaded) as fake:
        yield fake


Fresh = Callable[[int], Backend]


@pytest.fixture(params=MAKERS)
def fresh(request: pytest.FixtureRequest, workspace: Workspace, loaded: LoadedModel, fake: FakeVllm) -> Iterator[Fresh]:  # noqa: F811
    made: list[Backend] = []
    models = ServedModels(loaded, "tiny", workspace)

    def make(queue_limit: int) -> Backend:
        made.append(MAKERS[request.param](models, loaded, fake, queue_limit))
        return made[-1]

    yield make
    for backend in made:
        backend.drain(5)


@pytest.fixture
def backend(fresh: Fresh) -> Backend:
    return fresh(64)


@pytest.fixture(scope="module")
def engine(workspace: Workspace, loaded: LoadedModel) -> Engine:  # noqa: F811
    models = ServedModels(loaded, "tiny", workspace)
    return make_engine(models, loaded.model, batch_size=8, adapter_bytes=2**26)


async def read(backend: Backend, handle: Handle) -> list[int]:
    return [token async for ids in backend.tokens(handle, deadline_seconds=20) for token in ids]


def answers(backend: Backend, *requests: Request) -> list[list[int]]:
    async def all_of_them() -> list[list[int]]:
        handles = [backend.submit(request) for request in requests]
        return list(await asyncio.gather(*(read(backend, handle) for handle in handles)))

    return asyncio.run(all_of_them())


def until_idle(backend: Backend) -> None:
    end = time.monotonic() + 10
    while sum(backend.counts):
        assert time.monotonic() < end
        time.sleep(0.005)


def test_every_engine_of_the_table_is_held_to_this() -> None:
    assert set(MAKERS) == set(ENGINES)


def test_answers_at_the_same_time_are_those_of_the_engine_alone(backend: Backend, engine: Engine) -> None:
    requests = [
        Request(prompt, adapter, Sampling(max_new_tokens=9))
        for adapter in (None, BANK, LEGAL)
        for prompt in (PROMPT, tuple(b"And then?"))
    ]
    expected = [list(next(engine.generate([request])).ids) for request in requests]
    assert len({tuple(ids) for ids in expected}) > 3
    assert answers(backend, *requests) == expected
    assert {BANK, LEGAL} <= set(backend.resident)


def test_an_answer_ends_at_its_length_or_before_a_stop_id(backend: Backend) -> None:
    full = backend.submit(Request(PROMPT, sampling=Sampling(max_new_tokens=6)))
    ids = asyncio.run(read(backend, full))
    assert (len(ids), full.completion().finish_reason) == (6, "length")
    place = next(place for place, token in enumerate(ids) if token not in ids[:place] and place)
    stopped = backend.submit(Request(PROMPT, sampling=Sampling(max_new_tokens=6), stop_ids=(ids[place],)))
    assert asyncio.run(read(backend, stopped)) == ids[:place]
    assert stopped.completion().finish_reason == "stop"
    assert stopped.first_token_seconds <= stopped.seconds


def test_a_seed_repeats_a_sampled_answer(backend: Backend) -> None:
    first, other, again = (
        Request(PROMPT, sampling=Sampling(max_new_tokens=8, temperature=1.0, top_k=50, seed=seed)) for seed in (1, 2, 1)
    )
    said = answers(backend, first, other, again)
    assert said[0] == said[2] != said[1]


def test_log_probabilities_are_the_engine_s(backend: Backend, engine: Engine) -> None:
    request = Request(PROMPT, sampling=Sampling(max_new_tokens=4, logprobs=2))
    expected = next(engine.generate([request])).logprobs
    handle = backend.submit(request)
    asyncio.run(read(backend, handle))
    assert [one.logprob for one in handle.logprobs] == pytest.approx([one.logprob for one in expected], abs=1e-5)
    assert [[token for token, _ in one.top] for one in handle.logprobs] == [[t for t, _ in one.top] for one in expected]


def test_a_cancelled_answer_ends_and_leaves_nothing(backend: Backend) -> None:
    handle = backend.submit(LONG)
    backend.cancel([handle])
    until_idle(backend)
    assert handle.completion().finish_reason == "cancelled"


def test_leaving_the_tokens_early_ends_the_answer(backend: Backend) -> None:
    handle = backend.submit(LONG)

    async def leave() -> None:
        tokens = backend.tokens(handle, deadline_seconds=20)
        async for _ in tokens:
            break
        await tokens.aclose()  # type: ignore[attr-defined]

    asyncio.run(leave())
    until_idle(backend)
    assert handle.reason == "cancelled"


def test_an_answer_that_takes_too_long_is_broken_off(backend: Backend) -> None:
    handle = backend.submit(LONG)

    async def wait() -> None:
        async for _ in backend.tokens(handle, deadline_seconds=0.0):
            pass

    with pytest.raises(ResourceError) as caught:
        asyncio.run(wait())
    assert caught.value.code == "serving.deadline"
    until_idle(backend)


def test_a_full_queue_refuses_and_takes_more_when_it_is_empty(fresh: Fresh) -> None:
    backend = fresh(2)
    handles = [backend.submit(LONG) for _ in range(2)]
    with pytest.raises(ResourceError) as caught:
        backend.submit(LONG)
    assert caught.value.code == "serving.full"
    backend.cancel(handles)
    until_idle(backend)
    assert answers(backend, Request(PROMPT, sampling=Sampling(max_new_tokens=2)))[0]


@pytest.mark.parametrize("ids", [(), PROMPT * 2000])
def test_a_prompt_of_nothing_or_of_too_much_is_refused_at_once(backend: Backend, ids: tuple[int, ...]) -> None:
    with pytest.raises(UsageError):
        backend.submit(Request(ids))


def test_an_adapter_that_is_not_there_is_told_and_others_go_on(backend: Backend) -> None:
    async def both() -> list[int]:
        wrong, right = backend.submit(Request(PROMPT, "nobody@v0001")), backend.submit(Request(PROMPT, BANK, SHORT))
        with pytest.raises(NotFoundError):
            await read(backend, wrong)
        return await read(backend, right)

    assert len(asyncio.run(both())) == 2


def test_adapters_are_loaded_and_unloaded_by_label(backend: Backend) -> None:
    backend.load(BANK)
    backend.load(BANK, pinned=True)
    assert list(backend.resident) == [BANK]
    assert backend.unload(BANK)
    assert not backend.unload(BANK)
    assert BANK not in backend.resident
    assert len(answers(backend, Request(PROMPT, BANK, SHORT))[0]) == 2
    with pytest.raises(NotFoundError):
        backend.load("nobody@v0001")


def test_what_was_accepted_is_finished_before_the_end_and_nothing_new_is_taken(fresh: Fresh) -> None:
    backend = fresh(8)
    handles = [backend.submit(Request(PROMPT, sampling=Sampling(max_new_tokens=20))) for _ in range(3)]
    assert backend.alive
    assert backend.drain(20)
    assert [handle.completion().finish_reason for handle in handles] == ["length"] * 3
    assert not backend.alive
    with pytest.raises(TryAgainError):
        backend.submit(LONG)
