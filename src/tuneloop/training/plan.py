"""The plan: every value that the recipe leaves to `auto`, decided before step 1, each with its reason."""

from __future__ import annotations

from typing import Any

from tuneloop.adapters.config import USUAL, AdapterConfig
from tuneloop.core.errors import RecipeError
from tuneloop.core.messages import text
from tuneloop.core.records import Choice, Plan
from tuneloop.training.config import TrainingConfig
from tuneloop.training.estimate import PARAMETERS, peak_bytes, training_seconds
from tuneloop.training.facts import DataFacts, MachineFacts, ModelFacts

QWEN_EXPONENT, LLAMA_EXPONENT = 0.0775, 0.781
"""How the best LoRA learning rate falls with the hidden size (Thinking Machines, "LoRA Without Regret"; tinker-cookbook)."""

_TRAINING = (
    "num_train_epochs",
    "learning_rate",
    "warmup_steps",
    "max_tokens_per_batch",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "max_length",
    "weight_decay",
    "eval_steps",
    "save_steps",
)
"""Settings that a recipe may decide itself."""


def make_plan(
    training: TrainingConfig, adapter: AdapterConfig, model: ModelFacts, data: DataFacts, machine: MachineFacts
) -> Plan:
    """Decide every setting of a training.

    Returns:
        A plan with the choices `method`, `target_modules`, those that the method takes (`r`, `lora_alpha`,
        `lora_dropout`, …), `learning_rate`, `num_train_epochs`, `max_tokens_per_batch`,
        `per_device_train_batch_size`, `gradient_accumulation_steps`, `max_length`, `warmup_steps`, `weight_decay`,
        `eval_steps`, `save_steps`, `validation_tokens`, and figures.

    Raises:
        RecipeError: the recipe gives both a token budget and a batch size (code `training.two_budgets`).
    """
    if training.per_device_train_batch_size and training.max_tokens_per_batch != "auto":
        raise RecipeError("training.two_budgets")
    chosen = _method(adapter, training, model, data)
    chosen |= _guide(adapter, model, data) if training.preset == "guide" else _auto(adapter, model, data)
    for name, value in _given(training, adapter).items():
        section = adapter if name in AdapterConfig.model_fields else training
        own = value != type(section).model_fields[name].default
        chosen[name] = (value, text("training.why.recipe" if own else "training.why.default"))
    if training.per_device_train_batch_size:
        chosen["max_tokens_per_batch"] = (None, text("training.why.batch_size"))
    _count_steps(chosen, training, data)
    trained = PARAMETERS[adapter.method](model, {name: value for name, (value, _) in chosen.items()})
    epochs = chosen["num_train_epochs"][0]
    budget = chosen["max_tokens_per_batch"][0] or chosen["per_device_train_batch_size"][0] * data.longest
    figures = {
        "steps": float(chosen["steps"][0]),
        "seconds": training_seconds(model, data, machine, trained, epochs),
        "memory_bytes": float(peak_bytes(model, trained, max(budget, data.longest), data.longest)),
        "tokens_per_epoch": float(data.tokens),
        "trained_parameters": float(trained),
        "trained_share": trained / (model.parameters + trained),
    }
    return Plan(choices=tuple(Choice(name=n, value=v, reason=why) for n, (v, why) in chosen.items()), figures=figures)


def _given(training: TrainingConfig, adapter: AdapterConfig) -> dict[str, Any]:
    """The settings that the recipe decides itself."""
    given: dict[str, Any] = {name: getattr(training, name) for name in _TRAINING}
    for name in ("method", "target_modules", *USUAL[adapter.method].fields):
        given[name] = getattr(adapter, name)
    if not adapter.lora_dropout and training.preset == "guide":
        given.pop("lora_dropout", None)
    return {name: value for name, value in given.items() if value not in ("auto", None)}


