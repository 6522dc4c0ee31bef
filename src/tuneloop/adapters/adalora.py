"""AdaLoRA (arXiv 2303.10512) through peft: a budget of ranks moves to the layers that need them; leaves as a plain LoRA.

Every layer's update is s·B·diag(E)·A. It begins with half as many ranks again as `r`; after each step peft's allocator
averages how much every entry of A, B and E matters (gradient times weight), and sets the E of the least important ranks
to zero, until `r` a layer are left on average. What it remembers stands in buffers that travel with checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from peft import AdaLoraConfig, LoraConfig, PeftConfig, PeftModel
from peft.tuners.adalora import SVDLinear
from torch import Tensor
from transformers import PreTrainedModel

from tuneloop.adapters.attach import REMEMBERED, attach
from tuneloop.adapters.lora import Settings

FIRST, LAST = 0.1, 0.5
"""Shares of the steps before the budget begins to shrink, and after it has its last size."""
ORTHOGONAL = 0.5
"""Weight of the penalty that keeps A and B orthogonal; peft's default."""
_AVERAGES = {"sensitivity": "exp_avg_ipt", "uncertainty": "exp_avg_unc"}


def first_rank(r: int) -> int:
    """Ranks that a layer begins with when `r` are left on average; always more, as the allocator needs.

    >>> first_rank(8), first_rank(1)
    (12, 2)
    """
    return math.ceil(1.5 * r)


def attach_adalora(model: PreTrainedModel, settings: Settings, seed: int) -> PeftModel:
    """Put AdaLoRA's layers into a model, in place. E starts at zero, so nothing changes until training.

    Args:
        model: the frozen base model.
        settings: LoRA's, and `steps`, the number of optimiser steps that the budget is spread over.
        seed: of A's and B's initial values.

    Raises:
        RecipeError: the model has no layers of these names (code `adapters.no_target`).
    """
    steps, wanted = int(settings["steps"]), settings["target_modules"]
    config = AdaLoraConfig(
        init_r=first_rank(settings["r"]),
        target_r=settings["r"],
        tinit=int(FIRST * steps),
        tfinal=int(LAST * steps),
        deltaT=max(1, steps // 100),
        total_step=steps,
        orth_reg_weight=ORTHOGONAL,
        lora_alpha=settings["lora_alpha"],
        lora_dropout=settings["lora_dropout"],
        target_modules=wanted if isinstance(wanted, str) else list(wanted),
        task_type="CAUSAL_LM",
    )
    attached = attach(model, config, seed=seed)
    for _, layer in _layers(attached):
        for part in ("A", "B", "E"):
            weight = _weight(layer, part)
            for average in _AVERAGES:
                layer.register_buffer(f"{REMEMBERED}{average}_{part}", torch.zeros_like(weight), persistent=False)
        kept = torch.ones_like(_weight(layer, "E"), dtype=torch.bool)
        layer.register_buffer(f"{REMEMBERED}kept", kept, persistent=False)
    return attached


def orthogonal_penalty(model: PeftModel) -> Tensor:
    """Mean over all A and B of the Frobenius norm of A·Aᵀ - I and Bᵀ·B - I, weighted (scalar; equation 4 of the paper)."""
    norms = []
    for _, layer in _layers(model):
        for rows in (_weight(layer, "A"), _weight(layer, "B").T):  # [r, in], [r, out]
            norms.append(torch.linalg.matrix_norm(rows @ rows.T - torch.eye(len(rows), device=rows.device)))
    return ORTHOGONAL * torch.stack(norms).mean()


@torch.no_grad()
def allocate(model: PeftModel, step: int) -> None:
    """After a step (1 …), while its gradients are there: note what mattered, and take ranks away as planned.

    peft's own `update_and_allocate`, but from what the buffers remember; and when the step that fixes the ranks was left
    out, the mask of the last one before it stays.
    """
    allocator: Any = model.base_model.rankallocator
    settings: Any = model.peft_config["default"]
    last = settings.total_step - settings.tfinal
    if step <= last:
        _recall(model, allocator)
        allocator.update_ipt(model.base_model.model)
        for name, layer in _layers(model):
            for part in ("A", "B", "E"):
                for average, theirs in _AVERAGES.items():
                    found = getattr(allocator, theirs)[_parameter(name, part)]
                    getattr(layer, f"{REMEMBERED}{average}_{part}").copy_(found)
        budget, is_due = allocator.budget_schedule(step)
        if is_due or step == last:
            pattern = allocator.mask_to_budget(model.base_model.model, budget)
            for name, layer in _layers(model):
                kept = getattr(layer, f"{REMEMBERED}kept")
                kept.copy_(torch.tensor(pattern[_parameter(name, "E")]).unsqueeze(1))
        return
    for _, layer in _layers(model):
        _weight(layer, "E").masked_fill_(~getattr(layer, f"{REMEMBERED}kept"), 0.0)


def export_adalora(model: PeftModel) -> tuple[PeftConfig, dict[str, Tensor]]:
    """The same update as a plain LoRA whose ranks differ by layer: peft's settings and tensors.

    A carries E and the scale, so that every layer's alpha is its rank. A layer without ranks keeps one of zeros.
    """
    ours: Any = model.peft_config["default"]
    tensors, ranks = {}, {}
    for name, layer in _layers(model):
        a, b, e = (_weight(layer, part).detach() for part in ("A", "B", "E"))
        kept = e[:, 0] != 0
        kept[0] |= not kept.any()
        scale = layer.scaling["default"] / (layer.ranknum["default"] + 1e-5)  # as in peft's forward
        tensors[f"{name}.lora_A.weight"] = (a * e * scale)[kept]  # [rank, in]
        tensors[f"{name}.lora_B.weight"] = b[:, kept]  # [out, rank]
        ranks[name.removeprefix("base_model.model.")] = int(kept.sum())
    most = max(ranks.values())
    settings = LoraConfig(
        r=most,
        lora_alpha=most,
        rank_pattern=ranks,
        alpha_pattern=dict(ranks),
        target_modules=ours.target_modules,
        lora_dropout=ours.lora_dropout,
        task_type="CAUSAL_LM",
        base_model_name_or_path=ours.base_model_name_or_path,
    )
    return settings, tensors


def _recall(model: PeftModel, allocator: Any) -> None:
    """Give peft's allocator what it knew after the last step."""
    allocator.reset_ipt()
    for name, layer in _layers(model):
        for part in ("A", "B", "E"):
            for average, theirs in _AVERAGES.items():
                remembered = getattr(layer, f"{REMEMBERED}{average}_{part}")
                getattr(allocator, theirs)[_parameter(name, part)] = remembered.clone()
            allocator.ipt[_parameter(name, part)] = torch.zeros_like(_weight(layer, part))


def _layers(model: PeftModel) -> Iterator[tuple[str, Any]]:
    return ((name, module) for name, module in model.named_modules() if isinstance(module, SVDLinear))


def _weight(layer: Any, part: str) -> Tensor:
    weight: Tensor = getattr(layer, f"lora_{part}")["default"]
    return weight


def _parameter(name: str, part: str) -> str:
    """peft's allocator names parameters from the wrapped model on."""
    return f"{name.removeprefix('base_model.model.')}.lora_{part}.default"
