"""Loading a model."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from tuneloop.core.errors import CorruptError, IncompatibleError, TuneloopError
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import hash_folder, load_model, load_tokenizer
from tuneloop.store.artifacts import write_manifest


def load(folder, **changes):
    return load_model(ModelConfig(name_or_path=str(folder), **{"dtype": "float32", "device": "cpu", **changes}))


def test_the_built_in_model_needs_nothing():
    loaded = load_model(ModelConfig(name_or_path="tiny"))
    tokenizer, template = load_tokenizer(ModelConfig(name_or_path="tiny"))
    assert (loaded.name, loaded.dtype, loaded.device.type) == ("tiny", torch.float32, "cpu")
    assert template.sha256 == loaded.template.sha256
    assert len(tokenizer) == len(loaded.tokenizer)


def test_the_built_in_model_takes_the_type_that_is_asked_for():
    loaded = load_model(ModelConfig(name_or_path="tiny", dtype="bfloat16"))
    assert loaded.dtype == loaded.model.dtype == torch.bfloat16


def test_a_folder_gives_the_weights_that_were_saved(folder, tiny):
    loaded = load(folder)
    assert all(torch.equal(a, b) for a, b in zip(loaded.model.parameters(), tiny.model.parameters(), strict=True))
    assert loaded.template.sha256 == tiny.template.sha256
    assert loaded.model.name_or_path == str(folder)
    assert not loaded.model.training
    assert not any(weight.requires_grad for weight in loaded.model.parameters())
    assert loaded.model.config._attn_implementation == "sdpa"


def test_weights_come_in_the_compute_type_and_their_hash_does_not_depend_on_it(folder):
    narrow, wide = load(folder, dtype="bfloat16"), load(folder)
    assert narrow.model.dtype == torch.bfloat16
    assert narrow.sha256 == wide.sha256 == hash_folder(folder)


def test_other_weights_have_another_hash(folder):
    before = hash_folder(folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] += 1
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert hash_folder(folder) != before


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def damage_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


def drop_a_weight(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def forge(folder):
    write_manifest(folder, kind="model", config={})
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] += 1
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def pickle_weights(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def make_adapter(folder):
    (folder / "config.json").rename(folder / "adapter_config.json")


BROKEN = {
    "no config": (lambda folder: (folder / "config.json").unlink(), IncompatibleError, "models.no_model"),
    "config is no JSON": (lambda f: (f / "config.json").write_text("{"), IncompatibleError, "models.no_model"),
    "config is a list": (lambda f: (f / "config.json").write_text("[]"), IncompatibleError, "models.no_model"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), IncompatibleError, "models.no_model"),
    "pickled weights": (pickle_weights, IncompatibleError, "models.pickled"),
    "an adapter": (make_adapter, IncompatibleError, "models.is_adapter"),
    "code": (lambda f: change_config(f, auto_map={"AutoModel": "x.Y"}), IncompatibleError, "models.remote_code"),
    "no architecture": (lambda f: change_config(f, model_type="unheard"), IncompatibleError, "models.not_causal"),
    "an encoder": (lambda f: change_config(f, model_type="t5"), IncompatibleError, "models.not_causal"),
    "other shapes": (lambda f: change_config(f, hidden_size=32), IncompatibleError, "models.not_causal"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), IncompatibleError, "models.tokenizer"),
    "damaged weights": (damage_weights, CorruptError, "models.weights_unreadable"),
    "a weight missing": (drop_a_weight, CorruptError, "models.weights_missing"),
    "changed since the manifest": (forge, CorruptError, "models.weights_differ"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_ends_in_one_clear_error(folder, name):
    damage, kind, code = BROKEN[name]
    damage(folder)
    with pytest.raises(TuneloopError) as caught:
        load(folder)
    assert caught.value.code == code
    assert type(caught.value) is kind
    assert caught.value.message("en")
    assert caught.value.hint("zh")


def test_code_in_the_tokenizer_is_refused_too(folder):
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "auto_map": {"AutoTokenizer": ["x.Y", None]}}))
    with pytest.raises(IncompatibleError) as caught:
        load_tokenizer(ModelConfig(name_or_path=str(folder)))
    assert caught.value.code == "models.remote_code"


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(folder):
    path = folder / "tokenizer.json"
    values = json.loads(path.read_text())
    values["added_tokens"].append({**values["added_tokens"][-1], "id": 259, "content": "<extra>"})
    path.write_text(json.dumps(values))
    with pytest.raises(IncompatibleError) as caught:
        load(folder)
    assert caught.value.code == "models.vocabulary"


@pytest.mark.model
def test_the_starter_model_loads_with_its_chat_template():
    from tuneloop.core.records import Message

    loaded = load_model(ModelConfig(name_or_path="smollm2-135m"))
    prompt = loaded.template.prompt([Message(role="user", content="Hi")])
    assert loaded.tokenizer.decode(list(prompt)) == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert loaded.tokenizer.convert_ids_to_tokens(loaded.template.stop_ids) == ["<|im_end|>"]
