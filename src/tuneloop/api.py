"""Every verb as one typed function: what `from tuneloop import train` gives, and what the command line calls.

Each takes a recipe (or the path of one) and a workspace, does what is missing before it, and returns a frozen result that
shows itself as a table with `print` and in notebooks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tuneloop.core.errors import UsageError
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Adapter, Dataset, Decision, Evaluation, Plan, Result, Run
from tuneloop.pipeline.loop import STAGES, Loop, Outcome, Stage, run_loop, smoke_recipe
from tuneloop.recipe import Recipe
from tuneloop.store.workspace import Workspace, find_workspace

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tuneloop.evaluation.script_check import ScriptCheck
    from tuneloop.pipeline.exports import Exported, Form, Verified, Weights
    from tuneloop.pipeline.files import Predictions
    from tuneloop.pipeline.learning_curve import LearningCurve
    from tuneloop.serving.answer import Answerer

AnyRecipe = Recipe | Path | str
AnyWorkspace = Workspace | Path | str | None


def prepare(
    recipe: AnyRecipe, workspace: AnyWorkspace = None, *, force: bool = False, progress: Progress = SILENT
) -> Dataset:
    """Stage 1: read, clean, split and freeze the recipe's sources.

    Args:
        recipe: a recipe, or the path of its file.
        workspace: a workspace or its folder; by default it is found as the command line finds it.
        force: do it again even if the result exists.
        progress: where to report.
    """
    return _loop(recipe, workspace, ["prepare"] if force else [], progress).dataset


def check(
    recipe: AnyRecipe,
    workspace: AnyWorkspace = None,
    *,
    device: str | None = None,
    measure: bool = False,
    force: bool = False,
    progress: Progress = SILENT,
) -> Plan:
    """The pre-flight: what the training would do, and whether it should (`Plan.refused`).

    Args:
        recipe, workspace, progress: as in `prepare`.
        device: plan for a machine that is not here: t4, a10, 4090, h100.
        measure: also try one real step of the largest micro-batch, and the room on the disk, as a training does.
        force: prepare the dataset again.

    Raises:
        UsageError: there is no such device (code `training.device_unknown`), or a step is to be tried on it
            (`training.measure_elsewhere`).
    """
    if device is not None and measure:
        raise UsageError("training.measure_elsewhere", device=device)
    loop = _loop(recipe, workspace, ["prepare"] if force else [], progress)
    if device is not None:
        return loop.plan_for(device)
    return loop.measured_plan if measure else loop.plan


def train(
    recipe: AnyRecipe,
    workspace: AnyWorkspace = None,
    *,
    force: bool = False,
    resume: bool | None = None,
    progress: Progress = SILENT,
) -> Run:
    """Stage 2: train the adapter; an unfinished training of the same inputs goes on.

    Args:
        recipe, workspace, progress: as in `prepare`.
        force: train again, and although the pre-flight refuses; with `resume=True`, go on although inputs differ.
        resume: True insists on the newest unfinished training of this name; False begins anew beside it.

    Raises:
        RefusedError: the pre-flight refuses (code `training.refused`).
        IncompatibleError: the training to resume had other inputs (code `training.resume_differs`).
        TryAgainError: another process is at work on it (code `store.locked`).
    """
    return _loop(recipe, workspace, ["train"] if force else [], progress, resume=resume).run


def follow(recipe: AnyRecipe, workspace: AnyWorkspace = None) -> None:
    """Compute shares of a training that another process of the same `torchrun` leads with `train`.

    Args:
        recipe, workspace: the same as the leader's.

    Raises:
        IncompatibleError: this process has other inputs than the leader (code `training.process_differs`).
        ResourceError: the leader is gone (code `training.process_lost`).
    """
    _loop(recipe, workspace, [], SILENT).follow()


def evaluate(
    recipe: AnyRecipe, workspace: AnyWorkspace = None, *, force: bool = False, progress: Progress = SILENT
) -> Evaluation:
    """Stage 3: base, base with the script, and tuned on the same held-out rows. Args: as in `prepare`."""
    return _loop(recipe, workspace, ["evaluate"] if force else [], progress).evaluation


def register(
    recipe: AnyRecipe, workspace: AnyWorkspace = None, *, force: bool = False, progress: Progress = SILENT
) -> Adapter:
    """Make the recipe's adapter a numbered version; the same training is registered once. Args: as in `prepare`."""
    return _loop(recipe, workspace, ["register"] if force else [], progress).adapter


def run(
    recipe: AnyRecipe,
    workspace: AnyWorkspace = None,
    *,
    until: Stage = "register",
    smoke: bool = False,
    force: bool = False,
    progress: Progress = SILENT,
    tell: Callable[[Stage, Result], None] = lambda stage, result: None,
) -> Outcome:
    """The whole loop: prepare, check, train, evaluate, register.

    Args:
        recipe, workspace, progress: as in `prepare`.
        until: the last stage.
        smoke: a quick trial with a handful of rows that proves nothing and registers nothing.
        force: do every stage again, and although the pre-flight refuses.
        tell: called with each result as soon as it is there.
    """
    chosen = _recipe(recipe)
    loop = _loop(smoke_recipe(chosen) if smoke else chosen, workspace, list(STAGES) if force else [], progress)
    return run_loop(loop, until, smoke=smoke, tell=tell)


