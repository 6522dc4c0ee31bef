"""Small random models of the families that the engine writes out."""

import pytest
import torch
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

SHAPE = {
    "vocab_size": 512,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": 0,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
GEMMA_LAYERS = ["sliding_attention", "full_attention", "sliding_attention"]


def build(family: str) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        match family:
            case "llama":
                model = LlamaForCausalLM(LlamaConfig(**SHAPE, tie_word_embeddings=True))
            case "llama with biases and scaled rotary":
                config = LlamaConfig(**SHAPE, attention_bias=True, mlp_bias=True, rope_parameters=LLAMA3_ROPE)
                model = LlamaForCausalLM(config)
            case "qwen2":
                model = Qwen2ForCausalLM(Qwen2Config(**SHAPE))
            case "qwen3":
                model = Qwen3ForCausalLM(Qwen3Config(**SHAPE, head_dim=16))
            case "gemma3":
                config = Gemma3TextConfig(
                    **SHAPE, head_dim=16, sliding_window=8, query_pre_attn_scalar=20, layer_types=GEMMA_LAYERS
                )
                model = Gemma3ForCausalLM(config)
            case "gpt2":
                model = GPT2LMHeadModel(GPT2Config(vocab_size=512, n_embd=32, n_layer=2, n_head=4, n_positions=256))
        for weight in model.parameters():  # the usual small start gives nearly equal logits: ties
            torch.nn.init.normal_(weight, std=0.3)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.eval().requires_grad_(False)


LEAN = ["llama", "llama with biases and scaled rotary", "qwen2", "qwen3", "gemma3"]


@pytest.fixture(params=[*LEAN, "gpt2"])
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    return build(request.param)


@pytest.fixture(params=LEAN)
def lean_model(request: pytest.FixtureRequest) -> PreTrainedModel:
    return build(request.param)


@pytest.fixture
def llama() -> PreTrainedModel:
    return build("llama")


@pytest.fixture
def every_lean_model() -> list[PreTrainedModel]:
    return [build(family) for family in LEAN]
