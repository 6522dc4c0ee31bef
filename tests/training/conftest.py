"""A small dataset folder and the built-in model: every flow of the training runs in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import LoadedModel, load_model
from tuneloop.store.artifacts import new_artifact
from tuneloop.store.samples import write_samples


def make_sample(number: int) -> Sample:
    question, answer = f"What is {number} plus one?", f"It is {number + 1}." + " Sure." * (number % 4)
    messages = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return Sample(id=f"s{number}", messages=messages, meta=Meta(source="test", row=number))


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody changes it."""
    folder = tmp_path_factory.mktemp("training") / "datasets" / "sums" / "abc"
    with new_artifact(folder, kind="dataset", config={"name": "sums"}) as temporary:
        write_samples(temporary / "train.jsonl", [make_sample(n) for n in range(40)])
        write_samples(temporary / "validation.jsonl", [make_sample(n) for n in range(40, 48)])
        write_samples(temporary / "test.jsonl", [make_sample(n) for n in range(48, 56)])
    return folder


@pytest.fixture
def loaded() -> LoadedModel:
    return load_model(ModelConfig(name_or_path="tiny"))
