"""`adapter:` in the recipe: the method, its size and where it is put."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from tuneloop.core.config import Auto, Config
from tuneloop.core.errors import RecipeError

Method = Literal[
    "lora",
    "rslora",
    "dora",
    "pissa",
    "loraplus",
    "adalora",
    "ia3",
    "houlsby",
    "pfeiffer",
    "parallel",
    "prompt_tuning",
    "prefix_tuning",
]
Targets = Literal["all-linear"] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Usual:
    """What a method takes from the recipe, and what is usual for it."""

    targets: Targets
    """Modules that are adapted when `target_modules` is `auto`."""
    fields: Mapping[str, Any]
    """Its own fields, with what `auto` means; None: the plan decides by the model's size."""
    rate: float = 1.0
    """Its learning rate, as a multiple of LoRA's."""


_LORA: Mapping[str, Any] = {"r": None, "lora_alpha": 32.0, "lora_dropout": 0.0}
USUAL: dict[Method, Usual] = {
    "lora": Usual("all-linear", _LORA),
    # alpha / sqrt(r) is at rank 8 what LoRA's 32 / r is.
    "rslora": Usual("all-linear", {**_LORA, "lora_alpha": 11.0}),
    "dora": Usual("all-linear", _LORA),
    # The paper's alpha is the rank, so that the update is not scaled; its matrices start large.
    "pissa": Usual("all-linear", {**_LORA, "lora_alpha": None}, rate=0.25),
    # A learns 4 times slower and B 4 times faster than LoRA's: 16 between them, as in the paper.
    "loraplus": Usual("all-linear", {**_LORA, "loraplus_lr_ratio": 16.0}, rate=0.25),
    # Its singular values start at zero between small matrices, and move slowly: a guess, not measured.
    "adalora": Usual("all-linear", _LORA, rate=2.0),
    "ia3": Usual(("k_proj", "v_proj", "down_proj"), {}, rate=8.0),
    "houlsby": Usual(("self_attn", "mlp"), {"reduction_factor": 16.0}),
    "pfeiffer": Usual(("mlp",), {"reduction_factor": 16.0}),
    "parallel": Usual(("mlp",), {"reduction_factor": 4.0}),
    # Embeddings are large beside an update of theirs: peft's examples learn at 3e-2, about twenty times LoRA's rate.
    "prompt_tuning": Usual((), {"num_virtual_tokens": 20}, rate=20.0),
    "prefix_tuning": Usual((), {"num_virtual_tokens": 20}, rate=10.0),
}
"""Every method of the recipe; how each is attached is `methods.METHODS`."""


def _taken(method: Method) -> set[str]:
    """Names of the fields that a method takes."""
    usual = USUAL[method]
    return {*usual.fields, *(("target_modules",) if usual.targets else ())}


class AdapterConfig(Config):
    """What is trained; everything else stays frozen."""

    method: Method = "lora"
    """Method: low-rank updates (lora; rslora: another scale; dora: a trained magnitude; pissa: begun from the largest
    singular values; loraplus: B learns faster; adalora: ranks move to the layers that need them), trained scales (ia3),
    or bottleneck layers behind attention and feed-forward (houlsby), behind feed-forward (pfeiffer) or beside it
    (parallel), trained embeddings before every conversation (prompt_tuning), or trained keys and values there in every
    layer (prefix_tuning)."""
    r: Auto | Annotated[int, Field(ge=1, le=1024)] = "auto"
    """Rank of the update, for the methods of the LoRA family; for adalora the mean over the layers in the end."""
    lora_alpha: Auto | Annotated[float, Field(gt=0.0, le=100_000.0)] = "auto"
    """The update is scaled by lora_alpha / r; for rslora by lora_alpha / sqrt(r)."""
    target_modules: Auto | Targets = "auto"
    """Names of the modules that are adapted: linear layers (`all-linear`: all of them but the head), for bottleneck
    methods attention or feed-forward blocks."""
    lora_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of the adapter's inputs that is dropped in training, for the methods of the LoRA family."""
    loraplus_lr_ratio: Auto | Annotated[float, Field(ge=1.0, le=10_000.0)] = "auto"
    """For loraplus: learning rate of B divided by that of A."""
    reduction_factor: Auto | Annotated[float, Field(ge=1.0, le=65_536.0)] = "auto"
    """For houlsby, pfeiffer and parallel: the hidden size divided by the bottleneck's."""
    num_virtual_tokens: Auto | Annotated[int, Field(ge=1, le=1024)] = "auto"
    """For prompt_tuning and prefix_tuning: trained places before every conversation; each costs a token's memory and time."""

    @model_validator(mode="after")
    def _has_only_fields_of_its_method(self) -> Self:
        used = {"method", *_taken(self.method)}
        for name, field in type(self).model_fields.items():
            if name not in used and getattr(self, name) != field.default:
                methods = ", ".join(method for method in USUAL if name in _taken(method))
                raise RecipeError("adapters.field_not_used", field=name, method=self.method, methods=methods)
        if self.target_modules == "all-linear" and "reduction_factor" in used:
            raise RecipeError("adapters.blocks_only", method=self.method)
        return self
