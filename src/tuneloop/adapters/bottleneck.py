"""Bottleneck adapters, which peft does not have, as a method of peft: its folder, its loader, its base classes.

A small network down → non-linearity → up is added to the output of a block of the decoder (attention, feed-forward):
y = f(x) + s·up(g(down(h))). Houlsby (arXiv 1902.00751): h = f(x), behind attention and feed-forward. Pfeiffer (arXiv
2005.00247): behind feed-forward alone. Parallel (arXiv 2110.04366): h = x, beside feed-forward, scaled by 4.

peft keeps its methods in four mappings whose keys are members of its own enum; a name of ours is a str-enum member, which
hashes like the string that `adapter_config.json` holds. Importing this file teaches peft the method:
`import tuneloop.adapters.bottleneck`, then `PeftModel.from_pretrained`. `tests/contracts/test_adapter_methods.py` holds
the pinned peft to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import torch.nn.functional as functional
from peft import PeftConfig, PeftModel
from peft.mapping import (
    PEFT_TYPE_TO_CONFIG_MAPPING,
    PEFT_TYPE_TO_PREFIX_MAPPING,
    PEFT_TYPE_TO_TUNER_MAPPING,
)
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from torch import Tensor, nn
from transformers import PreTrainedModel

from tuneloop.adapters.attach import attach
from tuneloop.adapters.lora import Settings


class OwnPeftType(StrEnum):
    """Methods that tuneloop adds to peft."""

    BOTTLENECK = "BOTTLENECK"


@dataclass
class BottleneckConfig(PeftConfig):  # type: ignore[misc]
    """`adapter_config.json` of a bottleneck adapter; peft wants a subclass of its own."""

    target_modules: set[str] | list[str] | str | None = field(default=None)
    exclude_modules: list[str] | str | None = field(default=None)
    hidden_size: int = 0
    """Size of the blocks' inputs and outputs."""
    bottleneck_size: int = 64
    parallel: bool = False
    """Beside the block (h is its input), not behind it (h is its output)."""
    scaling: float = 1.0
    non_linearity: str = "relu"
    """A function of `torch.nn.functional`: `relu`, `silu` or `gelu`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.peft_type = OwnPeftType.BOTTLENECK
        self.target_modules = set(self.target_modules) if isinstance(self.target_modules, list) else self.target_modules


class BottleneckLayer(nn.Module, BaseTunerLayer):  # type: ignore[misc]
    """A block of the decoder with bottlenecks, by adapter name. peft finds its layers by this base class."""

    adapter_layer_names = ("bottleneck_down", "bottleneck_up")
    other_param_names = ("settings",)

    def __init__(self, base_layer: nn.Module, adapter_name: str, config: BottleneckConfig) -> None:
        super().__init__()
        self.base_layer: Any = base_layer
        self.bottleneck_down = nn.ModuleDict()
        self.bottleneck_up = nn.ModuleDict()
        self.settings: dict[str, BottleneckConfig] = {}
        self._disable_adapters = False
        self.merged_adapters: list[str] = []
        self._active_adapter = adapter_name
        self.update_layer(adapter_name, config)

    def update_layer(self, adapter_name: str, config: BottleneckConfig) -> None:
        """Add a bottleneck. `up` starts at zero, so that it changes nothing."""
        device = next(self.base_layer.parameters()).device
        down = nn.Linear(config.hidden_size, config.bottleneck_size, device=device)
        up = nn.Linear(config.bottleneck_size, config.hidden_size, device=device)
        for zero in (down.bias, up.weight, up.bias):
            nn.init.zeros_(zero)
        self.bottleneck_down[adapter_name], self.bottleneck_up[adapter_name] = down, up
        self.settings[adapter_name] = config
        BaseTunerLayer.set_adapter(self, self.active_adapters, inference_mode=config.inference_mode)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The block's own arguments and results; attention gives its output first, beside its weights."""
        result = self.base_layer(*args, **kwargs)
        if self.disable_adapters:
            return result
        out = result[0] if isinstance(result, tuple) else result  # [..., d]
        x = args[0] if args else kwargs["hidden_states"]
        active: Any = self.active_adapters
        for name in active:
            if name in self.settings:
                out = out + self._added(name, x if self.settings[name].parallel else out)
        return (out, *result[1:]) if isinstance(result, tuple) else out

    def _added(self, name: str, h: Tensor) -> Tensor:
        """[..., d] → [..., d], in the model's type."""
        config = self.settings[name]
        down: Any = self.bottleneck_down[name]
        up: Any = self.bottleneck_up[name]
        inner = functional.linear(h, down.weight.to(h.dtype), down.bias.to(h.dtype))
        inner = getattr(functional, config.non_linearity)(inner)
        return config.scaling * functional.linear(inner, up.weight.to(h.dtype), up.bias.to(h.dtype))

    def merge(self, *_: Any, **__: Any) -> None:
        """A non-linear function can't become part of the weights.

        Raises:
            ValueError: always.
        """
        raise ValueError("bottleneck adapters can't be merged")


