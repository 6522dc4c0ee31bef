"""An adapter as what its methods reduce to: for every adapted module, W + scaling · B·A of a low rank.

LoRA, rsLoRA (another scaling), ranks and alphas by pattern: after training, all of them are two small matrices a module.
What is more than that (DoRA's magnitudes, trained biases, whole modules) is told from it here, and refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from tuneloop.core.errors import CorruptError, IncompatibleError

_WEIGHT = re.compile(r"^base_model\.model\.(?P<module>.+)\.lora_(?P<which>[AB])\.weight$")


@dataclass(frozen=True, slots=True)
class LowRank:
    """One module's update: scaling · B·A."""

    a: Tensor
    """[r, in]."""
    b: Tensor
    """[out, r]."""
    scaling: float

    def delta(self) -> Tensor:
        """The whole update, float32 [out, in]."""
        return self.scaling * (self.b.float() @ self.a.float())


def read_low_rank(folder: Path) -> dict[str, LowRank]:
    """Read an adapter's folder in peft's format, by the path of each adapted module in the base model.

    Raises:
        CorruptError: the files can't be read (code `adapters.unreadable`).
        IncompatibleError: it is more than low-rank updates of modules (code `adapters.not_low_rank`).
    """
    try:
        settings: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "adapter_model.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise CorruptError("adapters.unreadable", file=folder, problem=str(error)) from error
    return as_low_rank(tensors, settings, folder)


def as_low_rank(tensors: Mapping[str, Tensor], settings: Mapping[str, Any], folder: Path) -> dict[str, LowRank]:
    """Pair the A and B matrices of peft's state dict.

    Args:
        tensors: by peft's names, `base_model.model.….lora_A.weight`.
        settings: the content of `adapter_config.json`.
        folder: what errors name.

    Raises:
        IncompatibleError: as `read_low_rank`.
    """
    modules: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        match = _WEIGHT.match(name)
        if match is None:
            raise IncompatibleError("adapters.not_low_rank", file=folder, found=name)
        modules.setdefault(match["module"], {})[match["which"]] = tensor
    updates = {}
    for module, pair in modules.items():
        a, b = pair.get("A"), pair.get("B")
        if a is None or b is None or a.dim() != 2 or b.dim() != 2 or b.shape[1] != a.shape[0]:
            raise IncompatibleError("adapters.not_low_rank", file=folder, found=module)
        updates[module] = LowRank(a, b, _scaling(module, a.shape[0], settings))
    return updates


def _scaling(module: str, rank: int, settings: Mapping[str, Any]) -> float:
    alpha = float(settings.get("lora_alpha", rank))
    for pattern, value in (settings.get("alpha_pattern") or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):  # peft's own rule
            alpha = float(value)
            break
    return alpha / (rank**0.5 if settings.get("use_rslora") else rank)
