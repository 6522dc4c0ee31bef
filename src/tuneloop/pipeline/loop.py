"""The stages in their order, and what flows from one to the next: the only place that knows all of them.

prepare → check → train → evaluate → register. Every stage looks for its own finished result first, so a second call
redoes only what changed; asking for a stage does what is missing before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tuneloop.core.errors import NotAllowedError, TryAgainError
from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Adapter, Dataset, Evaluation, Plan, Record, Result, Run, Sample
from tuneloop.models.catalogue import CATALOGUE
from tuneloop.models.config import ModelConfig
from tuneloop.recipe import Recipe
from tuneloop.store.workspace import Workspace

if TYPE_CHECKING:
    from tuneloop.models.load import LoadedModel
    from tuneloop.models.template import ChatTemplate
    from tuneloop.training.identity import Inputs

Stage = Literal["prepare", "check", "train", "evaluate", "register"]

STAGES: dict[Stage, tuple[str, Callable[[Loop], Result]]] = {
    "prepare": ("dataset", lambda loop: loop.dataset),
    "check": ("plan", lambda loop: loop.plan),
    "train": ("run", lambda loop: loop.run),
    "evaluate": ("evaluation", lambda loop: loop.evaluation),
    "register": ("adapter", lambda loop: loop.adapter),
}
"""The stages in their order: the field of `Outcome` that each fills, and how it is made."""

NO_PROBES = dict.fromkeys(("robustness", "latency", "forgetting", "privacy"))
"""A trial run leaves the examinations beside the test rows out."""
SMOKE_ROWS = 20
SMOKE_TEST_ROWS = 4
SMOKE_ANSWER_TOKENS = 32


class Outcome(Record):
    """What a run of the loop made, as far as it went."""

    dataset: Dataset
    plan: Plan | None = None
    run: Run | None = None
    evaluation: Evaluation | None = None
    adapter: Adapter | None = None
    smoke: bool = False
    """A trial that proves nothing: nothing was registered."""


class Loop:
    """One recipe in one workspace. Each result is made when it is first asked for; the model is loaded once.

    Args:
        recipe: what to do.
        workspace: where results go.
        force: stages to do again even if their result exists.
        resume: None continues an unfinished training of the same inputs; True insists on one; False begins anew.
        progress: where to report.
    """

    def __init__(
        self,
        recipe: Recipe,
        workspace: Workspace,
        *,
        force: Collection[Stage] = (),
        resume: bool | None = None,
        progress: Progress = SILENT,
    ) -> None:
        self.recipe = recipe
        self.workspace = workspace
        self._force = frozenset(force)
        self._resume = resume
        self.progress = progress

    @cached_property
    def dataset(self) -> Dataset:
        """Stage 1."""
        try:
            return self._prepare(measured=True)
        except (TryAgainError, NotAllowedError) as error:
            # Data can be prepared before the model is there; only its lengths in tokens are not known then.
            self.progress.note(text("general.no_token_lengths", problem=error.message()))
            return self._prepare(measured=False)

    def _prepare(self, *, measured: bool) -> Dataset:
        from tuneloop.data.census import Measure
        from tuneloop.data.run import run

        recipe = self.recipe
        return run(
            recipe.data,
            name=recipe.name,
            language=recipe.language,
            seed=recipe.seed,
            folder=recipe.folder,
            workspace=self.workspace,
            measure=Measure(recipe.model.name_or_path, self._lengths) if measured else None,
            force="prepare" in self._force,
            progress=self.progress,
        )

    def _lengths(self, samples: Sequence[Sample]) -> list[tuple[int, int]]:
        """Prompt and answer tokens of each sample, by the recipe's own template."""
        template = self._template
        if not samples:
            return []
        prompts = template.prompt_many([sample.prompt for sample in samples])
        wholes = template.render_many([sample.messages for sample in samples])
        return [(len(prompt), len(whole.ids) - len(prompt)) for prompt, whole in zip(prompts, wholes, strict=True)]

    @cached_property
    def _template(self) -> ChatTemplate:
        from tuneloop.models.load import load_tokenizer

        _, template = load_tokenizer(model_config(self.recipe), progress=self.progress)
        return template

    @cached_property
    def loaded(self) -> LoadedModel:
        """The base model, for every stage that needs it."""
        from tuneloop.models.load import load_model

        return load_model(model_config(self.recipe), progress=self.progress)

    @cached_property
    def plan(self) -> Plan:
        """The pre-flight: what the training will do, and whether it should."""
        from tuneloop.training.prepare import prepare

        return self._with_evidence(prepare(self._inputs(self.loaded), self.workspace.runs).plan)

    @cached_property
    def measured_plan(self) -> Plan:
        """The pre-flight with one real step and a look at the disk."""
        from tuneloop.training.prepare import prepare
        from tuneloop.training.rehearsal import rehearse

        inputs, folder = self._inputs(self.loaded), self.workspace.runs / self.recipe.name
        return self._with_evidence(rehearse(inputs, prepare(inputs, folder), folder))

    def _with_evidence(self, plan: Plan) -> Plan:
        """A plan with the finding whether its test rows can prove anything."""
        from tuneloop.pipeline.evidence import evidence

        proof = evidence(self.recipe.evaluation, self.dataset.rows.get("test", 0))
        return plan.model_copy(update={"findings": (*plan.findings, proof)})

    def plan_for(self, device: str) -> Plan:
        """The pre-flight for a machine that is not here (`training.devices.DEVICES`), without the model's weights."""
        import torch

        from tuneloop.models.load import load_skeleton
        from tuneloop.training.devices import device_facts
        from tuneloop.training.prepare import prepare

        machine = device_facts(device)
        skeleton = load_skeleton(model_config(self.recipe), getattr(torch, machine.dtype), progress=self.progress)
        return prepare(self._inputs(skeleton), self.workspace.runs, device=machine).plan

    def _inputs(self, loaded: LoadedModel) -> Inputs:
        """What the training is made from."""
        from tuneloop.training.identity import Inputs

        recipe = self.recipe
        return Inputs(recipe.training, recipe.adapter, self.dataset.path, loaded, recipe.name, recipe.seed)

    @cached_property
    def run(self) -> Run:
        """Stage 2."""
        from tuneloop.training.distributed import company
        from tuneloop.training.run import run

        inputs = self._inputs(self.loaded)
        with company():
            return run(
                inputs,
                self.workspace,
                recipe_yaml=self.recipe.to_yaml(),
                resume=self._resume,
                force="train" in self._force,
                progress=self.progress,
            )

    def follow(self) -> None:
        """Lend this process to the one that leads the training; nothing is written."""
        from tuneloop.training.distributed import follow
        from tuneloop.training.identity import Inputs

        recipe = self.recipe
        follow(lambda path: Inputs(recipe.training, recipe.adapter, path, self.loaded, recipe.name, recipe.seed))

    @cached_property
    def evaluation(self) -> Evaluation:
        """Stage 3."""
        from tuneloop.evaluation.run import run
        from tuneloop.evaluation.subject import Subject
        from tuneloop.registry.evaluations import record_evaluation

        recipe = self.recipe
        evaluation = run(
            recipe.evaluation,
            recipe.generation,
            Subject(
                name=recipe.name,
                language=recipe.language,
                seed=recipe.seed,
                dataset=self.dataset.path,
                loaded=self.loaded,
                adapter=self.run.adapter_path,
                folder=recipe.folder,
                workspace=self.workspace,
                others=adapters_named(recipe.evaluation.against, self.workspace),
            ),
            force="evaluate" in self._force,
            progress=self.progress,
        )
        record_evaluation(self.workspace, evaluation, run_id=self.run.id)
        return evaluation

    @cached_property
    def adapter(self) -> Adapter:
        """The registered version."""
        from tuneloop.registry.versions import register

        return register(
            self.workspace,
            name=self.recipe.name,
            run_folder=self.run.path,
            base_model=self.recipe.model.name_or_path,
            run_id=self.run.id,
            alias=self.recipe.register_.alias,
        )


