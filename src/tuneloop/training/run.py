"""Stage 2: from a dataset to an adapter, in `runs/<id>/`."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from tuneloop.adapters.attach import count_parameters
from tuneloop.adapters.config import AdapterConfig
from tuneloop.adapters.folder import save_adapter
from tuneloop.adapters.methods import METHODS
from tuneloop.adapters.replay import Replay, choose_prompts, record_answers
from tuneloop.core.errors import DataError, DivergedError, NotFoundError, RefusedError
from tuneloop.core.messages import current_language, text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Plan, Run
from tuneloop.core.seeds import derive_seed
from tuneloop.kernels import native
from tuneloop.models.load import LoadedModel
from tuneloop.store.artifacts import MANIFEST, read_manifest, write_manifest, write_text_atomically
from tuneloop.store.lock import only_process
from tuneloop.store.samples import read_split
from tuneloop.store.workspace import Workspace
from tuneloop.training.batches import schedule
from tuneloop.training.config import TrainingConfig
from tuneloop.training.estimate import Setup, activation_bytes
from tuneloop.training.facts import MachineFacts, data_facts, machine_facts, model_facts
from tuneloop.training.fast_path import fast_path, keep_memory, release_memory
from tuneloop.training.identity import FILE, choose_folder, keep_identity, make_identity, read_forced
from tuneloop.training.journal import read_metrics
from tuneloop.training.loop import train
from tuneloop.training.memory import Budget
from tuneloop.training.noise import noisy_embeddings
from tuneloop.training.plan import make_plan
from tuneloop.training.preflight import preflight
from tuneloop.training.recovery import read_recovery
from tuneloop.training.report import training_report
from tuneloop.training.state import State, trained_parameters
from tuneloop.training.subject import Subject, read_report, token_facts
from tuneloop.training.task import Task
from tuneloop.training.tokenise import Example, tokenise


@dataclass(frozen=True)
class Prepared:
    """The plan with its pre-flight, and the examples it is about."""

    plan: Plan
    train: list[Example]
    validation: list[Example]


def prepare(
    config: TrainingConfig,
    adapter: AdapterConfig,
    *,
    dataset: Path,
    loaded: LoadedModel,
    seed: int,
    folder: Path,
    begun: Plan | None = None,
    device: MachineFacts | None = None,
) -> Prepared:
    """Tokenise the dataset, plan the training, and check it: everything before step 1.

    Args:
        config: `training:` of the recipe.
        adapter: `adapter:` of the recipe.
        dataset: a dataset folder.
        loaded: the base model.
        seed: of the recipe; it chooses the part of the validation split that is scored.
        folder: where checkpoints would be written.
        begun: the plan of a run that goes on; what it decided stays, whatever the machine looks like today.
        device: a machine that is not here, to plan for; then the model may be without weights.

    Raises:
        DataError: the training split is empty (code `training.no_rows`).
        RecipeError: the settings contradict each other.
    """
    train_samples, validation_samples = read_split(dataset, "train"), read_split(dataset, "validation")
    if not train_samples:
        raise DataError("training.no_rows", file=dataset, split="train")
    whole = tokenise(train_samples, loaded.template)
    validation = tokenise(validation_samples, loaded.template)
    held_out = [*validation_samples, *read_split(dataset, "test")]
    machine, facts = device or machine_facts(loaded), model_facts(loaded)
    plan = begun or make_plan(config, adapter, facts, data_facts(whole, validation), machine, seed=seed)
    length = plan.value("max_length")
    cut = tokenise(train_samples, loaded.template, length)
    subject = Subject(
        samples=train_samples,
        held_out=held_out,
        whole=whole,
        cut=cut,
        template=loaded.template,
        tokens=token_facts(loaded),
        plan=plan,
        machine=machine,
        folder=folder,
        save_total_limit=config.save_total_limit,
        report=read_report(dataset),
    )
    plan = plan.model_copy(update={"findings": preflight(subject)})
    part = _choose_part(tokenise(validation_samples, loaded.template, length), plan.value("validation_tokens"), seed)
    return Prepared(plan, [e for e in cut if e.targets], [e for e in part if e.targets])


def run(
    config: TrainingConfig,
    adapter: AdapterConfig,
    *,
    name: str,
    seed: int,
    dataset: Path,
    loaded: LoadedModel,
    recipe_yaml: str,
    workspace: Workspace,
    resume: bool | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Run:
    """Train an adapter; a finished run of the same inputs is returned as it is, an unfinished one goes on.

    Args:
        config: `training:` of the recipe.
        adapter: `adapter:` of the recipe.
        name: of the recipe.
        seed: of the recipe.
        dataset: a dataset folder.
        loaded: the base model; it is the same after the run as before.
        recipe_yaml: the resolved recipe, kept in the run.
        workspace: where `runs/` lies.
        resume: None goes on with an unfinished run of the same inputs, or begins one; True insists on the newest
            unfinished run of this name; False begins anew.
        force: train again although a finished run exists, and although the pre-flight refuses; with `resume=True`, go
            on although the inputs differ.
        progress: where the bar is shown.

    Raises:
        RefusedError: the pre-flight refuses (code `training.refused`).
        IncompatibleError: the run to resume had other inputs (code `training.resume_differs`).
        TryAgainError: another process works on this run (code `store.locked`).
        TuneloopError: everything that the loop raises.
    """
    identity = make_identity(config, adapter, seed=seed, dataset=dataset, loaded=loaded)
    folder, different = choose_folder(workspace.runs, name, identity, resume=resume, force=force)
    if (folder / MANIFEST).exists():
        return read_run(folder).model_copy(update={"reused": True})
    if different:
        progress.note(text("training.forced", difference="; ".join(different)))
    begun = _read_plan(folder)
    prepared = prepare(config, adapter, dataset=dataset, loaded=loaded, seed=seed, folder=folder, begun=begun)
    if prepared.plan.refused and not force:
        refused = [f for f in prepared.plan.findings if f.status == "refuse"]
        raise RefusedError(
            "training.refused", reasons="; ".join(f.message for f in refused), fixes="; ".join(f.fix for f in refused)
        )
    workspace.ensure()
    with only_process(folder):
        if (folder / MANIFEST).exists():  # finished while this process was getting ready
            return read_run(folder).model_copy(update={"reused": True})
        folder.mkdir(parents=True, exist_ok=True)
        write_text_atomically(folder / "recipe.yaml", recipe_yaml)
        write_text_atomically(folder / "plan.json", prepared.plan.model_dump_json(indent=2) + "\n")
        keep_identity(folder, identity, different)
        return _run(config, prepared, Place(folder, name, dataset, identity, seed), loaded, progress)


@dataclass(frozen=True)
class Place:
    """Which run it is."""

    folder: Path
    name: str
    dataset: Path
    identity: dict[str, Any]
    seed: int


def _run(config: TrainingConfig, prepared: Prepared, place: Place, loaded: LoadedModel, progress: Progress) -> Run:
    """Attach, train, save the best adapter, and finish the run; the base model is given back as it was."""
    keep_memory()
    if loaded.dtype == torch.bfloat16:
        _build_kernels(progress)
    plan, folder = prepared.plan, place.folder
    budget = _budget(loaded, plan)
    settings = _settings(plan)
    method = METHODS[settings["method"]]
    model = method.attach(loaded.model, settings, derive_seed(place.seed, "adapter"))
    try:
        if plan.value("gradient_checkpointing"):
            loaded.model.activation_checkpointing_enable({"use_reentrant": False})
        with fast_path(model), noisy_embeddings(model, config.neftune_noise_alpha):
            state = _train(_task(config, prepared, model, place, budget), model, progress)
        trained, total = count_parameters(model)
        card = {
            "name": place.name,
            "steps": state.step,
            "best_step": state.best_step,
            "validation_loss": f"{state.best_loss:.4f}" if state.history else "–",
            "dataset": f"{place.dataset.parent.name}/{place.dataset.name}",
            "trained": trained,
            "share": 100 * trained / total,
        }
        if not (folder / "adapter").exists():
            inputs = {"dataset": place.identity["dataset"]}
            replay = _answers(prepared, model, loaded)
            save_adapter(
                folder / "adapter",
                model,
                loaded,
                card=card,
                inputs=inputs,
                seed=place.seed,
                method=settings["method"],
                replay=replay,
            )
    except DivergedError as error:
        _report_divergence(place, plan, error)
        raise
    finally:
        loaded.model.activation_checkpointing_disable()
        method.detach(model)
        loaded.model.requires_grad_(False).eval()
    _finish(place, plan, state)
    return read_run(folder)


def _settings(plan: Plan) -> dict[str, Any]:
    """Everything that was decided, by name; an adapter's method takes its own out of it."""
    return {"method": "lora"} | {choice.name: choice.value for choice in plan.choices}  # older plans do not name it


