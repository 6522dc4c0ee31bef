"""A trained adapter in a model that answers: merged where its method merges, otherwise with the method's layers in it."""

from __future__ import annotations

import copy
from pathlib import Path

from peft import PeftModel
from transformers import PreTrainedModel

from tuneloop.adapters.folder import check_adapter
from tuneloop.adapters.methods import METHODS
from tuneloop.adapters.prompt import shared_copy
from tuneloop.core.errors import IncompatibleError
from tuneloop.models.load import LoadedModel


def adapted(loaded: LoadedModel, folder: Path) -> PreTrainedModel:
    """Return a model that answers with an adapter, whatever its method. The base stays as it was.

    A merged model is a copy; with layers of its own it shares the base's weights.

    Raises:
        ArtifactError: the adapter is missing, damaged, or was trained on another base.
    """
    method = check_adapter(folder, loaded).config.get("method", "lora")
    if METHODS[method].merges:
        return merge(loaded, folder)
    model = METHODS[method].answering(PeftModel.from_pretrained(shared_copy(loaded.model), str(folder)))
    return model.eval().requires_grad_(False)


def merge(loaded: LoadedModel, folder: Path) -> PreTrainedModel:
    """Return a copy of the base with the adapter merged, in the base's compute type. The base stays as it was.

    The update is added to a float32 copy of the weights, then cast: in bf16 small updates would be rounded away.

    Raises:
        ArtifactError: the adapter is missing, damaged, or was trained on another base; or its method can't be merged
            (code `adapters.not_merged`).
    """
    method = check_adapter(folder, loaded).config.get("method", "lora")
    if not METHODS[method].merges:
        raise IncompatibleError("adapters.not_merged", file=folder, method=method)
    wide = copy.deepcopy(loaded.model).float()
    merged: PreTrainedModel = PeftModel.from_pretrained(wide, str(folder)).merge_and_unload()
    return merged.to(loaded.dtype).eval().requires_grad_(False)
