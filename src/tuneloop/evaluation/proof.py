"""Proof that an adapter is at work: an evaluation that scored the base model twice would prove nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuneloop.core.errors import IncompatibleError

if TYPE_CHECKING:  # summaries of finished evaluations need no torch
    import torch
    from transformers import PreTrainedModel


def prove_active(
    base: PreTrainedModel, adapted: Mapping[str, PreTrainedModel], probe: Sequence[int], folder: Path
) -> None:
    """Check that each adapter changes what the model says next after the probe.

    Args:
        base: the base model.
        adapted: merged models by name, as the engine holds them.
        probe: a prompt's token ids.
        folder: the adapter's folder, for the message.

    Raises:
        IncompatibleError: the logits are the base model's (code `evaluation.adapter_inactive`).
    """
    plain = _last_logits(base, probe)
    import torch

    for model in adapted.values():
        if torch.equal(plain, _last_logits(model, probe)):
            raise IncompatibleError("evaluation.adapter_inactive", file=folder)


def _last_logits(model: PreTrainedModel, ids: Sequence[int]) -> torch.Tensor:
    """Logits of the token after `ids`, shape `(vocabulary,)`."""
    import torch

    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=torch.tensor([list(ids)], device=model.device)).logits[0, -1]
    return logits