def _answers(prepared: Prepared, model: PeftModel, loaded: LoadedModel) -> Replay:
    """A few greedy answers to questions of the validation split, or of the training where there is none."""
    examples = prepared.validation or prepared.train
    prompts = choose_prompts([example.ids[: example.supervised.index(True)] for example in examples])
    answering = model.get_base_model().eval()
    return record_answers(answering, prompts, stop_ids=loaded.template.stop_ids, template_sha256=loaded.template.sha256)


def _build_kernels(progress: Progress) -> None:
    """Build the C++ kernels where that is possible and was not done yet: about a second, a quarter of the time saved."""
    if native.library() is not None or not native.can_build():
        return
    progress.note(text("training.building_kernels"))
    if problem := native.build():
        progress.note(text("training.kernels_not_built", problem=problem.splitlines()[-1]))


def _train(task: Task, model: PeftModel, progress: Progress) -> State:
    """Run the loop and put the best adapter into the model."""
    state, best = train(task, progress)
    if state.history:
        for name, parameter in trained_parameters(model).items():
            parameter.data.copy_(best[name])
    else:
        state.best_step = state.step
    return state


def _task(config: TrainingConfig, prepared: Prepared, model: PeftModel, place: Place, budget: Budget | None) -> Task:
    plan, settings = prepared.plan, _settings(prepared.plan)
    steps = schedule(
        [len(e.ids) for e in prepared.train],
        max_tokens=plan.value("max_tokens_per_batch"),
        max_samples=plan.value("per_device_train_batch_size"),
        accumulation=plan.value("gradient_accumulation_steps"),
        epochs=plan.value("num_train_epochs"),
        seed=place.seed,
    )
    return Task(
        model=model,
        train=prepared.train,
        validation=prepared.validation,
        steps=steps,
        seed=place.seed,
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
        folder=place.folder,
        identity=place.identity,
        forced=bool(read_forced(place.folder)),
        budget=budget,
        report_to=config.report_to,
        rate_factor=lambda name: METHODS[settings["method"]].rate_factor(name, settings),
    )


