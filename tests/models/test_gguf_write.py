"""Models become GGUF files that transformers reads back as the same models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GemmaTokenizer,
    LlamaConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Qwen2Config,
    Qwen3Config,
)

from tuneloop.core.errors import IncompatibleError
from tuneloop.core.records import Message
from tuneloop.models.config import ModelConfig
from tuneloop.models.gguf import convert
from tuneloop.models.gguf_write import FAMILIES, Weights, write_gguf
from tuneloop.models.load import load_model
from tuneloop.models.loaded import LoadedModel
from tuneloop.models.modelfile import modelfile
from tuneloop.models.template import ChatTemplate
from tuneloop.models.tiny import CHATML, CONTROL_TOKENS, build_tiny

SIZES: dict[str, Any] = {
    "vocab_size": 259,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
CONFIGS = {
    "llama": LlamaConfig(**SIZES, tie_word_embeddings=False),
    "qwen2": Qwen2Config(**SIZES, tie_word_embeddings=True),
    "qwen3": Qwen3Config(**SIZES, head_dim=128, tie_word_embeddings=True),
    "gemma3_text": Gemma3TextConfig(
        **SIZES | {"vocab_size": 300}, head_dim=32, query_pre_attn_scalar=256, sliding_window=16
    ),
}


def random_model(kind: str) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = AutoModelForCausalLM.from_config(CONFIGS[kind], dtype=torch.float32).eval()
        for name, weight in model.named_parameters():
            weight.data = torch.randn_like(weight) * (0.3 if weight.dim() == 1 or "embed" in name else 0.1)
    return model


def gemma_tokenizer() -> PreTrainedTokenizerBase:
    """Pieces with bytes to fall back on, and merges in the order of the vocabulary, as in Gemma's."""
    bytes_ = [f"<0x{number:02X}>" for number in range(256)]
    tokens = [
        "<pad>",
        "<eos>",
        "<bos>",
        "<unk>",
        *bytes_,
        "▁t",
        "he",
        "▁the",
        "▁",
        *"thecardi1.\n",
        *CONTROL_TOKENS[1:],
    ]
    vocab = {token: number for number, token in enumerate(tokens)}
    merges = [("▁", "t"), ("h", "e"), ("▁t", "he")]
    made = GemmaTokenizer(vocab=vocab, merges=merges, additional_special_tokens=list(CONTROL_TOKENS[1:]))
    made.chat_template = CHATML.replace("{% for", "{{ bos_token }}{% for", 1)
    return made


def read_back(file: Path, folder: Path) -> LoadedModel:
    convert(file, folder)
    return load_model(ModelConfig(name_or_path=str(folder), dtype="float32"))


@pytest.mark.parametrize("kind", sorted(FAMILIES))
def test_every_family_gives_its_logits_again(kind: str, tmp_path: Path) -> None:
    loaded = replace(build_tiny(), model=random_model(kind))
    if kind == "gemma3_text":
        tokenizer = gemma_tokenizer()
        loaded = replace(loaded, tokenizer=tokenizer, template=ChatTemplate(tokenizer))
    write_gguf(loaded, tmp_path / "m.gguf", weights="f32", name="m")
    back = read_back(tmp_path / "m.gguf", tmp_path / "back")
    ids = torch.arange(40)[None]
    with torch.inference_mode():
        assert torch.allclose(back.model(input_ids=ids).logits, loaded.model(input_ids=ids).logits, atol=2e-4)
    messages = [Message(role="user", content="the card,\n the  1. 好")]
    assert back.template.prompt(messages) == loaded.template.prompt(messages)
    assert back.template.stop_ids == loaded.template.stop_ids


@pytest.mark.parametrize(("weights", "error"), [("f16", 1e-2), ("bf16", 5e-2), ("q8_0", 5e-2)])
def test_smaller_weights_are_near(weights: Weights, error: float, tmp_path: Path) -> None:
    loaded = build_tiny()
    write_gguf(loaded, tmp_path / "m.gguf", weights=weights, name="m")
    back = dict(read_back(tmp_path / "m.gguf", tmp_path / "back").model.named_parameters())
    for name, weight in loaded.model.named_parameters():
        assert (back[name] - weight).abs().max() <= error * weight.abs().max()
        assert weight.dim() == 1 or not torch.equal(back[name], weight)


def test_what_can_t_be_read_back_is_not_written(tmp_path: Path) -> None:
    loaded = build_tiny()
    loaded.model.config.rope_parameters = {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}
    with pytest.raises(IncompatibleError) as caught:
        write_gguf(loaded, tmp_path / "m.gguf", weights="f16", name="m")
    assert caught.value.code == "models.gguf_not_written"
    assert not (tmp_path / "m.gguf").exists()


def test_the_modelfile_writes_prompts_as_the_template_does() -> None:
    text = modelfile(build_tiny(), model_file="m.gguf", lora_file="l.gguf", system="Be kind.")
    turn = '{{ if eq .Role "system" }}<|im_start|>system\n{{ .Content }}<|im_end|>\n{{ else if'
    assert turn in text
    assert "<|im_start|>user\n{{ .Content }}<|im_end|>\n<|im_start|>assistant\n{{ else if" in text
    assert 'SYSTEM """Be kind."""' in text
    assert 'PARAMETER stop "<|im_end|>"' in text