def run_loop(
    loop: Loop,
    until: Stage = "register",
    *,
    smoke: bool = False,
    tell: Callable[[Stage, Result], None] = lambda stage, result: None,
) -> Outcome:
    """Go through the stages up to `until`.

    Args:
        loop: the recipe in its workspace.
        until: the last stage.
        smoke: a trial: nothing is registered.
        tell: called with each result as soon as it is there.
    """
    made: dict[str, Result] = {}
    for stage, (field, result_of) in STAGES.items():
        if smoke and stage == "register":
            break
        made[field] = result_of(loop)
        tell(stage, made[field])
        if stage == until:
            break
    return Outcome.model_validate({**made, "smoke": smoke})


def smoke_recipe(recipe: Recipe) -> Recipe:
    """The same recipe with a handful of rows, one epoch and short answers: same model, other name."""
    rows = math.ceil(SMOKE_ROWS / len(recipe.data.sources))
    sources = tuple(
        source.model_copy(update={"rows": min(rows, source.rows or rows)}) for source in recipe.data.sources
    )
    shares = recipe.data.split.model_copy(update={"validation": 0.2, "test": 0.2})
    evaluated = min(SMOKE_TEST_ROWS, recipe.evaluation.max_rows or SMOKE_TEST_ROWS)
    return recipe.model_copy(
        update={
            "name": f"{recipe.name[:58]}-smoke",
            "data": recipe.data.model_copy(update={"sources": sources, "split": shares}),
            "training": recipe.training.model_copy(update={"num_train_epochs": 1.0}),
            "generation": recipe.generation.model_copy(update={"max_new_tokens": SMOKE_ANSWER_TOKENS}),
            "evaluation": recipe.evaluation.model_copy(update={"max_rows": evaluated, **NO_PROBES}),
        }
    )


def adapters_named(names: Sequence[str], workspace: Workspace) -> dict[str, Path]:
    """Folders of the registered adapters among the arms that a recipe names; addresses of servers are left out."""
    from tuneloop.registry.versions import resolve

    return {name: resolve(workspace, name).path for name in names if "://" not in name}


def model_config(recipe: Recipe) -> ModelConfig:
    """The recipe's model; a path of a folder or file starts from the recipe's folder, like all its paths."""
    name = recipe.model.name_or_path
    path = (recipe.folder / Path(name).expanduser()).resolve()
    if name in CATALOGUE or not path.exists():
        return recipe.model
    return recipe.model.model_copy(update={"name_or_path": str(path)})