def _budget(loaded: LoadedModel, plan: Plan) -> Budget | None:
    """The guard on a CPU, from the memory formula; a GPU raises by itself."""
    if loaded.device.type != "cpu":
        return None
    facts = model_facts(loaded)
    setup = Setup(0, plan.value("target_modules"), plan.value("gradient_checkpointing"))
    longest = plan.value("max_length")
    tokens = plan.value("max_tokens_per_batch") or plan.value("per_device_train_batch_size") * longest
    return Budget(
        lambda tokens, longest: activation_bytes(facts, setup, tokens, longest),
        most=activation_bytes(facts, setup, max(tokens, longest), longest),
        release=release_memory,
    )


def _finish(place: Place, plan: Plan, state: State) -> None:
    """Write the summary, the report and, last, the manifest that makes the run finished."""
    folder = place.folder
    recovery = read_recovery(folder)
    _write_summary(place, state, forced=read_forced(folder), **recovery.model_dump(mode="json"))
    metrics = read_metrics(folder / "metrics.jsonl")
    page = training_report(place.name, plan, state, metrics, recovery, current_language())
    write_text_atomically(folder / "report.html", page)
    inputs = {"dataset": place.identity["dataset"]}
    write_manifest(folder, kind="run", config=place.identity, inputs=inputs, seeds={"training": place.seed})


def _report_divergence(place: Place, plan: Plan, error: DivergedError) -> None:
    """A page and a summary of a run that was given up; without a manifest it stays unfinished."""
    metrics = read_metrics(place.folder / "metrics.jsonl")
    history = [line for line in metrics if "validation_loss" in line]
    best = min(history, key=lambda line: float(line["validation_loss"]), default=None)
    state = State(
        step=max((line["step"] for line in metrics), default=0),
        tokens=max((line.get("tokens", 0) for line in metrics), default=0),
        peak_memory=max((line.get("memory_bytes", 0) for line in metrics), default=0),
        best_step=best["step"] if best else 0,
        best_loss=best["validation_loss"] if best else float("inf"),
        history=history,
    )
    recovery = read_recovery(place.folder)
    _write_summary(place, state, diverged=error.message("en"), **recovery.model_dump(mode="json"))
    page = training_report(place.name, plan, state, metrics, recovery, current_language(), str(error))
    write_text_atomically(place.folder / "report.html", page)


def _write_summary(place: Place, state: State, **more: Any) -> None:
    summary = {
        "name": place.name,
        "global_step": state.step,
        "best_global_step": state.best_step,
        "best_metric": state.best_loss if state.history else None,
        "log_history": state.history,
        "train_runtime": round(state.seconds, 2),
        "tokens": state.tokens,
        "tokens_per_second": round(state.tokens / max(state.seconds, 1e-9), 1),
        "memory_bytes": state.peak_memory,
        "stopped_early": state.stopped_early,
        "left_out": state.left_out,
    }
    write_text_atomically(place.folder / "trainer_state.json", json.dumps(summary | more, indent=2) + "\n")


def _read_plan(folder: Path) -> Plan | None:
    """The plan of an unfinished run: on another day, free memory or a new version would plan another training."""
    path = folder / "plan.json"
    return Plan.model_validate_json(path.read_bytes()) if path.exists() and (folder / FILE).exists() else None


def read_run(folder: Path) -> Run:
    """Read a finished run.

    Raises:
        NotFoundError: there is none, or it was never finished.
    """
    read_manifest(folder)
    try:
        summary = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError("store.not_found", file=folder) from error
    return Run(
        id=folder.name,
        name=summary["name"],
        path=folder,
        steps=summary["global_step"],
        best_step=summary["best_global_step"],
        best_validation_loss=summary["best_metric"],
        seconds=summary["train_runtime"],
        tokens_per_second=summary["tokens_per_second"],
        memory_bytes=summary["memory_bytes"],
    )


def _choose_part(examples: Sequence[Example], tokens: int, seed: int) -> list[Example]:
    """A seeded part of the validation split within a token budget."""
    order = list(examples)
    random.Random(derive_seed(seed, "validation")).shuffle(order)
    part: list[Example] = []
    for example in order:
        if part and sum(len(e.ids) for e in part) + len(example.ids) > tokens:
            break
        part.append(example)
    return part
