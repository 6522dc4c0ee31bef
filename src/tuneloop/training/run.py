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

from tuneloop.adapters.config import AdapterConfig
from tuneloop.adapters.folder import save_adapter
from tuneloop.adapters.lora import attach_lora, count_parameters
from tuneloop.core.errors import DataError, IncompatibleError, NotFoundError, RefusedError
from tuneloop.core.hashing import canonical_json, stage_key
from tuneloop.core.messages import current_language, text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Plan, Run
from tuneloop.core.seeds import derive_seed
from tuneloop.kernels import native
from tuneloop.models.load import LoadedModel
from tuneloop.store.artifacts import MANIFEST, manifest_hash, read_manifest, write_manifest, write_text_atomically
from tuneloop.store.samples import read_split
from tuneloop.store.workspace import Workspace
from tuneloop.training.batches import schedule
from tuneloop.training.config import TrainingConfig
from tuneloop.training.facts import data_facts, machine_facts, model_facts
from tuneloop.training.fast_path import fast_path, keep_memory
from tuneloop.training.journal import read_metrics
from tuneloop.training.loop import Task, train
from tuneloop.training.plan import make_plan
from tuneloop.training.preflight import Subject, preflight
from tuneloop.training.report import training_report
from tuneloop.training.state import State, trained_parameters
from tuneloop.training.tokenise import Example, tokenise

FORMAT = 1


@dataclass(frozen=True)
class Prepared:
    """The plan with its pre-flight, and the examples it is about."""

    plan: Plan
    train: list[Example]
    validation: list[Example]


