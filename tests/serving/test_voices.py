"""Several adapters of one base model in one conversation."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tuneloop.core.errors import NotFoundError
from tuneloop.engine.request import Sampling
from tuneloop.models.load import LoadedModel
from tuneloop.serving.answer import Answerer, merged_engine
from tuneloop.serving.named import find
from tuneloop.serving.voices import Voices
from tuneloop.store.workspace import Workspace

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def voices(loaded: LoadedModel, workspace: Workspace) -> Voices:
    return Voices(loaded, "tiny", workspace, max_new_tokens=8)


def test_each_name_answers_as_its_merged_weights_do(voices: Voices, loaded: LoadedModel, workspace: Workspace) -> None:
    for name in ("base:tiny", "bank", "legal@v0001"):
        engine = merged_engine(loaded, find(name, workspace).folder)
        alone = Answerer(loaded, engine, name=name, sampling=Sampling(max_new_tokens=8))
        assert voices.find(name).answer(HELLO) == alone.answer(HELLO)


def test_a_version_is_loaded_once_whatever_it_is_called(voices: Voices) -> None:
    assert voices.find("bank") is voices.find("bank@v0001") is voices.find("bank@candidate")
    assert voices.find("base") is voices.find("base:tiny")


def test_an_adapter_that_cannot_share_a_batch_is_merged(
    voices: Voices, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tuneloop.core.errors import IncompatibleError

    folder = shutil.copytree(find("bank", workspace).folder or "", tmp_path / "bank")

    def refuse(folder: Path) -> None:
        raise IncompatibleError("adapters.not_low_rank", file=folder, found="lora_magnitude_vector")

    monkeypatch.setattr("tuneloop.serving.voices.read_low_rank", refuse)
    assert voices.find(str(folder)).answer(HELLO) == voices.find("bank").answer(HELLO)


def test_an_adapter_of_another_base_is_told(voices: Voices, workspace: Workspace, tmp_path: Path) -> None:
    folder = shutil.copytree(find("bank", workspace).folder or "", tmp_path / "bank")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["config"]["base_model"] = "smollm2-135m"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in (str(folder), "base:smollm2-135m"):
        with pytest.raises(NotFoundError) as caught:
            voices.find(name)
        assert caught.value.code == "serving.other_base"
