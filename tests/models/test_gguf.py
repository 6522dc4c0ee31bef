"""GGUF files become folders."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from tuneloop.core.errors import CorruptError, IncompatibleError
from tuneloop.core.progress import SILENT
from tuneloop.models import gguf
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import load_model
from tuneloop.store.artifacts import verify


def test_a_converted_file_gives_the_logits_of_the_original(gguf_file, tiny):
    loaded = load_model(ModelConfig(name_or_path=str(gguf_file), dtype="float32"))
    ids = torch.arange(40)[None]
    assert torch.allclose(loaded.model(input_ids=ids).logits, tiny.model(input_ids=ids).logits, atol=1e-4)
    assert loaded.template.stop_ids == tiny.template.stop_ids
    assert loaded.tokenizer.model_max_length == 2048


def test_the_folder_is_whole_plain_and_holds_no_path_of_this_machine(gguf_file, tmp_path):
    gguf.convert(gguf_file, tmp_path / "out")
    manifest = verify(tmp_path / "out")
    assert manifest.kind == "model"
    assert set(manifest.files) >= {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    for name in ("config.json", "tokenizer_config.json"):
        text = (tmp_path / "out" / name).read_text()
        assert str(gguf_file.parent) not in text
        assert "quantization" not in text


def test_weights_that_are_no_bfloat16_numbers_stay_float32(gguf_file, tmp_path):
    gguf.convert(gguf_file, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "float32"


def test_smollm_s_digits_are_one_token_each(gguf_file):
    tokenizer = load_model(ModelConfig(name_or_path=str(gguf_file))).tokenizer
    assert tokenizer.tokenize("a  1") == ["a", "ĠĠ", "1"]


def test_an_interrupted_conversion_leaves_nothing_and_the_next_one_succeeds(gguf_file, cache, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gguf, "_repair", stop)
        with pytest.raises(KeyboardInterrupt):
            gguf.convert_into_cache(gguf_file)
    assert [path for path in (cache / "models").iterdir() if path.is_dir()] == []
    folder = gguf.convert_into_cache(gguf_file)
    verify(folder)
    assert gguf.convert_into_cache(gguf_file, progress=SILENT) == folder


def test_what_a_killed_process_left_is_removed(gguf_file, cache):
    folder = gguf.convert_into_cache(gguf_file)
    left = folder.parent / f".{folder.name}.dead.tmp"
    left.mkdir()
    gguf.convert_into_cache(gguf_file)
    assert not left.exists()


@pytest.mark.parametrize("keep", [0, 10, 400, 3000])
def test_a_cut_file_is_refused(gguf_file, tmp_path, keep):
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(gguf_file.read_bytes()[:keep])
    with pytest.raises(CorruptError) as caught:
        load_model(ModelConfig(name_or_path=str(cut)))
    assert caught.value.code == "models.gguf_unreadable"


def test_an_architecture_that_is_not_known_is_named(gguf_file, tmp_path):
    other = tmp_path / "other.gguf"
    other.write_bytes(Path(gguf_file).read_bytes().replace(b"llama", b"lxama"))
    with pytest.raises(IncompatibleError) as caught:
        load_model(ModelConfig(name_or_path=str(other)))
    assert caught.value.code == "models.gguf_unsupported"
    assert "lxama" in caught.value.message("en")
