"""A GGUF file becomes a folder that transformers and peft load: once, in the cache, whole or not at all.

transformers reads the file: it knows how each family's tensors were laid out (Llama's permuted heads, Gemma's norms
stored plus one) and unpacks the blocks to float32. What it leaves wrong for a folder of its own is put right here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import gguf
import torch
from gguf import GGUFReader
from tokenizers import Tokenizer, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    modeling_gguf_pytorch_utils,
)

from tuneloop.core.errors import CorruptError, IncompatibleError
from tuneloop.core.hashing import hash_file
from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress, Tracker
from tuneloop.models.cache import filling, model_folder
from tuneloop.models.quiet import quiet_libraries
from tuneloop.store.artifacts import new_artifact

PRE_TOKENIZERS: dict[str, Any] = {
    # One digit, one token. transformers 5.23 does not know this value and cuts "a  1" otherwise than the model's own.
    "smollm": lambda: pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    ),
}
"""By the file's `tokenizer.ggml.pre`: how text is divided before the merges, where transformers does not know it."""


def convert(file: Path, final: Path, *, progress: Progress = SILENT) -> None:
    """Write `final`: safetensors, configuration and tokenizer of a GGUF file, with a manifest.

    The unpacked weights of a quantised file are no bfloat16 numbers; they are kept in float32, exact. Those that fit
    bfloat16 without a change are stored in it.

    Raises:
        IncompatibleError: transformers can't read this architecture (code `models.gguf_unsupported`).
        CorruptError: the file is no whole GGUF file (code `models.gguf_unreadable`).
    """
    metadata = read_metadata(file)
    inputs = {"gguf": hash_file(file)}
    with (
        new_artifact(final, kind="model", config={"source": "gguf", **metadata}, inputs=inputs) as folder,
        quiet_libraries(),
    ):
        try:
            tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
            with (
                progress.track(text("models.converting", file=file.name), None, "tensors") as bar,
                _counting(bar),
                _one_table(),
            ):
                model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
        except MemoryError:
            raise
        except Exception as error:  # the tokenizers library raises nothing more specific
            raise IncompatibleError(
                "models.gguf_unsupported", file=file, architecture=metadata["architecture"], problem=str(error)
            ) from error
        _forget_the_file(model)
        _store_exactly(model)
        model.save_pretrained(folder, max_shard_size="5GB")
        _repair(tokenizer, metadata)
        tokenizer.save_pretrained(folder)
        _drop_machine_paths(folder)


def convert_into_cache(file: Path, *, progress: Progress = SILENT) -> Path:
    """Convert a GGUF file once and return its folder in the cache, which is named by the file's hash.

    Raises:
        IncompatibleError, CorruptError: see `convert`.
    """
    final = model_folder(f"gguf-{hash_file(file)[:16]}")
    with filling(final) as empty:
        if empty:
            convert(file, final, progress=progress)
    return final


def read_metadata(file: Path) -> dict[str, Any]:
    """Architecture, kind of tokenizer, number of tokens and context length of a GGUF file.

    Raises:
        CorruptError: the file is no whole GGUF file (code `models.gguf_unreadable`).
    """
    try:
        fields = GGUFReader(file).fields
        architecture = str(fields["general.architecture"].contents())
        tokenizer = str(fields["tokenizer.ggml.pre"].contents()) if "tokenizer.ggml.pre" in fields else ""
        context = fields.get(f"{architecture}.context_length")
        return {
            "architecture": architecture,
            "pre_tokenizer": tokenizer,
            "tokens": len(fields["tokenizer.ggml.tokens"].data) if "tokenizer.ggml.tokens" in fields else None,
            "context_length": None if context is None else int(context.contents()),
        }
    except (ValueError, KeyError, IndexError, OSError) as error:
        raise CorruptError("models.gguf_unreadable", file=file, problem=str(error)) from error


@contextmanager
def _counting(bar: Tracker) -> Iterator[None]:
    """Count the tensors on our bar. transformers draws one of its own here that no setting silences."""

    def count(items: Iterable[Any], **_: Any) -> Iterator[Any]:
        for item in items:
            yield item
            bar.advance()

    original = modeling_gguf_pytorch_utils.tqdm
    modeling_gguf_pytorch_utils.tqdm = count
    try:
        yield
    finally:
        modeling_gguf_pytorch_utils.tqdm = original


@contextmanager
def _one_table() -> Iterator[None]:
    """Make the table of tensor names once: transformers 5.23 makes it anew for each of the model's modules."""
    original = gguf.get_tensor_name_map
    gguf.get_tensor_name_map = lru_cache(original)
    try:
        yield
    finally:
        gguf.get_tensor_name_map = original


def _forget_the_file(model: PreTrainedModel) -> None:
    """Make the model an ordinary one: `save_pretrained` refuses what it believes to be a quantised model."""
    model.hf_quantizer = None
    model.is_quantized = False
    model.quantization_method = None
    del model.config.quantization_config


def _store_exactly(model: PreTrainedModel) -> None:
    """Turn the model into bfloat16 if that changes no weight."""
    exact = all(torch.equal(weight.bfloat16().float(), weight) for weight in model.parameters())
    model.to(torch.bfloat16 if exact else torch.float32)


def _repair(tokenizer: PreTrainedTokenizerBase, metadata: dict[str, Any]) -> None:
    """Give the tokenizer what the file knows and transformers did not read."""
    known = PRE_TOKENIZERS.get(metadata["pre_tokenizer"])
    if known is not None:
        tokenizer.backend_tokenizer.pre_tokenizer = known()
    if metadata["context_length"]:
        tokenizer.model_max_length = metadata["context_length"]
    if metadata["tokens"] is not None and len(tokenizer) > metadata["tokens"]:
        _forget_foreign_tokens(tokenizer, metadata["tokens"])


def _forget_foreign_tokens(tokenizer: PreTrainedTokenizerBase, count: int) -> None:
    """Take back what transformers' byte-level tokenizer adds to a vocabulary without it (`<|endoftext|>`).

    The model has no row for such a token.
    """
    backend = json.loads(tokenizer.backend_tokenizer.to_str())
    backend["added_tokens"] = [token for token in backend["added_tokens"] if token["id"] < count]
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(backend))
    known = tokenizer.get_vocab()
    for role, token in dict(tokenizer.special_tokens_map).items():
        if isinstance(token, str) and token not in known:
            setattr(tokenizer, role, None)


def _drop_machine_paths(folder: Path) -> None:
    """Remove from the JSON files where the GGUF file lay."""
    for name, keys in {
        "config.json": ("_name_or_path",),
        "tokenizer_config.json": ("name_or_path", "is_local", "local_files_only"),
    }.items():
        path = folder / name
        values = json.loads(path.read_text(encoding="utf-8"))
        kept = {key: value for key, value in values.items() if key not in keys}
        path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