def load(
    name: str | Path | None = None,
    workspace: AnyWorkspace = None,
    *,
    max_new_tokens: int | None = None,
    accept_license: str | None = None,
    progress: Progress = SILENT,
) -> Answerer:
    """Load what answers: `load("bank-service").answer([{"role": "user", "content": "…"}])`.

    Args:
        name: an adapter (`NAME`, `NAME@v0003`, `NAME@alias`), the folder of one, or `base:` and a model's name; None
            is the only adapter of the workspace.
        workspace: as in `prepare`.
        max_new_tokens: longest answer.
        accept_license: a licence of the base model that you accept, by name.
        progress: where to report.

    Raises:
        NotFoundError: there is no such adapter or model.
        IncompatibleError: the adapter was trained on another base.
    """
    from tuneloop.serving.named import find

    named = find(None if name is None else str(name), _workspace(workspace), accept_license=accept_license)
    from tuneloop.serving.answer import load_answerer  # slow to import: a wrong name is told without it

    return load_answerer(named, max_new_tokens=max_new_tokens, progress=progress)


def converse(
    name: str | Path | None = None,
    workspace: AnyWorkspace = None,
    *,
    max_new_tokens: int | None = None,
    accept_license: str | None = None,
    progress: Progress = SILENT,
) -> tuple[Answerer, Callable[[str], Answerer]]:
    """Load a base model for a conversation in which several of its adapters may take turns.

    Args: as in `load`.

    Returns:
        What answers first, and what finds the others by name.
    """
    from tuneloop.serving.named import find

    place = _workspace(workspace)
    named = find(None if name is None else str(name), place, accept_license=accept_license)
    from tuneloop.models.load import load_model  # slow to import: a wrong name is told without it
    from tuneloop.serving.voices import Voices

    loaded = load_model(named.model, progress=progress)
    voices = Voices(loaded, named.model.name_or_path, place, max_new_tokens=max_new_tokens)
    return voices.find(str(name) if name is not None else named.name), voices.find


