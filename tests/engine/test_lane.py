"""The scheduler: whatever comes and goes, every answer is the one that its request gets alone."""

import random
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneloop.engine.cache import SlotCache
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import Request, Sampling, ScoreRequest

NAMES = (None, "left", "right")


def make(number: int) -> Request:
    draw = random.Random(number)
    shared = (5,) * draw.choice((0, 0, 100))
    ids = tuple(draw.randrange(1, 250) for _ in range(draw.randrange(1, 40)))
    return Request(shared + ids, draw.choice(NAMES), Sampling(max_new_tokens=draw.randrange(1, 12)))


@pytest.fixture(scope="module")
def tiny():
    from tuneloop.models.tiny import build_tiny_llama

    return build_tiny_llama(0)


@pytest.fixture(scope="module")
def updates(tiny):
    from tuneloop.adapters.low_rank import LowRank

    random = torch.Generator().manual_seed(0)
    return {
        name: {
            path: LowRank(
                torch.randn(2, m.in_features, generator=random), torch.randn(m.out_features, 2, generator=random), 0.05
            )
            for path, m in tiny.named_modules()
            if path.endswith(("q_proj", "v_proj", "down_proj"))
        }
        for name in NAMES[1:]
    }


def loaded(tiny, updates, **options) -> Engine:
    engine = Engine(tiny, **options)
    for name, pairs in updates.items():
        engine.load(name, pairs, version="1")
    return engine


@pytest.fixture(scope="module")
def alone(tiny, updates):
    """What each request gets by itself, remembered."""
    engine = loaded(tiny, updates, batch_size=1, prefix_bytes=0)
    known: dict[int, tuple[int, ...]] = {}

    def answer(number: int) -> tuple[int, ...]:
        if number not in known:
            known[number] = next(engine.generate([make(number)])).ids
        return known[number]

    return answer


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(0, 30)),
        st.tuples(st.just("score"), st.integers(0, 30)),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("step"), st.integers(1, 6)),
    ),
    max_size=25,
)


@settings(max_examples=12, deadline=None)
@given(actions=ACTIONS, batch_size=st.integers(1, 5), prefill_tokens=st.sampled_from((3, 40, 512)))
def test_any_order_of_events_gives_each_request_its_own_answer(
    tiny, updates, alone, actions, batch_size, prefill_tokens
):
    engine = loaded(tiny, updates, batch_size=batch_size, prefill_tokens=prefill_tokens)
    handles, scores = [], []
    for action, number in actions:
        if action == "submit":
            handles.append((number, engine.submit(make(number))))
        elif action == "score":
            request = make(number)
            scores.append(engine.submit_score(ScoreRequest(request.ids, ((1, 2), (1, 3)), request.adapter)))
        elif action == "cancel" and handles:
            handles[number % len(handles)][1].cancel()
        elif action == "step":
            for _ in range(number):
                engine.step()
    while engine.step():
        pass
    for number, handle in handles:
        completion = handle.completion()
        expected = alone(number)
        assert completion.ids == expected[: len(completion.ids)]
        assert completion.finish_reason == "cancelled" or completion.ids == expected
        assert handle.take_new() == list(completion.ids)
    assert all(len(score.result()) == 2 for score in scores)
    assert not any(entry.leases for entry in engine.pool._entries.values())


def test_a_cancelled_request_takes_part_in_no_further_step(llama):
    engine = Engine(llama)
    going, gone = (engine.submit(Request((1, 2, n), sampling=Sampling(max_new_tokens=9))) for n in (3, 4))
    engine.step()
    engine.step()
    gone.cancel()
    engine.step()
    assert gone.completion().finish_reason == "cancelled"
    assert len(gone.ids) == 2
    assert len(going.ids) == 3


def test_a_long_prompt_does_not_hold_up_rows_that_write(llama):
    engine = Engine(llama, prefill_tokens=16)
    writing = engine.submit(Request((1, 2), sampling=Sampling(max_new_tokens=20)))
    engine.step()
    long = engine.submit(Request((7,) * 80, sampling=Sampling(max_new_tokens=2)))
    for _ in range(4):
        engine.step()
    assert len(writing.ids) == 5
    assert not long.ids
    engine.step()
    assert len(long.ids) == 1


def test_rows_wait_while_keys_and_values_could_outgrow_their_memory(llama):
    engine = Engine(llama, cache_bytes=3 * 2 * 2 * 256 * 2 * 8 * 4)  # two slots of 256 cells
    handles = [engine.submit(Request((n,), sampling=Sampling(max_new_tokens=n))) for n in (3, 4, 5)]
    engine.step()
    assert engine.counts == (1, 2)
    assert Counter(len(handle.ids) for handle in handles) == {1: 2, 0: 1}
    while engine.step():
        pass
    assert [len(handle.ids) for handle in handles] == [3, 4, 5]


def test_a_request_that_finds_no_memory_fails_by_itself(llama, monkeypatch):
    engine = Engine(llama)
    going = engine.submit(Request((1, 2), sampling=Sampling(max_new_tokens=4)))
    engine.step()
    reserve = SlotCache.reserve

    def scarce(cache: SlotCache, slots: int, cells: int) -> None:
        if slots > 1:
            raise MemoryError("no room for another slot")
        reserve(cache, slots, cells)

    monkeypatch.setattr(SlotCache, "reserve", scarce)
    second = engine.submit(Request((1, 2)))
    while engine.step():
        pass
    assert len(going.completion().ids) == 4
    with pytest.raises(MemoryError, match="another slot"):
        second.completion()
