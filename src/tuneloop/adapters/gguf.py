"""An adapter alone as a GGUF file: for programs that load it beside its base model (`llama-server --lora`, Ollama)."""

from __future__ import annotations

from pathlib import Path

import gguf
import torch
from torch import Tensor
from transformers import PreTrainedModel

from tuneloop.adapters.low_rank import LowRank, read_low_rank
from tuneloop.core.errors import CorruptError
from tuneloop.models.gguf_write import family_of, tensor_name


def write_lora_gguf(folder: Path, model: PreTrainedModel, file: Path, *, name: str) -> None:
    """Write an adapter's matrices in float32, by llama.cpp's names and in its layout, and read them back.

    llama.cpp multiplies B·A by alpha over the rank of each pair. Pairs that are scaled otherwise (rsLoRA, alphas by
    pattern) carry the rest in B.

    Args:
        folder: the adapter.
        model: its base; only its shapes and names are used.
        file: where to write.
        name: of the adapter.

    Raises:
        IncompatibleError: the architecture can't be written (code `models.gguf_not_written`), or the adapter is more
            than low-rank matrices (`adapters.not_low_rank`).
        CorruptError: the file does not hold what was written (code `adapters.export_differs`).
    """
    architecture, arrange = family_of(model)
    updates = read_low_rank(folder)
    first = next(iter(updates.values()))
    alpha = first.scaling * first.a.shape[0]
    tensors: dict[str, Tensor] = {}
    for module, update in updates.items():
        target = tensor_name(model, f"{module}.weight")
        b = update.b.float() * (update.scaling * update.a.shape[0] / alpha)
        tensors[f"{target}.lora_a"] = update.a.float()
        tensors[f"{target}.lora_b"] = arrange(f"{module}.weight", b, model.config)
    writer = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[architecture])
    try:
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", alpha)
        writer.add_name(name)
        writer.add_file_type(gguf.LlamaFileType.ALL_F32)
        for key, tensor in tensors.items():
            writer.add_tensor(key, tensor.contiguous().numpy())
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
    _check(file, tensors, alpha)


def read_lora_gguf(file: Path) -> dict[str, LowRank]:
    """Read the updates of such a file, by llama.cpp's tensor names and in its layout."""
    reader = gguf.GGUFReader(file)
    alpha = float(reader.fields["adapter.lora.alpha"].contents())
    tensors = {tensor.name: torch.from_numpy(tensor.data.copy()) for tensor in reader.tensors}
    updates = {}
    for name, a in tensors.items():
        if name.endswith(".lora_a"):
            target = name.removesuffix(".lora_a")
            updates[target] = LowRank(a, tensors[f"{target}.lora_b"], alpha / a.shape[0])
    return updates


def _check(file: Path, tensors: dict[str, Tensor], alpha: float) -> None:
    found = read_lora_gguf(file)
    for name, update in found.items():
        same = torch.equal(update.a, tensors[f"{name}.lora_a"]) and torch.equal(update.b, tensors[f"{name}.lora_b"])
        if not same or abs(update.scaling * update.a.shape[0] - alpha) > 1e-4 * alpha:
            raise CorruptError("adapters.export_differs", file=file, found=name)
    if 2 * len(found) != len(tensors):
        raise CorruptError("adapters.export_differs", file=file, found=f"{len(found)} / {len(tensors) // 2}")
