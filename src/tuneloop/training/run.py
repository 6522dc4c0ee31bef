"""Stage 2: from a dataset to an adapter, in `runs/<id>/`. The story from top to bottom; the loop itself is `loop.py`."""

from __future__ import annotations

from dataclasses import replace

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from tuneloop.adapters.attach import count_parameters
from tuneloop.adapters.folder import save_adapter
from tuneloop.adapters.methods import METHODS
from tuneloop.adapters.replay import Replay, choose_prompts, record_answers
from tuneloop.core.errors import DivergedError, RefusedError
from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Plan, Run
from tuneloop.kernels import native
from tuneloop.models.load import LoadedModel
from tuneloop.store.artifacts import MANIFEST, write_text_atomically
from tuneloop.store.lock import only_process
from tuneloop.store.workspace import Workspace
from tuneloop.training.distributed import led
from tuneloop.training.fast_path import fast_path, keep_memory
from tuneloop.training.identity import Inputs, choose_folder, keep_identity, make_identity
from tuneloop.training.loop import train
from tuneloop.training.noise import noisy_embeddings
from tuneloop.training.outcome import Place, finish, give_up, read_plan, read_run
from tuneloop.training.prepare import Prepared, attached, make_budget, make_task, prepare, settings_of
from tuneloop.training.rates import find_rate
from tuneloop.training.rehearsal import rehearse
from tuneloop.training.state import State, trained_parameters
from tuneloop.training.task import Task


def run(
    inputs: Inputs,
    workspace: Workspace,
    *,
    recipe_yaml: str,
    resume: bool | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Run:
    """Train an adapter; a finished run of the same inputs is returned as it is, an unfinished one goes on.

    Args:
        inputs: what it is made from; the base model is the same after the run as before.
        workspace: where `runs/` lies.
        recipe_yaml: the resolved recipe, kept in the run.
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
    identity = make_identity(inputs)
    folder, different = choose_folder(workspace.runs, inputs.name, identity, resume=resume, force=force)
    if (folder / MANIFEST).exists():
        return read_run(folder).model_copy(update={"reused": True})
    if different:
        progress.note(text("training.forced", difference="; ".join(different)))
    begun = read_plan(folder)
    prepared = prepare(inputs, folder, begun=begun)
    if begun is None and not prepared.plan.refused:
        prepared = replace(prepared, plan=rehearse(inputs, prepared, folder))
    if not (force and prepared.train):  # without any sample to train on there is nothing to force
        _refuse(prepared.plan)
    workspace.ensure()
    with only_process(folder):
        if (folder / MANIFEST).exists():  # finished while this process was getting ready
            return read_run(folder).model_copy(update={"reused": True})
        folder.mkdir(parents=True, exist_ok=True)
        if begun is None and inputs.training.find_learning_rate:
            prepared = replace(prepared, plan=find_rate(inputs, prepared, folder, progress))
        write_text_atomically(folder / "recipe.yaml", recipe_yaml)
        write_text_atomically(folder / "plan.json", prepared.plan.model_dump_json(indent=2) + "\n")
        keep_identity(folder, identity, different)
        return _run(inputs, prepared, Place(folder, inputs.name, identity, inputs.seed), progress)


def _refuse(plan: Plan) -> None:
    refused = [finding for finding in plan.findings if finding.status == "refuse"]
    if refused:
        reasons, fixes = ("; ".join(getattr(f, field) for f in refused) for field in ("message", "fix"))
        raise RefusedError("training.refused", reasons=reasons, fixes=fixes)


def _run(inputs: Inputs, prepared: Prepared, place: Place, progress: Progress) -> Run:
    """Attach, train, save the best adapter, and finish the run; the base model is given back as it was."""
    keep_memory()
    if inputs.loaded.dtype == torch.bfloat16:
        _build_kernels(progress)
    plan, budget = prepared.plan, make_budget(inputs, prepared.plan)
    with attached(inputs, plan) as model:
        try:
            with fast_path(model), noisy_embeddings(model, inputs.training.neftune_noise_alpha):
                task = make_task(inputs, prepared, model, place.folder, place.identity, budget)
                state = _train(led(task, inputs, plan, progress), progress)
        except DivergedError as error:
            give_up(place, plan, error)
            raise
        if not (place.folder / "adapter").exists():
            _save(inputs, prepared, place, model, state)
    finish(place, plan, state)
    return read_run(place.folder)


def _build_kernels(progress: Progress) -> None:
    """Build the C++ kernels where that is possible and was not done yet: about a second, a quarter of the time saved."""
    if native.library() is not None or not native.can_build():
        return
    progress.note(text("training.building_kernels"))
    if problem := native.build():
        progress.note(text("training.kernels_not_built", problem=problem.splitlines()[-1]))


def _train(task: Task, progress: Progress) -> State:
    """Run the loop and put the best adapter into the model."""
    state, best = train(task, progress)
    if state.history:
        for name, parameter in trained_parameters(task.model).items():
            parameter.data.copy_(best[name])
    else:
        state.best_step = state.step
    return state


def _save(inputs: Inputs, prepared: Prepared, place: Place, model: PeftModel, state: State) -> None:
    """Write the adapter's folder with its card and a few answers."""
    method = settings_of(prepared.plan)["method"]
    trained, total = count_parameters(model)
    card = {
        "name": place.name,
        "steps": state.step,
        "best_step": state.best_step,
        "validation_loss": f"{state.best_loss:.4f}" if state.history else "–",
        "dataset": f"{inputs.dataset.parent.name}/{inputs.dataset.name}",
        "trained": trained,
        "share": 100 * trained / total,
    }
    save_adapter(
        place.folder / "adapter",
        model,
        inputs.loaded,
        card=card,
        inputs={"dataset": place.identity["dataset"]},
        seed=place.seed,
        method=method,
        replay=_answers(prepared, METHODS[method].answering(model).eval(), inputs.loaded),
    )


def _answers(prepared: Prepared, model: PreTrainedModel, loaded: LoadedModel) -> Replay:
    """A few greedy answers to questions of the validation split, or of the training where there is none."""
    examples = prepared.validation or prepared.train
    prompts = choose_prompts([example.ids[: example.supervised.index(True)] for example in examples])
    return record_answers(model, prompts, stop_ids=loaded.template.stop_ids, template_sha256=loaded.template.sha256)
