"""Everything before step 1: the examples, the plan, the pre-flight, and from them what the loop works on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from peft import PeftModel

from tuneloop.adapters.methods import METHODS
from tuneloop.core.errors import DataError
from tuneloop.core.records import Plan
from tuneloop.core.seeds import derive_seed
from tuneloop.store.samples import read_split
from tuneloop.training.batches import Step, schedule
from tuneloop.training.estimate import Setup, activation_bytes
from tuneloop.training.facts import MachineFacts, data_facts, machine_facts, model_facts
from tuneloop.training.fast_path import release_memory
from tuneloop.training.identity import Inputs, read_forced
from tuneloop.training.memory import Budget
from tuneloop.training.plan import make_plan
from tuneloop.training.preflight import preflight
from tuneloop.training.subject import Subject, read_report, token_facts
from tuneloop.training.task import Task
from tuneloop.training.tokenise import Example, tokenise


@dataclass(frozen=True)
class Prepared:
    """The plan with its pre-flight, and the examples it is about."""

    plan: Plan
    train: list[Example]
    validation: list[Example]


def prepare(inputs: Inputs, folder: Path, *, begun: Plan | None = None, device: MachineFacts | None = None) -> Prepared:
    """Tokenise the dataset, plan the training, and check it.

    Args:
        inputs: what the training is made from.
        folder: where checkpoints would be written.
        begun: the plan of a run that goes on; what it decided stays, whatever the machine looks like today.
        device: a machine that is not here, to plan for.

    Raises:
        DataError: the training split is empty (code `training.no_rows`).
        RecipeError: the settings contradict each other.
    """
    dataset, loaded, seed = inputs.dataset, inputs.loaded, inputs.seed
    train_samples, validation_samples = read_split(dataset, "train"), read_split(dataset, "validation")
    if not train_samples:
        raise DataError("training.no_rows", file=dataset, split="train")
    whole = tokenise(train_samples, loaded.template)
    validation = tokenise(validation_samples, loaded.template)
    machine, facts = device or machine_facts(loaded), model_facts(loaded)
    data = data_facts(whole, validation)
    plan = begun or make_plan(inputs.training, inputs.adapter, facts, data, machine, seed=seed)
    length = plan.value("max_length")
    cut = tokenise(train_samples, loaded.template, length)
    subject = Subject(
        samples=train_samples,
        held_out=[*validation_samples, *read_split(dataset, "test")],
        whole=whole,
        cut=cut,
        template=loaded.template,
        tokens=token_facts(loaded),
        plan=plan,
        machine=machine,
        folder=folder,
        save_total_limit=inputs.training.save_total_limit,
        report=read_report(dataset),
    )
    plan = plan.model_copy(update={"findings": preflight(subject)})
    order = tokenise(validation_samples, loaded.template, length)
    random.Random(derive_seed(seed, "validation")).shuffle(order)
    part = within(plan.value("validation_tokens"), order)
    return Prepared(plan, [e for e in cut if e.targets], [e for e in part if e.targets])


def within(tokens: int, examples: Sequence[Example]) -> list[Example]:
    """The first examples within a token budget, at least one."""
    ends = accumulate(len(example.ids) for example in examples)
    return [
        example for place, (example, end) in enumerate(zip(examples, ends, strict=True)) if end <= tokens or not place
    ]


def settings_of(plan: Plan) -> dict[str, Any]:
    """Everything that was decided, by name; an adapter's method takes its own out of it."""
    return {"method": "lora"} | {choice.name: choice.value for choice in plan.choices}  # older plans do not name it


@contextmanager
def attached(inputs: Inputs, plan: Plan) -> Iterator[PeftModel]:
    """The base model with the method's layers in it, as the plan says; after the block the base is as it was."""
    settings, base = settings_of(plan), inputs.loaded.model
    method = METHODS[settings["method"]]
    model = method.attach(base, settings, derive_seed(inputs.seed, "adapter"))
    try:
        if plan.value("gradient_checkpointing"):
            base.activation_checkpointing_enable({"use_reentrant": False})
        yield model
    finally:
        base.activation_checkpointing_disable()
        method.detach(model)
        base.requires_grad_(False).eval()


def steps_of(prepared: Prepared, seed: int) -> list[Step]:
    """The whole schedule that was planned."""
    plan = prepared.plan
    return schedule(
        [len(e.ids) for e in prepared.train],
        max_tokens=plan.value("max_tokens_per_batch"),
        max_samples=plan.value("per_device_train_batch_size"),
        accumulation=plan.value("gradient_accumulation_steps"),
        epochs=plan.value("num_train_epochs"),
        seed=seed,
    )


def make_task(
    inputs: Inputs, prepared: Prepared, model: PeftModel, folder: Path, identity: dict[str, Any], budget: Budget | None
) -> Task:
    """What the loop works on."""
    plan, config, settings = prepared.plan, inputs.training, settings_of(prepared.plan)
    method = METHODS[settings["method"]]
    return Task(
        model=model,
        train=prepared.train,
        validation=prepared.validation,
        steps=steps_of(prepared, inputs.seed),
        seed=inputs.seed,
        learning_rate=plan.value("learning_rate"),
        warmup_steps=plan.value("warmup_steps"),
        weight_decay=plan.value("weight_decay"),
        betas=(config.adam_beta1, config.adam_beta2),
        max_grad_norm=config.max_grad_norm,
        label_smoothing=config.label_smoothing_factor,
        eval_steps=plan.value("eval_steps"),
        save_steps=plan.value("save_steps"),
        save_total_limit=config.save_total_limit,
        patience=config.early_stopping_patience,
        folder=folder,
        identity=identity,
        forced=bool(read_forced(folder)),
        budget=budget,
        report_to=config.report_to,
        rate_factor=lambda name: method.rate_factor(name, settings),
        penalty=method.penalty,
        after_step=method.after_step,
    )


def make_budget(inputs: Inputs, plan: Plan) -> Budget | None:
    """The guard on a CPU, from the memory formula; a GPU raises by itself."""
    if inputs.loaded.device.type != "cpu":
        return None
    facts = model_facts(inputs.loaded)
    setup = Setup(0, plan.value("target_modules"), plan.value("gradient_checkpointing"))
    longest = plan.value("max_length")
    tokens = plan.value("max_tokens_per_batch") or plan.value("per_device_train_batch_size") * longest
    return Budget(
        lambda tokens, longest: activation_bytes(facts, setup, tokens, longest),
        most=activation_bytes(facts, setup, max(tokens, longest), longest),
        release=release_memory,
    )