def _method(
    adapter: AdapterConfig, training: TrainingConfig, model: ModelFacts, data: DataFacts
) -> dict[str, tuple[Any, str]]:
    """What the method takes: what is usual for it, and a rank by the model's size."""
    usual = USUAL[adapter.method]
    why = text("training.why.method", method=adapter.method)
    settings = {"method": adapter.method, **usual.fields, "target_modules": usual.targets}
    chosen: dict[str, tuple[Any, str]] = {name: (value, why) for name, value in settings.items()}
    if "r" not in chosen:
        return chosen
    r = 8 if model.parameters < 500_000_000 else 16
    chosen["r"] = (r, text("training.why.rank", supervised=data.supervised))
    if training.preset == "guide":
        why = text("training.why.guide")
        guide = {"r": 16, "lora_alpha": 32.0, "lora_dropout": 0.1, "target_modules": ("q_proj", "v_proj")}
        chosen |= {name: (value, why) for name, value in guide.items() if adapter.method in ("lora", "dora")}
    elif adapter.method in ("lora", "dora", "loraplus"):
        chosen["lora_alpha"] = (32.0, text("training.why.alpha"))
    if chosen["lora_alpha"][0] is None:
        rank = chosen["r"][0] if adapter.r == "auto" else adapter.r
        chosen["lora_alpha"] = (float(rank), why)
    return chosen


def _auto(adapter: AdapterConfig, model: ModelFacts, data: DataFacts) -> dict[str, tuple[Any, str]]:
    exponent = QWEN_EXPONENT if model.model_type.startswith("qwen") else LLAMA_EXPONENT
    rate = 5e-4 * (2000 / model.hidden_size) ** exponent * USUAL[adapter.method].rate
    epochs = 5 if data.rows < 300 else 3
    # Few tokens per update learn more per second; a budget below the longest sample would only hold that one.
    budget = 1024 if model.parameters < 500_000_000 else 2048
    return {
        "learning_rate": (float(f"{rate:.2g}"), text("training.why.rate", hidden=model.hidden_size)),
        "num_train_epochs": (epochs, text("training.why.epochs", rows=data.rows)),
        "max_tokens_per_batch": (budget, text("training.why.budget")),
        "per_device_train_batch_size": (None, text("training.why.token_budget")),
        "gradient_accumulation_steps": (1, text("training.why.accumulation")),
        "max_length": (min(model.context, max(64, data.longest)), text("training.why.length", longest=data.longest)),
        "warmup_steps": ("auto", ""),
        "weight_decay": (0.0, text("training.why.decay")),
        "eval_steps": ("auto", ""),
    }


def _guide(adapter: AdapterConfig, model: ModelFacts, data: DataFacts) -> dict[str, tuple[Any, str]]:
    why = text("training.why.guide")
    return {
        "learning_rate": (float(f"{3e-5 * USUAL[adapter.method].rate:.2g}"), why),
        "num_train_epochs": (3, why),
        "max_tokens_per_batch": (None, why),
        "per_device_train_batch_size": (8, why),
        "gradient_accumulation_steps": (1, why),
        "max_length": (min(model.context, max(64, data.longest)), text("training.why.length", longest=data.longest)),
        "warmup_steps": ("auto", ""),
        "weight_decay": (0.01, why),
        "eval_steps": ("auto", ""),
    }


def _count_steps(chosen: dict[str, tuple[Any, str]], training: TrainingConfig, data: DataFacts) -> None:
    """Decide what depends on the number of steps: warm-up, evaluations, and how much is evaluated."""
    epochs, accumulation = chosen["num_train_epochs"][0], chosen["gradient_accumulation_steps"][0]
    budget, samples = chosen["max_tokens_per_batch"][0], chosen["per_device_train_batch_size"][0]
    per_batch = max(1.0, budget / (data.tokens / data.rows)) if budget else float(samples)
    steps = max(1, round(epochs * max(1.0, data.rows / per_batch / accumulation)))
    chosen["steps"] = (steps, text("training.why.steps"))
    if chosen["warmup_steps"][0] == "auto":
        wanted = 500 if training.preset == "guide" else steps
        warmup = min(wanted, max(1, steps // 20))
        reason = "training.why.warmup_guide" if training.preset == "guide" and warmup < 500 else "training.why.warmup"
        chosen["warmup_steps"] = (warmup, text(reason, steps=steps))
    if chosen["eval_steps"][0] == "auto":
        wanted = 500 if training.preset == "guide" else steps
        chosen["eval_steps"] = (min(wanted, max(1, steps // 8)), text("training.why.eval"))
    evaluations = max(1, steps // chosen["eval_steps"][0])
    # An evaluation costs about 0.4 of training the same tokens: all of them together get a tenth of the time.
    allowed = int(0.1 * data.tokens * epochs / (0.4 * evaluations))
    tokens = min(data.validation_tokens, max(allowed, 2000))
    reason = "training.why.validation_all" if tokens == data.validation_tokens else "training.why.validation_part"
    chosen["validation_tokens"] = (tokens, text(reason))
