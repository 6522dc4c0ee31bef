"""Exports are read back and must give the stored answers; so must an adapter that is verified."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import torch

from tuneloop.adapters.folder import save_adapter
from tuneloop.adapters.gguf import read_lora_gguf
from tuneloop.adapters.lora import attach_lora
from tuneloop.adapters.low_rank import read_low_rank
from tuneloop.adapters.replay import FILE, record_answers
from tuneloop.core.errors import CorruptError, IncompatibleError, NotFoundError, UsageError
from tuneloop.core.records import Message
from tuneloop.models import gguf_write, openvino_graph
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import load_model
from tuneloop.models.tiny import build_tiny
from tuneloop.pipeline.exports import FORMATS, QUESTIONS, Form, export_adapter, verify_adapter
from tuneloop.serving.named import Named

CARD = {"name": "a", "steps": 1, "best_step": 1, "validation_loss": "1", "dataset": "d", "trained": 1, "share": 1.0}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Named:
    """An adapter of the tiny model that changes every answer, with its answers stored."""
    loaded = build_tiny()
    model = attach_lora(loaded.model, r=4, lora_alpha=8, target_modules="all-linear", dropout=0.0, seed=1)
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    replay = record_answers(
        model.get_base_model(),
        [(72, 105), (1, 2, 3)],
        stop_ids=loaded.template.stop_ids,
        template_sha256=loaded.template.sha256,
    )
    folder = tmp_path_factory.mktemp("adapters") / "a"
    save_adapter(folder, model, loaded, card=CARD, inputs={}, seed=1, replay=replay)
    return Named(name="a@v0001", model=ModelConfig(name_or_path="tiny"), folder=folder)


@pytest.fixture
def old(named: Named, tmp_path: Path) -> Named:
    """The same adapter as it was made before answers were kept."""
    loaded = build_tiny()
    model = attach_lora(loaded.model, r=4, lora_alpha=8, target_modules=("q_proj",), dropout=0.0, seed=1)
    save_adapter(tmp_path / "old", model, loaded, card=CARD, inputs={}, seed=1)
    return named.model_copy(update={"folder": tmp_path / "old"})


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_gives_the_stored_answers_again(form: Form, named: Named, tmp_path: Path) -> None:
    if form == "openvino":
        pytest.importorskip("openvino", reason="the extra 'openvino' is not installed")
    exported = export_adapter(named, tmp_path / "out", form=form)
    assert (exported.stored, exported.answers, exported.same, exported.agreed) == (True, 2, 2, 1.0)
    assert [path for path in tmp_path.iterdir() if path.name != "out"] == []


def test_an_export_that_answers_otherwise_is_refused_and_nothing_is_kept(
    named: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    architecture, _ = gguf_write.FAMILIES["llama"]
    monkeypatch.setitem(gguf_write.FAMILIES, "llama", (architecture, gguf_write.keep))
    with pytest.raises(IncompatibleError) as caught:
        export_adapter(named, tmp_path / "out", form="gguf")
    assert caught.value.code == "adapters.replay_differs"
    assert caught.value.status.exit == 7
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_answers_otherwise_is_refused_too(
    named: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino", reason="the extra 'openvino' is not installed")
    monkeypatch.setattr("tuneloop.adapters.merge.merge", lambda loaded, folder: loaded.model)
    with pytest.raises(IncompatibleError) as caught:
        export_adapter(named, tmp_path / "out", form="openvino")
    assert caught.value.code == "adapters.replay_differs"
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_is_no_language_model_is_told_apart(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="the extra 'openvino' is not installed")
    (tmp_path / openvino_graph.FILE).write_text("<net/>", encoding="utf-8")
    with pytest.raises(IncompatibleError) as caught:
        openvino_graph.read_openvino(tmp_path)
    assert caught.value.code == "models.openvino_unreadable"


def test_without_openvino_the_command_that_installs_it_is_named(
    named: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(NotFoundError) as caught:
        export_adapter(named, tmp_path / "out", form="openvino")
    assert "pip install 'tuneloop[openvino]'" in caught.value.hint()
    assert list(tmp_path.iterdir()) == []


def test_weights_that_a_format_does_not_have_are_refused_with_those_it_has(named: Named, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        export_adapter(named, tmp_path / "out", form="openvino", weights="q8_0")
    assert "f32, f16" in caught.value.hint()


def test_the_lora_file_holds_the_adapter_in_llama_cpp_s_layout(named: Named, tmp_path: Path) -> None:
    export_adapter(named, tmp_path / "out", form="gguf", weights="q8_0")
    found = read_lora_gguf(tmp_path / "out" / "a-v0001-lora.gguf")
    assert named.folder is not None
    updates = read_low_rank(named.folder)
    assert len(found) == len(updates) == 14
    loaded = build_tiny()
    for module, update in updates.items():
        expected = gguf_write.interleave(module, update.delta(), loaded.model.config)
        assert torch.allclose(found[gguf_write.tensor_name(loaded.model, f"{module}.weight")].delta(), expected)


def test_an_adapter_without_stored_answers_is_asked_before_it_is_exported(old: Named, tmp_path: Path) -> None:
    exported = export_adapter(old, tmp_path / "out", form="gguf")
    assert (exported.stored, exported.answers, exported.same) == (False, 3, 3)
    assert verify_adapter(old).answers == 0


def test_verifying_replays_the_answers_and_names_a_file_that_changed(named: Named, tmp_path: Path) -> None:
    found = verify_adapter(named)
    assert (found.stored, found.answers, found.same) == (True, 2, 2)
    assert named.folder is not None
    shutil.copytree(named.folder, tmp_path / "a")
    (tmp_path / "a" / FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(CorruptError) as caught:
        verify_adapter(named.model_copy(update={"folder": tmp_path / "a"}))
    assert str(caught.value.file).endswith(FILE)


def test_an_adapter_on_another_base_is_refused(named: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneloop.models.tiny.build_tiny", lambda: build_tiny(9))
    with pytest.raises(IncompatibleError) as caught:
        verify_adapter(named)
    assert caught.value.code == "adapters.base_differs"


@pytest.mark.model
def test_the_real_model_gives_the_same_greedy_answers_from_its_gguf_file(tmp_path: Path) -> None:
    config = ModelConfig(name_or_path="smollm2-135m", dtype="float32")
    loaded = load_model(config)
    model = attach_lora(loaded.model, r=4, lora_alpha=8, target_modules="all-linear", dropout=0.0, seed=1)
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.02
    prompts = [loaded.template.prompt([Message(role="user", content=text)]) for text in QUESTIONS]
    template = loaded.template
    base = model.get_base_model()
    replay = record_answers(base, prompts, stop_ids=template.stop_ids, template_sha256=template.sha256)
    save_adapter(tmp_path / "a", model, loaded, card=CARD, inputs={}, seed=1, replay=replay)
    named = Named(name="a", model=config, folder=tmp_path / "a")
    exported = export_adapter(named, tmp_path / "out", form="gguf", weights="f32")
    assert (exported.same, exported.agreed) == (len(QUESTIONS), 1.0)
