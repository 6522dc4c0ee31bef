"""Putting a method's layers into a model through peft."""

from __future__ import annotations

from collections.abc import Callable

import torch
from peft import PeftConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import PreTrainedModel

from tuneloop.core.errors import RecipeError

REMEMBERED = "remembered_"
"""How buffers are called in which a method keeps what it must know at the next step; checkpoints hold them."""


def remembered(model: nn.Module) -> dict[str, Tensor]:
    """What the method keeps from step to step beside its parameters, by name, in a fixed order."""
    return {name: b for name, b in sorted(model.named_buffers()) if name.rsplit(".", 1)[-1].startswith(REMEMBERED)}


def is_linear(module: nn.Module) -> bool:
    """What most methods adapt."""
    return isinstance(module, nn.Linear)


def attach(
    model: PreTrainedModel, config: PeftConfig, *, seed: int, may_adapt: Callable[[nn.Module], bool] = is_linear
) -> PeftModel:
    """Put a method's layers into a model, in place; what is trained is float32.

    Args:
        model: the frozen base model.
        config: peft's, of the method.
        seed: of the initial values; the global random state is left as it was.
        may_adapt: which modules the error names when the targets are not in the model.

    Raises:
        RecipeError: the model has no modules of these names (code `adapters.no_target`).
    """
    wanted = getattr(config, "target_modules", None)
    targets = wanted if isinstance(wanted, str) else ", ".join(sorted(wanted or ()))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            attached = get_peft_model(model, config)
        except ValueError as error:
            found = ", ".join(sorted({name.split(".")[-1] for name, m in model.named_modules() if may_adapt(m)}))
            raise RecipeError("adapters.no_target", targets=targets, found=found) from error
    for parameter in attached.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return attached


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """Trained and total parameters."""
    total = sum(p.numel() for p in model.parameters())
    return sum(p.numel() for p in model.parameters() if p.requires_grad), total
