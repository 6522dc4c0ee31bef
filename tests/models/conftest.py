"""A cache of its own for every test, no hub, and a tiny model as a folder and as a GGUF file."""

from pathlib import Path

import gguf
import pytest
import torch

from tuneloop.models.load import save_model
from tuneloop.models.loaded import LoadedModel
from tuneloop.models.tiny import CHATML, build_tiny


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNELOOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TUNELOOP_LANGUAGE", "en")
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def tiny() -> LoadedModel:
    return build_tiny(3)


@pytest.fixture
def folder(tmp_path: Path, tiny: LoadedModel) -> Path:
    save_model(tiny, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture(scope="session")
def gguf_file(tmp_path_factory: pytest.TempPathFactory, tiny: LoadedModel) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "small.gguf"
    write_gguf(path, tiny)
    return path


def write_gguf(path: Path, loaded: LoadedModel) -> None:
    """Write a Llama as llama.cpp's converter does: other names, query and key heads interleaved."""
    config, tokenizer = loaded.model.config, loaded.tokenizer
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("small")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    tokens = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    tokens[255] = "ĠĠ"  # what the one merge makes, in place of a byte that no text here has
    tokens[256] = "<|endoftext|>"  # transformers' byte-level tokenizer insists on having one
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token.startswith("<") and len(token) > 1 else 1 for token in tokens])
    writer.add_token_merges(["Ġ Ġ"])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_chat_template(CHATML)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, weight in loaded.model.state_dict().items():
        if name == "lm_head.weight":
            continue  # tied
        count = next((count for part, count in heads.items() if part in name), None)
        if count is not None:
            weight = weight.view(count, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)
        target = names.get_name(name, try_suffixes=(".weight",))
        writer.add_tensor(str(target), weight.to(torch.float32).contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
