"""Which number type the weights compute in."""

import time

import pytest
import torch

from tuneloop.core.errors import ResourceError, UsageError
from tuneloop.models import precision
from tuneloop.models.precision import choose_device, choose_precision, measure_bfloat16_speedup

CPU = torch.device("cpu")


def test_without_the_instructions_bfloat16_is_not_even_tried(monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16_instructions", lambda: False)
    monkeypatch.setattr(precision, "measure_bfloat16_speedup", lambda: pytest.fail("measured"))
    chosen = choose_precision("auto", CPU)
    assert chosen.dtype == torch.float32
    assert "no bfloat16 instructions" in chosen.reason


@pytest.mark.parametrize(("speedup", "dtype"), [(2.5, torch.bfloat16), (0.9, torch.float32)])
def test_with_them_the_measured_speed_decides_and_is_told(monkeypatch, speedup, dtype):
    monkeypatch.setattr(precision, "has_bfloat16_instructions", lambda: True)
    monkeypatch.setattr(precision, "measure_bfloat16_speedup", lambda: speedup)
    chosen = choose_precision("auto", CPU)
    assert chosen.dtype == dtype
    assert str(speedup) in chosen.reason


def test_the_probe_is_short_and_happens_once():
    measure_bfloat16_speedup.cache_clear()
    start = time.perf_counter()
    first = measure_bfloat16_speedup()
    assert time.perf_counter() - start < 5  # it stops itself after 0.8 s of measuring
    assert first == measure_bfloat16_speedup() > 0


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_what_is_asked_for_is_done(name):
    assert choose_precision(name, CPU).dtype == getattr(torch, name)


def test_float16_is_refused_on_a_cpu():
    with pytest.raises(UsageError) as caught:
        choose_precision("float16", CPU)
    assert caught.value.code == "models.float16_on_cpu"


def test_devices():
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type in ("cpu", "cuda")
    with pytest.raises(UsageError):
        choose_device("toaster")
    with pytest.raises(ResourceError):
        choose_device("cuda:99")
