"""IA3 (arXiv 2205.05638) through peft: keys, values and the feed-forward's inner values are multiplied by trained scales."""

from __future__ import annotations

from peft import IA3Config, PeftModel
from transformers import PreTrainedModel

from tuneloop.adapters.attach import attach
from tuneloop.adapters.lora import Settings

FEED_FORWARD = ("down_proj", "fc2", "c_proj", "wo", "dense_4h_to_h")
"""Layers whose input is scaled, not their output: those that leave the feed-forward block."""


def attach_ia3(model: PreTrainedModel, settings: Settings, seed: int) -> PeftModel:
    """Put scales of 1 into a model, in place; nothing changes until training.

    Raises:
        RecipeError: the model has no layers of these names (code `adapters.no_target`).
    """
    wanted = settings["target_modules"]
    targets: str | list[str] = wanted if isinstance(wanted, str) else list(wanted)
    inner = [name for name in FEED_FORWARD if isinstance(targets, str) or name in targets]
    return attach(model, IA3Config(target_modules=targets, feedforward_modules=inner, task_type="CAUSAL_LM"), seed=seed)
