"""What is tried before step 1: it measures, it warns and refuses, and it leaves model and disk as they were."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from tuneloop.adapters.config import AdapterConfig
from tuneloop.core.records import Finding, Plan
from tuneloop.models.load import LoadedModel
from tuneloop.training import rehearsal
from tuneloop.training.config import TrainingConfig
from tuneloop.training.identity import Inputs
from tuneloop.training.prepare import Prepared, prepare
from tuneloop.training.rehearsal import largest_batch, rehearse


@pytest.fixture
def inputs(dataset: Path, loaded: LoadedModel) -> Inputs:
    return Inputs(TrainingConfig(max_tokens_per_batch=300), AdapterConfig(r=4), dataset, loaded, name="sums", seed=7)


def tried(inputs: Inputs, folder: Path) -> dict[str, Finding]:
    plan = rehearse(inputs, prepare(inputs, folder), folder)
    return {found.check: found for found in plan.findings}


def out_of_memory(*_: Any) -> None:
    raise MemoryError


def test_a_step_is_measured_and_the_model_and_the_disk_are_as_before(inputs: Inputs, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in inputs.loaded.model.state_dict().items()}
    state, files = torch.get_rng_state(), sorted(tmp_path.rglob("*"))
    found = tried(inputs, tmp_path / "w" / "runs" / "new")
    assert found["rehearsal"].status == found["room"].status == "pass"
    assert "GB in use" in found["rehearsal"].message
    after = inputs.loaded.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(torch.get_rng_state(), state)
    assert sorted(tmp_path.rglob("*")) == files


def test_out_of_memory_warns_where_the_batch_can_be_halved_and_refuses_at_one_sample(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "supervised_loss", out_of_memory)
    found = tried(inputs, tmp_path / "new")["rehearsal"]
    assert found.status == "warn"
    assert "max_tokens_per_batch" in found.fix
    monkeypatch.setattr(rehearsal, "largest_batch", lambda prepared, seed: prepared.train[:1])
    found = tried(inputs, tmp_path / "new")["rehearsal"]
    assert found.status == "refuse"
    assert "max_length" in found.fix


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system can't reserve room")
def test_a_disk_without_room_is_refused_and_one_that_can_not_reserve_says_nothing(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [errno.ENOSPC, errno.EOPNOTSUPP]

    def fail(*_: int) -> None:
        raise OSError(numbers[0], os.strerror(numbers[0]))

    monkeypatch.setattr(os, "posix_fallocate", fail)
    assert tried(inputs, tmp_path / "new")["room"].status == "refuse"
    numbers.pop(0)
    assert "room" not in tried(inputs, tmp_path / "new")


def test_the_largest_micro_batch_has_the_most_tokens(inputs: Inputs, tmp_path: Path) -> None:
    prepared = prepare(inputs, tmp_path)
    batch = largest_batch(prepared, 7)
    assert 200 < sum(len(e.ids) for e in batch) <= 300
    assert largest_batch(Prepared(prepared.plan, [], []), 7) == []
    assert isinstance(prepared.plan, Plan)
