"""OpenVINO graphs as an engine: greedy ids of transformers, batches beside each other, and what an error leaves."""

from __future__ import annotations

import pytest
import torch

from tuneloop.engine.compiled import BATCHES, CompiledEngine, Graph
from tuneloop.engine.handle import Handle
from tuneloop.engine.request import Request, Sampling
from tuneloop.models.tiny import build_tiny

pytest.importorskip("openvino", reason="the extra 'openvino' is not installed")

from tuneloop.models.openvino_graph import compile_graph, convert, keep_last

PROMPTS = [tuple(b"Hello"), tuple(b"What is the limit of my card abroad?"), tuple(b"?"), tuple(b"And then")]


@pytest.fixture(scope="module")
def base() -> Graph:
    graph = convert(build_tiny().model)
    keep_last(graph)
    return Graph("", None, compile_graph(graph, precision="f32"), 0)


@pytest.fixture
def engine(base: Graph) -> CompiledEngine:
    return CompiledEngine(base, vocabulary=259, context=2048, make=None, batch_size=16, max_bytes=1)


def ask(prompt: tuple[int, ...], tokens: int = 12) -> Request:
    return Request(prompt, sampling=Sampling(max_new_tokens=tokens))


def finish(engine: CompiledEngine, *handles: Handle) -> list[tuple[int, ...]]:
    while not all(handle.done for handle in handles):
        engine.step()
    return [handle.completion().ids for handle in handles]


@pytest.fixture(scope="module")
def expected() -> dict[tuple[int, ...], tuple[int, ...]]:
    """Twelve greedy tokens of transformers for each prompt, alone."""
    model = build_tiny().model
    found = {}
    for prompt in PROMPTS:
        ids = torch.tensor([prompt])
        made = model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=12, eos_token_id=None
        )
        found[prompt] = tuple(made[0, len(prompt) :].tolist())
    return found


def test_rows_of_all_lengths_give_the_greedy_ids_of_transformers(
    engine: CompiledEngine, expected: dict[tuple[int, ...], tuple[int, ...]]
) -> None:
    handles = [engine.submit(ask(prompt, tokens)) for prompt, tokens in zip(PROMPTS, (12, 3, 12, 1), strict=True)]
    said = finish(engine, *handles)
    assert said == [expected[prompt][:tokens] for prompt, tokens in zip(PROMPTS, (12, 3, 12, 1), strict=True)]


def test_who_comes_later_begins_at_once_and_changes_nothing_for_the_others(
    engine: CompiledEngine, expected: dict[tuple[int, ...], tuple[int, ...]]
) -> None:
    first = engine.submit(ask(PROMPTS[0]))
    engine.step()
    second = engine.submit(ask(PROMPTS[1]))
    engine.step()
    assert (len(first.ids), len(second.ids)) == (2, 1)
    assert finish(engine, first, second) == [expected[PROMPTS[0]], expected[PROMPTS[1]]]


def test_beyond_a_few_batches_requests_wait_for_each_other(engine: CompiledEngine) -> None:
    handles = []
    for _ in range(BATCHES + 2):
        handles.append(engine.submit(ask(PROMPTS[0])))
        engine.step()
    assert engine.counts == (2, BATCHES)
    finish(engine, *handles)
    assert engine.counts == (0, 0)


def test_an_error_ends_those_who_took_part_and_the_next_answer_is_right(
    engine: CompiledEngine, expected: dict[tuple[int, ...], tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr("tuneloop.engine.compiled.choose_for", fail)
        handle = engine.submit(ask(PROMPTS[0]))
        with pytest.raises(RuntimeError, match="broken"):
            finish(engine, handle)
    assert finish(engine, engine.submit(ask(PROMPTS[0]))) == [expected[PROMPTS[0]]]
