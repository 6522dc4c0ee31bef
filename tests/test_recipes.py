"""Every recipe that ships is parsed, with no data present; its script and grammar exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tuneloop.core.errors import RecipeError
from tuneloop.recipe import Recipe

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "src" / "tuneloop" / "templates"
RECIPES = sorted((ROOT / "recipes").rglob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.name)
def test_a_shipped_recipe_is_valid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNELOOP_DATA", "/nowhere")
    recipe = Recipe.load(path)
    for source in recipe.data.sources:
        if source.grammar:
            assert (TEMPLATES / "grammars" / f"{source.grammar}.{recipe.language}.yaml").exists()
    if recipe.evaluation.script:
        assert (TEMPLATES / "scripts" / f"{recipe.evaluation.script}.yaml").exists()


@pytest.mark.parametrize(("data", "adapters"), [("/nowhere", 3), ("", 2)])
def test_the_server_s_demo_trains_recipes_that_are_there_and_starts_one_server(data: str, adapters: int) -> None:
    command = ["make", "--dry-run", "--directory", str(ROOT), "demo-serve", f"TUNELOOP_DATA={data}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"for name in ([\w -]+); do (.*)", said)
    assert found is not None
    names = found.group(1).split()
    assert len(names) == adapters
    assert "recipes/serve/$name.yaml" in found.group(2)
    assert all((ROOT / "recipes" / "serve" / f"{name}.yaml").exists() for name in names)
    assert said.count("tuneloop serve") == 1


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


MINIMAL = "name: faq\ndata:\n  sources:\n    - {path: faq.csv}\n"


def test_a_name_and_a_source_are_a_complete_recipe(tmp_path: Path) -> None:
    recipe = Recipe.load(write(tmp_path, MINIMAL))
    assert recipe.training.save_steps == "auto"
    assert recipe.folder == tmp_path


def test_scientific_notation_is_a_number_and_origins_are_known(tmp_path: Path) -> None:
    recipe = Recipe.load(write(tmp_path, MINIMAL + "training: {learning_rate: 1e-4}\n"), ["training.save_steps=7"])
    assert recipe.training.learning_rate == 1e-4
    origins = recipe.origins
    assert (origins["training.learning_rate"], origins["training.save_steps"], origins["seed"]) == (
        "file",
        "--set",
        "default",
    )


def test_a_resolved_recipe_reads_back_as_itself(tmp_path: Path) -> None:
    recipe = Recipe.load(write(tmp_path, MINIMAL))
    assert Recipe.load(write(tmp_path, recipe.to_yaml())).resolved() == recipe.resolved()


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (MINIMAL + "training: {learning_rat: 1}\n", "recipe.unknown_key", "learning_rate"),
        (MINIMAL + "training: {save_steps: never}\n", "recipe.value", "never"),
        (MINIMAL + "training: {learning_rate: -1}\n", "recipe.value", "-1"),
        (MINIMAL + "training: {learning_rate: 1.0e+99}\n", "recipe.value", "1e+99"),
        ("name: faq\n", "recipe.key_missing", "data"),
        ("name: a/b\ndata: {sources: [{path: x}]}\n", "recipe.value", "a/b"),
        ("name: [\n", "recipe.yaml", "YAML"),
        ("- 1\n", "recipe.yaml", "mapping"),
        (MINIMAL + "name: twice\n", "recipe.yaml", "twice"),
        ("name: faq\ndata: {sources: [{path: '${NO_SUCH_NAME}'}]}\n", "recipe.environment", "NO_SUCH_NAME"),
        (MINIMAL + "model: {quantization: nf4}\n", "recipe.unknown_key", "quantization"),
    ],
)
def test_a_wrong_recipe_is_one_clear_error(tmp_path: Path, text: str, code: str, says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.load(write(tmp_path, text))
    assert caught.value.code == code
    assert caught.value.status.exit == 2
    assert says in str(caught.value)


def test_a_missing_recipe_names_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, MINIMAL)
    with pytest.raises(RecipeError, match=r"recipe\.yaml"):
        Recipe.load(tmp_path / "recipes.yaml")


@pytest.mark.parametrize("override", ["training", "=3", "training..x=1", "name.x=1"])
def test_a_setting_that_can_not_be_applied_says_how_to_write_it(tmp_path: Path, override: str) -> None:
    with pytest.raises(RecipeError, match=r"section\.field=value"):
        Recipe.load(write(tmp_path, MINIMAL), [override])
