"""The LoRA family through peft: W stays frozen, its update is B·A of rank r, scaled by alpha / r.

LoRA (arXiv 2106.09685); rsLoRA (arXiv 2312.03732), scaled by alpha / sqrt(r); DoRA (arXiv 2402.09353), which also trains
the length of every row of W; LoRA+ (arXiv 2402.12354), whose B learns faster than its A.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from peft import LoraConfig, PeftModel
from transformers import PreTrainedModel

from tuneloop.adapters.attach import attach

Settings = Mapping[str, Any]
"""Fields of the recipe's `adapter:` that the method takes, decided by the plan."""


def attach_lora(
    model: PreTrainedModel,
    *,
    r: int,
    lora_alpha: float,
    target_modules: str | tuple[str, ...],
    dropout: float,
    seed: int,
    **options: Any,
) -> PeftModel:
    """Put LoRA layers into a model, in place. B starts at zero, so nothing changes until training.

    Args:
        model: the frozen base model.
        r: rank.
        lora_alpha: the update is scaled by lora_alpha / r.
        target_modules: `all-linear` (all but the head) or names of linear layers.
        dropout: share of the adapter's inputs that is dropped in training.
        seed: of A's initial values; the global random state is left as it was.
        options: of peft's `LoraConfig`: what makes it another one of the family.

    Raises:
        RecipeError: the model has no layers of these names (code `adapters.no_target`).
    """
    targets: str | list[str] = target_modules if isinstance(target_modules, str) else list(target_modules)
    config = LoraConfig(
        r=r,
        lora_alpha=lora_alpha,
        target_modules=targets,
        lora_dropout=dropout,
        bias="none",
        task_type="CAUSAL_LM",
        **options,
    )
    return attach(model, config, seed=seed)


def _attach(model: PreTrainedModel, settings: Settings, seed: int, **options: Any) -> PeftModel:
    return attach_lora(
        model,
        r=settings["r"],
        lora_alpha=settings["lora_alpha"],
        target_modules=settings["target_modules"],
        dropout=settings["lora_dropout"],
        seed=seed,
        **options,
    )


def lora(model: PreTrainedModel, settings: Settings, seed: int) -> PeftModel:
    """LoRA; also the layers of LoRA+."""
    return _attach(model, settings, seed)


def rslora(model: PreTrainedModel, settings: Settings, seed: int) -> PeftModel:
    """LoRA scaled by alpha / sqrt(r): high ranks learn as fast as low ones."""
    return _attach(model, settings, seed, use_rslora=True)


def dora(model: PreTrainedModel, settings: Settings, seed: int) -> PeftModel:
    """LoRA of a matrix's direction, beside a trained magnitude for each of its rows."""
    return _attach(model, settings, seed, use_dora=True)


def pissa_layers(model: PreTrainedModel, settings: Settings, seed: int) -> PeftModel:
    """LoRA begun from the largest singular values, which are taken out of W; `pissa.py` puts them back."""
    return _attach(model, settings, seed, init_lora_weights="pissa_niter_16")


def faster_b(parameter: str, settings: Settings) -> float:
    """LoRA+: how many times the learning rate a parameter gets.

    >>> faster_b("q_proj.lora_B.default.weight", {"loraplus_lr_ratio": 16.0})
    16.0
    """
    return float(settings["loraplus_lr_ratio"]) if ".lora_B." in parameter else 1.0
