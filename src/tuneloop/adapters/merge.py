"""Merging: the update is added to a float32 copy of the weights, then cast; in bf16 small updates would be rounded away."""

from __future__ import annotations

import copy
from pathlib import Path

from peft import PeftModel
from transformers import PreTrainedModel

from tuneloop.adapters.folder import check_adapter
from tuneloop.models.load import LoadedModel


def merge(loaded: LoadedModel, folder: Path) -> PreTrainedModel:
    """Return a copy of the base with the adapter merged, in the base's compute type. The base stays as it was.

    Raises:
        ArtifactError: the adapter is missing, damaged, or was trained on another base.
    """
    check_adapter(folder, loaded)
    wide = copy.deepcopy(loaded.model).float()
    merged: PreTrainedModel = PeftModel.from_pretrained(wide, str(folder)).merge_and_unload()
    return merged.to(loaded.dtype).eval().requires_grad_(False)
