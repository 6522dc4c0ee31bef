"""The adapters in memory: room, leases, pins."""

import threading

import pytest

from tuneloop.core.errors import NotFoundError, ResourceError
from tuneloop.engine.lora import Adapter
from tuneloop.engine.pool import AdapterPool, Lease


def adapter(name: str, size: int = 10) -> Adapter:
    return Adapter(name, "v1", (), size)


def ready(pool: AdapterPool, name: str) -> Lease:
    lease = pool.lease(name)
    assert lease is not None
    for _ in range(500):
        if lease.adapter is not None or lease.error is not None:
            return lease
        pool.wait(0.02)
    raise AssertionError("never loaded")


def test_the_one_that_was_not_used_for_longest_makes_room():
    pool = AdapterPool(adapter, max_bytes=30)
    for name in "abcad":
        pool.release(ready(pool, name))
    assert pool.names == ["c", "a", "d"]
    assert pool.bytes == 30
    assert pool.loads == 4


def test_what_is_in_use_or_pinned_stays():
    pool = AdapterPool(adapter, max_bytes=20)
    held = ready(pool, "a")
    pool.add(adapter("b"), pinned=True)
    assert pool.lease("c") is None
    with pytest.raises(ResourceError):
        pool.add(adapter("d"))
    pool.release(held)
    pool.release(ready(pool, "c"))
    assert pool.names == ["b", "c"]
    pool.pin("b", pinned=False)
    pool.release(ready(pool, "d"))
    pool.release(ready(pool, "e"))
    assert pool.names == ["d", "e"]


def test_an_adapter_that_was_taken_out_counts_until_its_last_lease_ends():
    pool = AdapterPool(adapter, max_bytes=20)
    old = ready(pool, "a")
    assert pool.remove("a")
    assert not pool.remove("a")
    new = ready(pool, "a")
    assert new.adapter is not old.adapter
    assert pool.bytes == 20
    pool.release(old)
    assert pool.bytes == 10


def test_one_load_serves_all_who_wait_for_it():
    gate, loads = threading.Event(), []

    def load(name: str) -> Adapter:
        loads.append(name)
        assert gate.wait(20)
        return adapter(name)

    pool = AdapterPool(load, max_bytes=100)
    leases = [pool.lease("a") for _ in range(3)]
    gate.set()
    assert ready(pool, "a").adapter is leases[0].adapter
    assert loads == ["a"]


def test_an_adapter_that_is_too_large_by_itself_is_an_error():
    pool = AdapterPool(lambda name: adapter(name, 99), max_bytes=50)
    assert isinstance(ready(pool, "a").error, ResourceError)
    assert pool.bytes == 0


def test_without_a_loader_only_what_was_put_in_is_known():
    pool = AdapterPool(None, max_bytes=50)
    pool.add(adapter("a"))
    assert pool.knows("a")
    assert not pool.knows("b")
    with pytest.raises(NotFoundError):
        pool.lease("b")
