"""The built-in model `tiny`: a random two-layer Llama and a byte tokenizer, made in a moment and never downloaded.

Every test of the flow runs on it. It answers with noise, but it is wide enough, and its random output head strong
enough, that an adapter can teach it a few samples by heart: tests can show that learning happens.
"""

from __future__ import annotations

import hashlib

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from tuneloop.models.loaded import LoadedModel
from tuneloop.models.template import ChatTemplate

NAME = "tiny"
CONTROL_TOKENS = ("<pad>", "<|im_start|>", "<|im_end|>")
CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def build_tiny(seed: int = 0) -> LoadedModel:
    """Make the tiny model in float32 on the CPU; the same seed gives the same weights, bit for bit.

    Torch's global random state is left as it was.
    """
    tokenizer = build_byte_tokenizer()
    model = build_tiny_llama(seed)
    return LoadedModel(
        name=NAME,
        model=model,
        tokenizer=tokenizer,
        template=ChatTemplate(tokenizer),
        dtype=torch.float32,
        device=torch.device("cpu"),
        sha256=hash_weights(model),
    )


def build_byte_tokenizer() -> PreTrainedTokenizerBase:
    """A tokenizer with one token a byte, three control tokens and a ChatML template: any text in any language."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(letters)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in CONTROL_TOKENS])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<pad>",
        eos_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=CHATML,
        model_max_length=2048,
        clean_up_tokenization_spaces=False,
    )


def build_tiny_llama(seed: int) -> PreTrainedModel:
    """Two layers, hidden 64, 4 query and 2 key-value heads, tied embeddings: 100 thousand weights."""
    config = LlamaConfig(
        vocab_size=256 + len(CONTROL_TOKENS),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=256 + CONTROL_TOKENS.index("<|im_end|>"),
        pad_token_id=256 + CONTROL_TOKENS.index("<pad>"),
        attn_implementation="sdpa",
        dtype="float32",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
        # The usual standard deviation of 0.02 bounds the logits at about 1 while the embedding is frozen: no adapter
        # could ever make such a model sure of a token. These widths let it.
        for name, weight in model.named_parameters():
            if weight.dim() == 2:
                torch.nn.init.normal_(weight, std=0.3 if "embed" in name else weight.shape[1] ** -0.5)
    model.name_or_path = NAME
    return model.eval().requires_grad_(False)


def hash_weights(model: torch.nn.Module) -> str:
    """SHA-256 over the names and bytes of all weights."""
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(weight.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