def predict(
    name: str | Path,
    data: Path | str,
    out: Path | str,
    workspace: AnyWorkspace = None,
    *,
    question: str | None = None,
    max_new_tokens: int | None = None,
    accept_license: str | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Predictions:
    """Answer a file of questions and write its rows with a column of answers added.

    Args:
        name: what answers, as in `load`.
        data: the questions (.csv, .tsv, .xlsx, .jsonl, .json).
        out: the file to write (.csv, .xlsx, .jsonl).
        workspace: as in `prepare`.
        question: the column of the questions; guessed when None.
        max_new_tokens: longest answer; by default what the adapter's recipe or evaluation allowed.
        accept_license: as in `load`.
        force: replace `out`.
        progress: where to report.
    """
    from tuneloop.pipeline.files import predict_file
    from tuneloop.serving.named import find

    return predict_file(
        find(str(name), _workspace(workspace), accept_license=accept_license),
        Path(data),
        Path(out),
        question=question,
        max_new_tokens=max_new_tokens,
        force=force,
        progress=progress,
    )


def check_rules(script: str, data: Path | str, *, rows: int | None = None, progress: Progress = SILENT) -> ScriptCheck:
    """Try a script out: its rules over good answers, answers broken on purpose, and other wordings.

    Args:
        script: a file or the name of a built-in one.
        data: a file of questions and answers, or `grammar:` and the name of a built-in grammar.
        rows: at most so many rows.
        progress: where to report.
    """
    from tuneloop.pipeline.rules import check_rules

    return check_rules(script, str(data), rows=rows, progress=progress)


def evaluate_file(
    name: str | Path,
    data: Path | str,
    workspace: AnyWorkspace = None,
    *,
    script: str | None = None,
    language: Literal["en", "zh"] = "en",
    accept_license: str | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Evaluation:
    """Compare an adapter with its base on a file of questions with reference answers.

    Args:
        name: the adapter, as in `load`.
        data: the file; every row is held out.
        workspace: as in `prepare`.
        script: rules to score: a file or the name of a built-in one.
        language: of rows whose own can't be told.
        accept_license: as in `load`.
        force: do it again even if the result exists.
        progress: where to report.
    """
    from tuneloop.pipeline.files import evaluate_file
    from tuneloop.serving.named import find

    place = _workspace(workspace)
    return evaluate_file(
        find(str(name), place, accept_license=accept_license),
        Path(data),
        workspace=place,
        script=script,
        language=language,
        force=force,
        progress=progress,
    )


def export(
    name: str | Path,
    out: Path | str,
    workspace: AnyWorkspace = None,
    *,
    form: Form = "merged",
    weights: Weights = "f16",
    accept_license: str | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Exported:
    """Write an adapter for another program, read it back and replay the answers that it gave after its training.

    Args:
        name: the adapter, as in `load`.
        out: the folder; it must be empty or new.
        workspace: as in `prepare`.
        form: `merged`, a whole model in the format of transformers; `peft`, the adapter alone; `gguf`, both for
            llama.cpp and Ollama; or `openvino`, a whole model as an OpenVINO graph.
        weights: how a GGUF file (`f32`, `f16`, `bf16`, `q8_0`) or an OpenVINO graph (`f32`, `f16`) stores matrices.
        accept_license: as in `load`.
        force: write into a folder that holds something, over files of the same name.
        progress: where to report.

    Raises:
        IncompatibleError: what was written answers otherwise (code `adapters.replay_differs`); nothing is kept.
    """
    from tuneloop.pipeline.exports import export_adapter
    from tuneloop.serving.named import find

    named = find(str(name), _workspace(workspace), accept_license=accept_license)
    return export_adapter(named, Path(out), form=form, weights=weights, force=force, progress=progress)


def verify(
    name: str | Path,
    workspace: AnyWorkspace = None,
    *,
    accept_license: str | None = None,
    progress: Progress = SILENT,
) -> Verified:
    """Check an adapter's files, base and template, and that it still gives its stored answers. Args: as in `load`.

    Raises:
        CorruptError, IncompatibleError: what differs, by its code.
    """
    from tuneloop.pipeline.exports import verify_adapter
    from tuneloop.serving.named import find

    return verify_adapter(find(str(name), _workspace(workspace), accept_license=accept_license), progress=progress)


def base_of(workspace: AnyWorkspace = None) -> str:
    """The base model that a server of this workspace has unless told otherwise: that of its newest adapter.

    Raises:
        NotFoundError: the workspace has no adapter (code `serving.no_adapter`).
    """
    from tuneloop.core.errors import NotFoundError
    from tuneloop.serving.run import base_of

    place = _workspace(workspace)
    base = base_of(place)
    if base is None:
        raise NotFoundError("serving.no_adapter", place=place.root)
    return base


def serve(
    workspace: AnyWorkspace = None,
    *,
    model: str | None = None,
    accept_license: str | None = None,
    ready: Callable[[str, int], None] = lambda url, adapters: None,
    progress: Progress = SILENT,
    **settings: Any,
) -> None:
    """Answer over HTTP with the base model and the workspace's adapters, until SIGINT or SIGTERM; the page is at /studio.

    Args:
        workspace: as in `prepare`.
        model: the base model; that of the workspace's newest adapter by default.
        accept_license: a licence that the user accepts, for base models that ask for it.
        ready: called with the address and the number of adapters as soon as requests are taken.
        progress: where loading is reported.
        settings: fields of `ServingConfig`: `host`, `port`, `batch_size`, `engine`, …
    """
    from tuneloop.models.config import ModelConfig
    from tuneloop.serving.config import make_config
    from tuneloop.serving.run import run

    config = make_config(settings)

    place = _workspace(workspace)
    base = ModelConfig(name_or_path=model or base_of(place), accept_license=accept_license)

    def extend(app: FastAPI) -> None:
        from tuneloop.studio.page import mount  # slow to import: the port and the model come first

        mount(app)

    run(config, model=base, workspace=place, extend=extend, ready=ready, progress=progress)


def learning_curve(recipe: AnyRecipe, workspace: AnyWorkspace = None, *, progress: Progress = SILENT) -> LearningCurve:
    """Train and evaluate on a quarter, half and all of the training rows: will more data help? Args: as in `prepare`."""
    from tuneloop.pipeline.learning_curve import learning_curve

    return learning_curve(_loop(recipe, workspace, [], progress))


def promote(name: str, workspace: AnyWorkspace = None, *, evaluation: str | None = None) -> tuple[Adapter, Decision]:
    """Let a version serve: the alias `production` moves to it if the gate of its recipe allows it.

    Args:
        name: the version (`NAME@v0003`, `NAME@candidate`).
        workspace: as in `prepare`.
        evaluation: the evaluation to rest on; its training's newest one by default.

    Raises:
        RefusedError: the gate refuses (code `registry.gate_refused`, with the reasons).
    """
    from tuneloop.pipeline.promotion import judge_version
    from tuneloop.registry import promotion

    place = _workspace(workspace)
    adapter, decision = judge_version(place, name, evaluation)
    return promotion.promote(place, adapter, decision), decision


def roll_back(name: str, workspace: AnyWorkspace = None) -> Adapter:
    """Let the version serve that served before. Args: as in `promote`.

    Raises:
        NotFoundError: nothing served before (code `registry.nothing_before`).
    """
    from tuneloop.registry import promotion

    return promotion.roll_back(_workspace(workspace), name)


def _loop(
    recipe: AnyRecipe,
    workspace: AnyWorkspace,
    force: Collection[Stage],
    progress: Progress,
    *,
    resume: bool | None = None,
) -> Loop:
    return Loop(_recipe(recipe), _workspace(workspace), force=force, resume=resume, progress=progress)


def _recipe(recipe: AnyRecipe) -> Recipe:
    return recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)


def _workspace(workspace: AnyWorkspace) -> Workspace:
    return workspace if isinstance(workspace, Workspace) else find_workspace(workspace)