def prepare(
    config: TrainingConfig, adapter: AdapterConfig, *, dataset: Path, loaded: LoadedModel, seed: int, folder: Path
) -> Prepared:
    """Tokenise the dataset, plan the training, and check it: everything before step 1.

    Args:
        config: `training:` of the recipe.
        adapter: `adapter:` of the recipe.
        dataset: a dataset folder.
        loaded: the base model.
        seed: of the recipe; it chooses the part of the validation split that is scored.
        folder: where checkpoints would be written.

    Raises:
        DataError: the training split is empty (code `training.no_rows`).
        RecipeError: the settings contradict each other.
    """
    train_samples, validation_samples = read_split(dataset, "train"), read_split(dataset, "validation")
    if not train_samples:
        raise DataError("training.no_rows", file=dataset, split="train")
    whole = tokenise(train_samples, loaded.template)
    validation = tokenise(validation_samples, loaded.template)
    machine = machine_facts(loaded)
    plan = make_plan(config, adapter, model_facts(loaded), data_facts(whole, validation), machine)
    length = plan.value("max_length")
    cut = tokenise(train_samples, loaded.template, length)
    subject = Subject(train_samples, whole, cut, loaded.template, plan, machine, folder)
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
    resume: bool = True,
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
        resume: go on with an unfinished run of the same inputs; otherwise a new one begins.
        force: train again although a finished run exists, and although the pre-flight refuses.
        progress: where the bar is shown.

    Raises:
        RefusedError: the pre-flight refuses (code `training.refused`).
        TuneloopError: everything that the loop raises.
    """
    identity: dict[str, Any] = {
        "training": config.model_dump(mode="json"),
        "adapter": adapter.model_dump(mode="json"),
        "seed": seed,
        "dataset": manifest_hash(dataset),
        "base": loaded.sha256,
        "template": loaded.template.sha256,
        "dtype": str(loaded.dtype),
    }
    key = stage_key("training", FORMAT, identity, {})
    folder = _choose_folder(workspace.runs, f"{name}-{key[:8]}", resume=resume, force=force)
    if (folder / MANIFEST).exists():
        return read_run(folder).model_copy(update={"reused": True})
    prepared = prepare(config, adapter, dataset=dataset, loaded=loaded, seed=seed, folder=folder)
    if prepared.plan.refused and not force:
        refused = [f for f in prepared.plan.findings if f.status == "refuse"]
        raise RefusedError(
            "training.refused", reasons="; ".join(f.message for f in refused), fixes="; ".join(f.fix for f in refused)
        )
    _check_same(folder, identity)
    workspace.ensure()
    folder.mkdir(parents=True, exist_ok=True)
    write_text_atomically(folder / "recipe.yaml", recipe_yaml)
    write_text_atomically(folder / "plan.json", prepared.plan.model_dump_json(indent=2) + "\n")
    write_text_atomically(folder / "identity.json", canonical_json(identity) + "\n")
    keep_memory()
    if loaded.dtype == torch.bfloat16:
        _build_kernels(progress)
    plan = prepared.plan
    model = attach_lora(
        loaded.model,
        r=plan.value("r"),
        lora_alpha=plan.value("lora_alpha"),
        target_modules=plan.value("target_modules"),
        dropout=plan.value("lora_dropout"),
        seed=derive_seed(seed, "adapter"),
    )
    try:
        with fast_path(model):
            state = _train(_task(config, prepared, model, folder, identity, seed), model, progress)
        trained, total = count_parameters(model)
        card = {
            "name": name,
            "steps": state.step,
            "best_step": state.best_step,
            "validation_loss": f"{state.best_loss:.4f}" if state.history else "–",
            "dataset": f"{dataset.parent.name}/{dataset.name}",
            "trained": trained,
            "share": 100 * trained / total,
        }
        if not (folder / "adapter").exists():
            save_adapter(
                folder / "adapter", model, loaded, card=card, inputs={"dataset": identity["dataset"]}, seed=seed
            )
    finally:
        model.unload()
        loaded.model.requires_grad_(False).eval()
    _finish(folder, name, plan, state, identity, seed)
    return read_run(folder)


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


def _task(
    config: TrainingConfig, prepared: Prepared, model: PeftModel, folder: Path, identity: dict[str, Any], seed: int
) -> Task:
    plan = prepared.plan
    steps = schedule(
        prepared.train,
        max_tokens=plan.value("max_tokens_per_batch"),
        max_samples=plan.value("per_device_train_batch_size"),
        accumulation=plan.value("gradient_accumulation_steps"),
        epochs=plan.value("num_train_epochs"),
        seed=seed,
    )
    return Task(
        model=model,
        train=prepared.train,
        validation=prepared.validation,
        steps=steps,
        learning_rate=plan.value("learning_rate"),
        warmup_steps=plan.value("warmup_steps"),
        weight_decay=plan.value("weight_decay"),
        betas=(config.adam_beta1, config.adam_beta2),
        max_grad_norm=config.max_grad_norm,
        eval_steps=plan.value("eval_steps"),
        save_steps=config.save_steps,
        save_total_limit=config.save_total_limit,
        patience=config.early_stopping_patience,
        folder=folder,
        identity=identity,
        tensorboard="tensorboard" in config.report_to,
    )


def _finish(folder: Path, name: str, plan: Plan, state: State, identity: dict[str, Any], seed: int) -> None:
    """Write the summary, the report and, last, the manifest that makes the run finished."""
    summary = {
        "name": name,
        "global_step": state.step,
        "best_global_step": state.best_step,
        "best_metric": state.best_loss if state.history else None,
        "log_history": state.history,
        "train_runtime": round(state.seconds, 2),
        "tokens": state.tokens,
        "tokens_per_second": round(state.tokens / max(state.seconds, 1e-9), 1),
        "memory_bytes": state.peak_memory,
        "stopped_early": state.stopped_early,
    }
    write_text_atomically(folder / "trainer_state.json", json.dumps(summary, indent=2) + "\n")
    metrics = read_metrics(folder / "metrics.jsonl")
    write_text_atomically(folder / "report.html", training_report(name, plan, state, metrics, current_language()))
    write_manifest(
        folder, kind="run", config=identity, inputs={"dataset": identity["dataset"]}, seeds={"training": seed}
    )


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


def _choose_folder(runs: Path, name: str, *, resume: bool, force: bool) -> Path:
    """The run's folder: a finished one is reused, an unfinished one resumed; otherwise the next free name."""
    taken = sorted(
        (p for p in (runs / name, *runs.glob(f"{name}-*")) if p.exists()), key=lambda p: (len(p.name), p.name)
    )
    if taken and not force:
        latest = taken[-1]
        if (latest / MANIFEST).exists() or resume:
            return latest
    return runs / name if not taken else runs / f"{name}-{len(taken) + 1}"


def _check_same(folder: Path, identity: dict[str, Any]) -> None:
    """An unfinished run goes on only with the inputs it began with."""
    kept = folder / "identity.json"
    if not kept.exists():
        return
    before = json.loads(kept.read_text(encoding="utf-8"))
    different = [key for key in identity if identity[key] != before.get(key)]
    if different:
        raise IncompatibleError("training.resume_differs", file=folder, difference=", ".join(different))


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
