"""How the stages are wired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuneloop.core.errors import TryAgainError
from tuneloop.core.records import Comparison, Dataset, Sample
from tuneloop.pipeline.files import _file_name
from tuneloop.pipeline.learning_curve import advise, learning_curve
from tuneloop.pipeline.loop import SMOKE_ROWS, STAGES, Loop, Outcome, model_config, run_loop, smoke_recipe
from tuneloop.recipe import Recipe
from tuneloop.store.samples import read_split
from tuneloop.store.workspace import Workspace

pytestmark = pytest.mark.usefixtures("short_answers")


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    rows = "".join(f"What is card {1000 + n}?,Card {1000 + n} is active.\n" for n in range(40))
    (tmp_path / "faq.csv").write_text(f"question,answer\n{rows}", encoding="utf-8")
    (tmp_path / "bank.yaml").write_text(
        "name: bank\nmodel: {name_or_path: tiny}\ndata: {sources: [{path: faq.csv}]}\n", encoding="utf-8"
    )
    return Recipe.load(tmp_path / "bank.yaml")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w")


def test_every_stage_fills_a_field_of_the_outcome() -> None:
    assert [field for field, _ in STAGES.values()] == [f for f in Outcome.model_fields if f != "smoke"]


def test_preparing_data_loads_no_weights(recipe: Recipe, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("weights were loaded")

    monkeypatch.setattr("tuneloop.models.load.load_model", never)
    outcome = run_loop(Loop(recipe, workspace), "prepare")
    assert outcome.dataset.report["tokens"]["model"] == "tiny"
    assert (outcome.plan, outcome.run) == (None, None)


def test_the_model_is_loaded_once_for_all_stages(
    recipe: Recipe, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tuneloop.models import load

    loads: list[str] = []
    real = load.load_model

    def counted(config: Any, **options: Any) -> Any:
        loads.append(config.name_or_path)
        return real(config, **options)

    monkeypatch.setattr(load, "load_model", counted)
    run_loop(Loop(smoke_recipe(recipe), workspace), smoke=True)
    assert loads == ["tiny"]


def test_data_can_be_prepared_while_the_model_is_out_of_reach(
    recipe: Recipe, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: Loop, samples: list[Sample]) -> None:
        raise TryAgainError("models.unreachable", source="the hub")

    monkeypatch.setattr(Loop, "_lengths", away)
    dataset = Loop(recipe, workspace).dataset
    assert isinstance(dataset, Dataset)
    assert dataset.report["tokens"] == {}


def test_a_smoke_recipe_is_the_same_model_with_hardly_any_work(recipe: Recipe) -> None:
    smoke = smoke_recipe(recipe)
    assert (smoke.model, smoke.folder) == (recipe.model, recipe.folder)
    assert smoke.name == "bank-smoke"
    assert sum(source.rows or 0 for source in smoke.data.sources) == SMOKE_ROWS
    assert Recipe.model_validate(smoke.resolved()).resolved() == smoke.resolved()
    long = smoke_recipe(recipe.model_copy(update={"name": "x" * 64}))
    assert len(long.name) == 64


def test_a_smoke_recipe_never_takes_more_rows_than_the_recipe(recipe: Recipe) -> None:
    source = recipe.data.sources[0].model_copy(update={"rows": 5})
    few = recipe.model_copy(update={"data": recipe.data.model_copy(update={"sources": (source,)})})
    assert smoke_recipe(few).data.sources[0].rows == 5


def test_a_models_path_starts_from_the_recipes_folder(recipe: Recipe, tmp_path: Path) -> None:
    assert model_config(recipe) == recipe.model
    (tmp_path / "mine").mkdir()
    local = recipe.model_copy(update={"model": recipe.model.model_copy(update={"name_or_path": "mine"})})
    assert model_config(local).name_or_path == str(tmp_path / "mine")
    hub = recipe.model_copy(update={"model": recipe.model.model_copy(update={"name_or_path": "owner/name"})})
    assert model_config(hub).name_or_path == "owner/name"


@pytest.mark.parametrize(("file", "name"), [("客服 FAQ.xlsx", "FAQ"), ("问答.csv", "file"), ("a b.c.csv", "a-b.c")])
def test_a_files_name_becomes_a_name_of_a_dataset(file: str, name: str) -> None:
    assert _file_name(Path(file)) == name


def test_a_learning_curve_trains_on_nested_parts_and_judges_the_last_step(recipe: Recipe, workspace: Workspace) -> None:
    small = smoke_recipe(recipe)
    curve = learning_curve(Loop(small, workspace), shares=(0.5, 1.0))
    assert [point.share for point in curve.points] == [0.5, 1.0]
    assert curve.points[0].rows == round(curve.points[1].rows / 2)
    parts = {
        path.parent.name: read_split(path.parent, "train") for path in workspace.datasets.glob("*/*/manifest.json")
    }
    half, whole = sorted(parts.values(), key=len)
    assert {sample.id for sample in half} < {sample.id for sample in whole}
    assert curve.points[0].run_id != curve.points[1].run_id
    assert curve.advice in ("more", "enough", "unknown")


@pytest.mark.parametrize(
    ("low", "high", "advice"), [(0.01, 0.1, "more"), (-0.02, 0.005, "enough"), (-0.05, 0.05, "unknown")]
)
def test_advice_follows_the_interval_of_the_last_step(low: float, high: float, advice: str) -> None:
    step = Comparison(a="half", b="all", metric="rouge_l", difference=0.0, low=low, high=high, p=0.5)
    assert advise(step, "rouge_l") == advice
