"""`training:` in the recipe. Names are Hugging Face's where the meaning is the same."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tuneloop.core.config import Auto, Config

PositiveInt = Annotated[int, Field(ge=1, le=10_000_000)]


class TrainingConfig(Config):
    """Stage 2: from a dataset to an adapter."""

    preset: Literal["auto", "guide"] = "auto"
    """Where values that are `auto` come from: planned from data, model and hardware, or the conservative textbook set."""
    num_train_epochs: Auto | Annotated[float, Field(gt=0.0, le=1000.0)] = "auto"
    """Passes over the training split."""
    learning_rate: Auto | Annotated[float, Field(gt=0, le=10)] = "auto"
    """Peak learning rate of AdamW."""
    find_learning_rate: bool = False
    """Before the training, try rates from a quarter to four times learning_rate for a few steps each, and take the one with
    the lowest validation loss; costs about a sixth of the training."""
    warmup_steps: Auto | Annotated[int, Field(ge=0, le=10_000_000)] = "auto"
    """Optimiser steps until the peak is reached."""
    max_tokens_per_batch: Auto | PositiveInt = "auto"
    """Tokens of one micro-batch, padding not counted. Not together with per_device_train_batch_size."""
    per_device_train_batch_size: int | None = Field(default=None, ge=1, le=65_536)
    """Samples of one micro-batch, instead of a token budget."""
    gradient_accumulation_steps: Auto | Annotated[int, Field(ge=1, le=65_536)] = "auto"
    """Micro-batches of one optimiser step."""
    max_length: Auto | Annotated[int, Field(ge=8, le=1_048_576)] = "auto"
    """Longest sample in tokens; longer ones are cut at the end, counted and reported."""
    weight_decay: Auto | Annotated[float, Field(ge=0.0, le=10.0)] = "auto"
    """AdamW's weight decay."""
    adam_beta1: float = Field(default=0.9, ge=0.0, lt=1.0)
    """AdamW's first decay rate."""
    adam_beta2: float = Field(default=0.999, ge=0.0, lt=1.0)
    """AdamW's second decay rate."""
    max_grad_norm: float = Field(default=1.0, gt=0.0, le=1e6)
    """Gradients are clipped to this norm."""
    label_smoothing_factor: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of the target that is spread over the whole vocabulary; only in training, never in the validation loss."""
    neftune_noise_alpha: float = Field(default=0.0, ge=0.0, le=1000.0)
    """NEFTune's noise on the embeddings in training; 5 is usual, 0 is off."""
    gradient_checkpointing: Auto | bool = "auto"
    """Compute each layer's forward a second time instead of keeping its insides: less memory, about a third more time.
    `auto` does it where the memory formula says that it is needed."""
    eval_steps: Auto | PositiveInt = "auto"
    """Optimiser steps between two evaluations of the validation split."""
    save_steps: Auto | PositiveInt = "auto"
    """Optimiser steps between two checkpoints; one more is written at the end and when the run is stopped."""
    save_total_limit: int = Field(default=2, ge=1, le=10_000)
    """Checkpoints kept; the newest and the best are never removed."""
    early_stopping_patience: int = Field(default=3, ge=1, le=1_000_000)
    """Stop after this many evaluations without a lower validation loss."""
    report_to: tuple[Literal["tensorboard", "mlflow", "wandb", "swanlab", "trackio"], ...] = ("tensorboard",)
    """Trackers that get the metrics besides metrics.jsonl; all but tensorboard come with the extra `trackers`."""
