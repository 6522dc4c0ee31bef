"""From a name in the recipe to a model that is ready to be used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from tuneloop.core.errors import CorruptError, IncompatibleError
from tuneloop.core.hashing import hash_file, hash_value
from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.models import tiny
from tuneloop.models.config import ModelConfig
from tuneloop.models.loaded import LoadedModel, ModelText
from tuneloop.models.locate import locate
from tuneloop.models.precision import choose_device, choose_precision
from tuneloop.models.quiet import quiet_libraries
from tuneloop.models.structure import TemplateText
from tuneloop.models.template import ChatTemplate
from tuneloop.store.artifacts import MANIFEST, read_manifest

__all__ = ["LoadedModel", "load_model", "load_skeleton", "load_text", "load_tokenizer", "read_tokenizer", "save_model"]


def load_model(config: ModelConfig, *, progress: Progress = SILENT) -> LoadedModel:
    """Load the weights (frozen, in evaluation mode, in the compute type), the tokenizer and the chat template.

    Raises:
        CorruptError: the weights are damaged, incomplete, or not what their manifest says (`models.weights_…`).
        IncompatibleError: this is no causal language model, or its tokenizer does not fit (`models.…`).
        TuneloopError: everything that `locate`, `choose_device` and `choose_precision` raise.
    """
    device = choose_device(config.device)
    precision = choose_precision(config.dtype, device)
    if config.name_or_path == tiny.NAME:
        built = tiny.build_tiny()
        dtype = built.dtype if config.dtype == "auto" else precision.dtype
        return LoadedModel(
            built.name, built.model.to(device, dtype), built.tokenizer, built.template, dtype, device, built.sha256
        )
    located = locate(config, progress)
    progress.note(text("models.loading", name=config.name_or_path, dtype=str(precision.dtype).removeprefix("torch.")))
    tokenizer = read_tokenizer(located.folder)
    digest = hash_folder(located.folder)
    model = _read_weights(located.folder, precision.dtype).to(device)
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise IncompatibleError("models.vocabulary", file=located.folder, tokens=len(tokenizer), rows=rows)
    model.name_or_path = located.origin
    return LoadedModel(
        name=config.name_or_path,
        model=model.eval().requires_grad_(False),
        tokenizer=tokenizer,
        template=ChatTemplate(tokenizer),
        dtype=precision.dtype,
        device=device,
        sha256=digest,
    )


def load_tokenizer(config: ModelConfig, *, progress: Progress = SILENT) -> tuple[PreTrainedTokenizerBase, ChatTemplate]:
    """Load the tokenizer and the chat template, without the weights.

    Raises:
        TuneloopError: everything that `locate` raises, `models.tokenizer`, `models.no_stop_token`.
    """
    is_tiny = config.name_or_path == tiny.NAME
    tokenizer = tiny.build_byte_tokenizer() if is_tiny else read_tokenizer(locate(config, progress).folder)
    return tokenizer, ChatTemplate(tokenizer)


def load_skeleton(config: ModelConfig, dtype: torch.dtype, *, progress: Progress = SILENT) -> LoadedModel:
    """Load tokenizer, template and the model's shapes without its weights, for plans: nothing can be computed with it.

    A folder needs no weights: `config.json` and the tokenizer's files are enough.

    Raises:
        IncompatibleError: this is no causal language model (code `models.not_causal`), or its tokenizer does not fit.
        TuneloopError: everything that `locate` raises.
    """
    path = Path(config.name_or_path).expanduser()
    if config.name_or_path == tiny.NAME:
        tokenizer, shapes = tiny.build_byte_tokenizer(), tiny.build_tiny().model.config
    else:
        folder = path if (path / "config.json").is_file() else locate(config, progress).folder
        tokenizer = read_tokenizer(folder)
        try:
            shapes = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        except (ValueError, OSError, KeyError) as error:
            raise IncompatibleError("models.not_causal", file=folder, problem=_first_line(error)) from error
    try:
        with torch.device("meta"), quiet_libraries():
            model = AutoModelForCausalLM.from_config(shapes, dtype=dtype)
    except (ValueError, RuntimeError, KeyError, ImportError) as error:
        raise IncompatibleError("models.not_causal", file=path, problem=_first_line(error)) from error
    return LoadedModel(
        config.name_or_path, model, tokenizer, ChatTemplate(tokenizer), dtype, torch.device("meta"), sha256=""
    )


def load_text(config: ModelConfig, *, progress: Progress = SILENT) -> ModelText:
    """What a model is without its weights: for a server whose weights another process holds.

    Raises:
        TuneloopError: as `load_tokenizer`, and `models.weights_differ`.
    """
    _, template = load_tokenizer(config, progress=progress)
    if config.name_or_path == tiny.NAME:
        return ModelText(tiny.NAME, template, tiny.build_tiny().sha256)
    return ModelText(config.name_or_path, template, hash_folder(locate(config, progress).folder))


def save_model(loaded: LoadedModel, folder: Path) -> None:
    """Write weights and tokenizer as a folder that transformers, peft and `load_model` read."""
    with quiet_libraries():
        loaded.model.save_pretrained(folder)
        loaded.tokenizer.save_pretrained(folder)


def hash_folder(folder: Path) -> str:
    """Identify the weights in a folder by the SHA-256 of every safetensors file.

    Raises:
        CorruptError: a file is not what the folder's manifest says (code `models.weights_differ`).
    """
    found = {path.name: _hash_weights(path) for path in sorted(folder.glob("*.safetensors"))}
    if (folder / MANIFEST).is_file():
        expected = read_manifest(folder).files
        for name, digest in found.items():
            if expected.get(name) != digest:
                raise CorruptError("models.weights_differ", file=folder / name)
    return hash_value(found)


def _hash_weights(path: Path) -> str:
    """A large file in the hub's cache is a link to a blob that the hub named by its SHA-256: no need to read it."""
    target = path.resolve().name
    return target if path.is_symlink() and re.fullmatch(r"[0-9a-f]{64}", target) else hash_file(path)


def read_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Read the tokenizer in a folder, which needs no weights.

    Raises:
        IncompatibleError: it can't be read (code `models.tokenizer`).
    """
    try:
        with quiet_libraries():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the tokenizers library raises nothing more specific
        raise IncompatibleError("models.tokenizer", file=folder, problem=_first_line(error)) from error
    if not getattr(tokenizer, "is_fast", False):
        raise IncompatibleError("models.tokenizer", file=folder, problem=type(tokenizer).__name__)
    # What is saved beside an adapter must say the same to a program that renders the template itself.
    tokenizer.chat_template = TemplateText(tokenizer).without_default_system()
    return tokenizer


def _read_weights(folder: Path, dtype: Any) -> PreTrainedModel:
    try:
        with quiet_libraries():
            model, found = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=dtype,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                attn_implementation="sdpa",
                output_loading_info=True,
            )
    except SafetensorError as error:
        raise CorruptError("models.weights_unreadable", file=folder, problem=_first_line(error)) from error
    except (ValueError, OSError, RuntimeError, KeyError, ImportError) as error:
        raise IncompatibleError("models.not_causal", file=folder, problem=_first_line(error)) from error
    missing = sorted(found["missing_keys"])
    if missing:
        raise CorruptError("models.weights_missing", file=folder, count=len(missing), first=missing[0])
    return model


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
