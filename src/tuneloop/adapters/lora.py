"""LoRA (arXiv 2106.09685) through peft: W stays frozen, its update is B·A of rank r, scaled by alpha / r."""

from __future__ import annotations

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from tuneloop.core.errors import RecipeError


def attach_lora(
    model: PreTrainedModel,
    *,
    r: int,
    lora_alpha: float,
    target_modules: str | tuple[str, ...],
    dropout: float,
    seed: int,
) -> PeftModel:
    """Put LoRA layers into a model, in place. B starts at zero, so nothing changes until training.

    Args:
        model: the frozen base model.
        r: rank.
        lora_alpha: the update is scaled by lora_alpha / r.
        target_modules: `all-linear` (all but the head) or names of linear layers.
        dropout: share of the adapter's inputs that is dropped in training.
        seed: of A's initial values; the global random state is left as it was.

    Raises:
        RecipeError: the model has no layers of these names (code `adapters.no_target`).
    """
    targets: str | list[str] = target_modules if isinstance(target_modules, str) else list(target_modules)
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, target_modules=targets, lora_dropout=dropout, bias="none", task_type="CAUSAL_LM"
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            attached = get_peft_model(model, config)
        except ValueError as error:
            names = sorted({name.split(".")[-1] for name, m in model.named_modules() if isinstance(m, torch.nn.Linear)})
            raise RecipeError("adapters.no_target", targets=target_modules, found=", ".join(names)) from error
    for name, parameter in attached.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.float()
    return attached


def count_parameters(model: torch.nn.Module) -> tuple[int, int]:
    """Trained and total parameters."""
    total = sum(p.numel() for p in model.parameters())
    return sum(p.numel() for p in model.parameters() if p.requires_grad), total
