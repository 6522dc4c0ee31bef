"""The plan: every value that the recipe leaves to `auto`, decided before step 1, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tuneloop.adapters.config import USUAL, AdapterConfig
from tuneloop.core.errors import RecipeError
from tuneloop.core.messages import text
from tuneloop.core.records import Choice, Plan
from tuneloop.training.batches import schedule
from tuneloop.training.config import TrainingConfig
from tuneloop.training.estimate import PARAMETERS, Setup, training_seconds
from tuneloop.training.facts import DataFacts, MachineFacts, ModelFacts
from tuneloop.training.fit import Fit, fit_memory, halvings

QWEN_EXPONENT, LLAMA_EXPONENT = 0.0775, 0.781
"""How the best LoRA learning rate falls with the hidden size (Thinking Machines, "LoRA Without Regret"; tinker-cookbook)."""

MOST_SAVE_STEPS = 500
"""Steps between two checkpoints of a long run, as in the guide."""

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
    "gradient_checkpointing",
)
"""Settings that a recipe may decide itself."""


def make_plan(
    training: TrainingConfig,
    adapter: AdapterConfig,
    model: ModelFacts,
    data: DataFacts,
    machine: MachineFacts,
    *,
    seed: int,
) -> Plan:
    """Decide every setting of a training.

    Returns:
        A plan with the choices `dtype`, `quantization`, `method`, `target_modules`, those that the method takes (`r`,
        `lora_alpha`, `lora_dropout`, …), `learning_rate`, `num_train_epochs`, `max_tokens_per_batch`,
        `per_device_train_batch_size`, `gradient_accumulation_steps`, `gradient_checkpointing`, `max_length`,
        `warmup_steps`, `weight_decay`, `eval_steps`, `save_steps`, `steps`, `validation_tokens`, and figures.

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
    trained = PARAMETERS[adapter.method](model, {name: value for name, (value, _) in chosen.items()})
    fit = _fit(chosen, trained, training, model, data, machine)
    lengths = data.cut(chosen["max_length"][0])
    _count_steps(chosen, training, data, lengths, seed)
    epochs, again = chosen["num_train_epochs"][0], fit.setup.checkpointing
    figures = {
        "steps": float(chosen["steps"][0]),
        "seconds": training_seconds(model, data, machine, trained, epochs, checkpointing=again),
        "seconds_per_epoch": training_seconds(model, data, machine, trained, 1, checkpointing=again),
        "memory_bytes": float(fit.peak_bytes),
        "tokens_per_epoch": float(sum(lengths)),
        "trained_parameters": float(trained),
        "trained_share": trained / (model.parameters + trained),
    }
    return Plan(choices=tuple(Choice(name=n, value=v, reason=why) for n, (v, why) in chosen.items()), figures=figures)


def _fit(
    chosen: dict[str, tuple[Any, str]],
    trained: int,
    training: TrainingConfig,
    model: ModelFacts,
    data: DataFacts,
    machine: MachineFacts,
) -> Fit:
    """Decide what memory decides: checkpointing, quantisation, and the micro-batch where the recipe leaves it open."""
    longest = min(data.longest, chosen["max_length"][0])
    budget, samples = chosen["max_tokens_per_batch"][0], chosen["per_device_train_batch_size"][0]
    is_open = budget is not None and training.max_tokens_per_batch == "auto"
    fit = fit_memory(
        model,
        machine,
        Setup(trained, chosen["target_modules"][0]),
        tokens=[samples * longest] if budget is None else halvings(budget, longest) if is_open else [budget],
        longest=longest,
        checkpointing=(
            (False, True) if training.gradient_checkpointing == "auto" else (training.gradient_checkpointing,)
        ),
        quantization=("none",) if machine.is_here else ("none", "nf4"),
    )
    setup, free, wish = fit.setup, machine.available_bytes / 1e9, fit.wish_bytes / 1e9
    if is_open and fit.tokens < budget:
        chosen["max_tokens_per_batch"] = (fit.tokens, text("training.why.budget_fits", needed=wish, free=free))
        if training.gradient_accumulation_steps == "auto":
            times = budget // fit.tokens * chosen["gradient_accumulation_steps"][0]
            chosen["gradient_accumulation_steps"] = (times, text("training.why.accumulation_fits", tokens=budget))
    if training.gradient_checkpointing == "auto":
        why = "checkpointing" if setup.checkpointing else "no_checkpointing"
        reason = text(f"training.why.{why}", needed=fit.peak_bytes / 1e9, wish=wish, free=free)
        chosen["gradient_checkpointing"] = (setup.checkpointing, reason)
    weights = model.parameters * model.bytes_per_weight / 1e9
    reason = text(f"training.why.{setup.quantization}", weights=weights, free=free)
    where = "here" if machine.is_here else "device"
    first = {
        "dtype": (machine.dtype, text(f"training.why.dtype_{where}", machine=machine.name)),
        "quantization": (setup.quantization, reason),
    }
    rest = dict(chosen)
    chosen.clear()
    chosen.update(first | rest)
    return fit


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
        "save_steps": ("auto", ""),
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
        "save_steps": ("auto", ""),
    }


def _count_steps(
    chosen: dict[str, tuple[Any, str]], training: TrainingConfig, data: DataFacts, lengths: Sequence[int], seed: int
) -> None:
    """Decide what depends on the number of steps: warm-up, evaluations, checkpoints, and how much is evaluated."""
    epochs = chosen["num_train_epochs"][0]
    order = schedule(
        lengths,
        max_tokens=chosen["max_tokens_per_batch"][0],
        max_samples=chosen["per_device_train_batch_size"][0],
        accumulation=chosen["gradient_accumulation_steps"][0],
        epochs=epochs,
        seed=seed,
    )
    steps = max(1, len(order))
    chosen["steps"] = (steps, text("training.why.steps"))
    if chosen["warmup_steps"][0] == "auto":
        wanted = 500 if training.preset == "guide" else steps
        warmup = min(wanted, max(1, steps // 20))
        reason = "training.why.warmup_guide" if training.preset == "guide" and warmup < 500 else "training.why.warmup"
        chosen["warmup_steps"] = (warmup, text(reason, steps=steps))
    if chosen["eval_steps"][0] == "auto":
        wanted = MOST_SAVE_STEPS if training.preset == "guide" else steps
        chosen["eval_steps"] = (min(wanted, max(1, steps // 8)), text("training.why.eval"))
    if chosen["save_steps"][0] == "auto":
        every = min(MOST_SAVE_STEPS, chosen["eval_steps"][0])
        chosen["save_steps"] = (every, text("training.why.save", most=MOST_SAVE_STEPS))
    evaluations = max(1, steps // chosen["eval_steps"][0])
    # An evaluation costs about 0.4 of training the same tokens: all of them together get a tenth of the time.
    allowed = int(0.1 * data.tokens * epochs / (0.4 * evaluations))
    tokens = min(data.validation_tokens, max(allowed, 2000))
    reason = "training.why.validation_all" if tokens == data.validation_tokens else "training.why.validation_part"
    chosen["validation_tokens"] = (tokens, text(reason))
