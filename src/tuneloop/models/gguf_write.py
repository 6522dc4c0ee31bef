"""A model becomes a GGUF file: what llama.cpp, Ollama and LM Studio run. Names and layouts are llama.cpp's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import gguf
import torch
from torch import Tensor
from transformers import PreTrainedModel

from tuneloop.core.errors import IncompatibleError
from tuneloop.core.progress import SILENT, Progress
from tuneloop.models.gguf_vocabulary import add_vocabulary
from tuneloop.models.loaded import LoadedModel

Weights = Literal["f32", "f16", "bf16", "q8_0"]
Arrange = Callable[[str, Tensor, Any], Tensor]

TYPES: dict[str, tuple[gguf.GGMLQuantizationType, gguf.LlamaFileType]] = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "bf16": (gguf.GGMLQuantizationType.BF16, gguf.LlamaFileType.MOSTLY_BF16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
"""How matrices are stored; vectors stay float32, as in llama.cpp's converter."""


def interleave(name: str, weight: Tensor, config: Any) -> Tensor:
    """Llama's query and key rows: Hugging Face keeps a head's two halves apart, llama.cpp pairs them.

    Args:
        name: of the tensor in the model, or of the module.
        weight: [heads · width, …].
        config: of the model.
    """
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    count = next((count for part, count in heads.items() if f".{part}" in name), None)
    if count is None:
        return weight
    return weight.reshape(count, 2, -1, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def keep(name: str, weight: Tensor, config: Any) -> Tensor:
    """Qwen: as it is."""
    return weight


def add_one(name: str, weight: Tensor, config: Any) -> Tensor:
    """Gemma's norms multiply by one plus their weight; llama.cpp stores the sum."""
    return weight + 1 if name.endswith("norm.weight") else weight


FAMILIES: dict[str, tuple[gguf.MODEL_ARCH, Arrange]] = {
    "llama": (gguf.MODEL_ARCH.LLAMA, interleave),
    "qwen2": (gguf.MODEL_ARCH.QWEN2, keep),
    "qwen3": (gguf.MODEL_ARCH.QWEN3, keep),
    "gemma3_text": (gguf.MODEL_ARCH.GEMMA3, add_one),
}
"""By Hugging Face's model type: llama.cpp's architecture, and how its tensors lie."""


def family_of(model: PreTrainedModel) -> tuple[gguf.MODEL_ARCH, Arrange]:
    """How llama.cpp calls a model's architecture and lays out its tensors.

    Raises:
        IncompatibleError: it can't be written (code `models.gguf_not_written`).
    """
    kind = str(model.config.model_type)
    if kind not in FAMILIES:
        raise IncompatibleError("models.gguf_not_written", what=kind, known=", ".join(sorted(FAMILIES)))
    scaling = {rope.get("rope_type", "default") for rope in _ropes(model.config)} - {"default"}
    if scaling:
        # transformers does not read these numbers back from a file, so nothing could be proven about it.
        raise IncompatibleError(
            "models.gguf_not_written", what=f"{kind}, rope {scaling.pop()}", known=", ".join(sorted(FAMILIES))
        )
    return FAMILIES[kind]


def tensor_name(model: PreTrainedModel, name: str) -> str:
    """llama.cpp's name of a tensor (`model.layers.0.self_attn.q_proj.weight` → `blk.0.attn_q.weight`).

    Raises:
        IncompatibleError: it has none (code `models.gguf_not_written`).
    """
    architecture, _ = family_of(model)
    found = _names(architecture, model.config.num_hidden_layers).get_name(name, try_suffixes=(".weight", ".bias"))
    if found is None:
        raise IncompatibleError("models.gguf_not_written", what=name, known=", ".join(sorted(FAMILIES)))
    return str(found)


@lru_cache(maxsize=4)
def _names(architecture: gguf.MODEL_ARCH, layers: int) -> gguf.TensorNameMap:
    """Making the table takes 0.1 s: not once a tensor."""
    return gguf.get_tensor_name_map(architecture, layers)


def write_gguf(loaded: LoadedModel, file: Path, *, weights: Weights, name: str, progress: Progress = SILENT) -> None:
    """Write weights, tokenizer and chat template into one GGUF file.

    Args:
        loaded: the model, merged with whatever belongs into it.
        file: where to write.
        weights: how matrices are stored.
        name: of the model, as its user reads it.
        progress: where to report.

    Raises:
        IncompatibleError: the architecture or the tokenizer can't be written (codes `models.gguf_not_written`,
            `models.gguf_tokenizer`).
    """
    model = loaded.model
    architecture, arrange = family_of(model)
    writer = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[architecture])
    try:
        writer.add_type("model")
        writer.add_name(name)
        writer.add_file_type(TYPES[weights][1])
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        _add_shape(writer, model.config)
        add_vocabulary(writer, loaded, rows=model.get_input_embeddings().weight.shape[0])
        tied = bool(model.config.tie_word_embeddings)
        tensors = {key: weight for key, weight in model.state_dict().items() if not (tied and key == "lm_head.weight")}
        with progress.track(file.name, len(tensors), "tensors") as bar:
            for key, weight in tensors.items():
                _add_tensor(writer, tensor_name(model, key), arrange(key, weight.float(), model.config), weights)
                bar.advance()
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _add_shape(writer: gguf.GGUFWriter, config: Any) -> None:
    """Sizes and constants, for all families alike."""
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(_ropes(config)[0]["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if config.model_type == "gemma3_text":
        writer.add_sliding_window(config.sliding_window)


def _ropes(config: Any) -> list[dict[str, Any]]:
    """The rotary embedding's parameters; where layers differ, those of full attention first."""
    found = config.rope_parameters
    if "rope_theta" in found:
        return [found]
    return [found[kind] for kind in sorted(found, key=lambda kind: kind != "full_attention")]


def _add_tensor(writer: gguf.GGUFWriter, name: str, weight: Tensor, weights: Weights) -> None:
    array = weight.detach().to("cpu", torch.float32).contiguous().numpy()
    kind = TYPES[weights][0] if weight.dim() > 1 else gguf.GGMLQuantizationType.F32
    if kind is gguf.GGMLQuantizationType.Q8_0 and array.shape[-1] % 32:
        kind = gguf.GGMLQuantizationType.F16  # its blocks are 32 wide
    if kind is not gguf.GGMLQuantizationType.F32:
        array = gguf.quants.quantize(array, kind)
    writer.add_tensor(name, array, raw_dtype=kind)
