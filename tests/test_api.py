"""The verbs from Python: records in, records out."""

from __future__ import annotations

from pathlib import Path

import pytest

import tuneloop
from tuneloop import Recipe, api
from tuneloop.core.errors import NotFoundError, RecipeError, RefusedError
from tuneloop.core.records import Adapter, Dataset, Evaluation, Plan, Run
from tuneloop.store.workspace import Workspace

pytestmark = pytest.mark.usefixtures("short_answers")

RECIPE = """
name: bank
model: {name_or_path: tiny}
data: {sources: [{path: faq.csv}]}
training: {num_train_epochs: 1}
generation: {max_new_tokens: 6}
evaluation: {max_rows: 3}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe, its sheet and a workspace that the tests of this file share: what is done is not done again."""
    root = tmp_path_factory.mktemp("api")
    rows = "".join(f"What is card {1000 + n}?,Card {1000 + n} is active.\n" for n in range(40))
    (root / "faq.csv").write_text(f"question,answer\n{rows}", encoding="utf-8")
    (root / "bank.yaml").write_text(RECIPE, encoding="utf-8")
    return root


@pytest.fixture
def recipe(folder: Path) -> Recipe:
    return Recipe.load(folder / "bank.yaml")


def test_each_verb_returns_its_record(recipe: Recipe, folder: Path) -> None:
    assert isinstance(tuneloop.prepare(recipe, folder), Dataset)
    assert isinstance(tuneloop.check(recipe, folder), Plan)
    assert isinstance(tuneloop.train(recipe, folder), Run)
    assert isinstance(tuneloop.evaluate(recipe, folder), Evaluation)
    assert isinstance(tuneloop.register(recipe, folder), Adapter)


def test_a_verb_does_what_is_missing_before_it_and_the_next_call_nothing(recipe: Recipe, folder: Path) -> None:
    first = tuneloop.evaluate(recipe, folder)
    again = tuneloop.evaluate(recipe, Workspace(folder))
    assert (first.id, again.reused) == (again.id, True)


def test_a_path_is_as_good_as_a_recipe(folder: Path) -> None:
    assert tuneloop.prepare(str(folder / "bank.yaml"), str(folder)).name == "bank"
    with pytest.raises(RecipeError):
        tuneloop.prepare(folder / "nowhere.yaml", folder)


def test_the_workspace_is_found_as_the_command_line_finds_it(
    recipe: Recipe, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNELOOP_WORKSPACE", str(folder))
    assert tuneloop.prepare(recipe).path.is_relative_to(folder)


def test_the_whole_loop_tells_each_result(recipe: Recipe, folder: Path) -> None:
    told: list[str] = []
    outcome = tuneloop.run(recipe, folder, tell=lambda stage, _: told.append(stage))
    assert told == ["prepare", "check", "train", "evaluate", "register"]
    assert outcome.adapter is not None
    assert outcome.adapter.label == "bank@v0001"


def test_what_was_trained_answers_and_streams(recipe: Recipe, folder: Path) -> None:
    tuneloop.register(recipe, folder)
    answerer = tuneloop.load("bank", folder, max_new_tokens=6)
    messages = [{"role": "user", "content": "What is card 1001?"}]
    assert answerer.name == "bank@v0001"
    assert "".join(answerer.stream(messages)) == answerer.answer(messages)
    base = tuneloop.load("base:tiny", folder, max_new_tokens=6)
    assert base.answer(messages) != answerer.answer(messages)


def test_serving_answers_as_the_evaluation_did(recipe: Recipe, folder: Path) -> None:
    from tuneloop.evaluation.results import read_predictions

    evaluation = tuneloop.evaluate(recipe, folder)
    tuneloop.register(recipe, folder)
    answerer = tuneloop.load(None, folder, max_new_tokens=6)
    for prediction in read_predictions(evaluation.path):
        assert answerer.answer(prediction.messages) == prediction.arms["tuned"].answer


def test_predict_writes_a_sheet(recipe: Recipe, folder: Path, tmp_path: Path) -> None:
    tuneloop.register(recipe, folder)
    made = tuneloop.predict("bank", folder / "faq.csv", tmp_path / "out.jsonl", folder, max_new_tokens=2)
    assert (made.rows, made.answered) == (40, 40)
    assert (tmp_path / "out.jsonl").read_text().count("\n") == 40


def test_a_training_without_a_sample_that_teaches_is_refused_even_by_force(recipe: Recipe, folder: Path) -> None:
    short = Recipe.load(folder / "bank.yaml", ["training.max_length=12"])
    assert tuneloop.check(short, folder).refused
    with pytest.raises(RefusedError) as caught:
        tuneloop.train(short, folder)
    assert caught.value.status.exit == 4
    with pytest.raises(RefusedError):
        tuneloop.train(short, folder, force=True)


def test_what_is_not_there_raises_from_the_tree(folder: Path) -> None:
    with pytest.raises(NotFoundError):
        tuneloop.load("nobody", folder)
    with pytest.raises(NotFoundError):
        api.export("nobody", folder / "out", folder)
