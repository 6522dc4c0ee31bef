"""Every method: how it is put into a model, how it leaves, and what it can do. `USUAL` holds what the recipe says of it.

The conformance suite is `tests/contracts/test_adapter_methods.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from peft import PeftConfig, PeftModel, get_peft_model_state_dict
from torch import Tensor
from transformers import PreTrainedModel

from tuneloop.adapters.adalora import allocate, attach_adalora, export_adalora, orthogonal_penalty
from tuneloop.adapters.bottleneck import houlsby, parallel, pfeiffer
from tuneloop.adapters.config import Method
from tuneloop.adapters.ia3 import attach_ia3
from tuneloop.adapters.lora import Settings, dora, faster_b, lora, rslora
from tuneloop.adapters.pissa import attach_pissa, detach_pissa, export_pissa
from tuneloop.adapters.prefix import answering_prefix, attach_prefix
from tuneloop.adapters.prompt import answering_prompt, attach_prompt, leave


def export_plain(model: PeftModel) -> tuple[PeftConfig, dict[str, Tensor]]:
    """peft's settings and tensors, as they are."""
    # With save_embedding_layers="auto" peft asks the hub about the base model: no download that was not asked for.
    return model.peft_config["default"], get_peft_model_state_dict(model, save_embedding_layers=False)


def unload(model: PeftModel) -> None:
    """Take the layers out of the base model."""
    model.unload()


def layered(model: PeftModel) -> PreTrainedModel:
    """The base with the method's layers in it answers as it is."""
    base: PreTrainedModel = model.get_base_model()
    return base


def same_rate(parameter: str, settings: Settings) -> float:
    """Every parameter learns at the same rate."""
    return 1.0


def nothing(model: PeftModel, step: int) -> None:
    """Nothing happens after a step."""


@dataclass(frozen=True, slots=True)
class Functions:
    """What a method is made of."""

    attach: Callable[[PreTrainedModel, Settings, int], PeftModel]
    """Put its layers into a model, in place, with a seed."""
    export: Callable[[PeftModel], tuple[PeftConfig, dict[str, Tensor]]] = export_plain
    """What its folder holds."""
    detach: Callable[[PeftModel], None] = unload
    """Give the base model back as it was."""
    rate_factor: Callable[[str, Settings], float] = same_rate
    """How many times the learning rate a parameter gets, by its name."""
    answering: Callable[[PeftModel], PreTrainedModel] = layered
    """A model that answers with it, for token ids without anything of the method in them."""
    penalty: Callable[[PeftModel], Tensor] | None = None
    """What is added to a step's mean loss (scalar)."""
    after_step: Callable[[PeftModel, int], None] = nothing
    """What happens after the optimiser's step (1 …), while the gradients are there."""
    starts_as_base: bool = True
    """Whether, up to rounding, nothing changes until training."""
    merges: bool = True
    """Whether it can become part of the base's weights; otherwise the model runs with its layers."""


METHODS: dict[Method, Functions] = {
    "lora": Functions(lora),
    "rslora": Functions(rslora),
    "dora": Functions(dora),
    "pissa": Functions(attach_pissa, export=export_pissa, detach=detach_pissa),
    "loraplus": Functions(lora, rate_factor=faster_b),
    "adalora": Functions(attach_adalora, export=export_adalora, penalty=orthogonal_penalty, after_step=allocate),
    "ia3": Functions(attach_ia3),
    "houlsby": Functions(houlsby, merges=False),
    "pfeiffer": Functions(pfeiffer, merges=False),
    "parallel": Functions(parallel, merges=False),
    "prompt_tuning": Functions(
        attach_prompt, detach=leave, answering=answering_prompt, starts_as_base=False, merges=False
    ),
    "prefix_tuning": Functions(
        attach_prefix, detach=leave, answering=answering_prefix, starts_as_base=False, merges=False
    ),
}