class BottleneckModel(BaseTuner):  # type: ignore[misc]
    """What peft calls to put the layers into a model."""

    prefix = "bottleneck_"
    tuner_layer_cls = BottleneckLayer
    target_module_mapping: dict[str, list[str]] = {}  # noqa: RUF012 (peft reads it as a class attribute)

    def _create_and_replace(
        self,
        peft_config: BottleneckConfig,
        adapter_name: str,
        target: nn.Module,
        target_name: str,
        parent: nn.Module,
        current_key: str,
    ) -> None:
        if isinstance(target, BottleneckLayer):
            target.update_layer(adapter_name, peft_config)
            return
        if not is_block(target):
            raise ValueError(f"{current_key} is not a block of a decoder")
        layer = BottleneckLayer(target, adapter_name, peft_config)
        if adapter_name not in self.active_adapters:
            layer.requires_grad_(False)
        self._replace_module(parent, target_name, layer, target)

    def _replace_module(self, parent: nn.Module, child_name: str, new_module: nn.Module, child: nn.Module) -> None:
        """peft looks for the device in `weight`, which a block does not have; the layer is made on the right one."""
        setattr(parent, child_name, new_module)


PEFT_TYPE_TO_CONFIG_MAPPING[OwnPeftType.BOTTLENECK] = BottleneckConfig
PEFT_TYPE_TO_TUNER_MAPPING[OwnPeftType.BOTTLENECK] = BottleneckModel
PEFT_TYPE_TO_PREFIX_MAPPING[OwnPeftType.BOTTLENECK] = BottleneckModel.prefix


def is_block(module: nn.Module) -> bool:
    """Attention or feed-forward: parts of a decoder's layer whose output has the size of their input."""
    return type(module).__name__.lower().endswith(("attention", "mlp"))


def houlsby(model: PreTrainedModel, settings: Settings, seed: int) -> PeftModel:
    """Behind attention and behind feed-forward."""
    return _attach(model, settings, seed)


pfeiffer = houlsby
"""Behind feed-forward alone: the same layers on other targets."""


def parallel(model: PreTrainedModel, settings: Settings, seed: int) -> PeftModel:
    """Beside feed-forward."""
    return _attach(model, settings, seed, parallel=True, scaling=4.0)


def _attach(model: PreTrainedModel, settings: Settings, seed: int, **options: Any) -> PeftModel:
    hidden = model.config.get_text_config().hidden_size
    config = BottleneckConfig(
        target_modules=list(settings["target_modules"]),
        hidden_size=hidden,
        bottleneck_size=bottleneck_size(hidden, settings["reduction_factor"]),
        task_type="CAUSAL_LM",
        **options,
    )
    return attach(model, config, seed=seed, may_adapt=is_block)


def bottleneck_size(hidden: int, reduction_factor: float) -> int:
    """Width of the narrow place.

    >>> bottleneck_size(576, 16.0)
    36
    """
    return max(1, round(hidden / reduction_factor))
