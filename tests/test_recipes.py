"""Every recipe that ships is parsed, with no data present; its script and grammar exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tuneloop.core.errors import RecipeError
from tuneloop.core.messages import set_language
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


@pytest.mark.parametrize(
    ("section", "key", "english", "chinese"),
    [
        ("training: {preset: guid}", "training.preset", "auto, guide (did you mean guide?)", "是否想写 guide"),
        ("training: {max_length: long}", "training.max_length", "auto, or a whole number", "auto，或整数"),
        ("training: {max_length: 99999999999999999999}", "training.max_length", "up to 1,048,576", "不大于 1,048,576"),
        ("training: {num_train_epochs: .inf}", "training.num_train_epochs", "up to 1,000", "不大于 1,000"),
        ("training: {learning_rate: 0}", "training.learning_rate", "a number above 0", "大于 0 的数"),
        ("training: {report_to: tensorboard}", "training.report_to", "a list", "列表"),
        ("training: 3", "training", "a section of keys and values", "由键和值组成的一节"),
        ("training: {find_learning_rate: maybe}", "training.find_learning_rate", "true or false", "true 或 false"),
        ("generation: {max_new_tokens: 0}", "generation.max_new_tokens", "a number from 1 on", "不小于 1 的数"),
        ("evaluation: {arms: [bse]}", "evaluation.arms.0", "did you mean base?", "是否想写 base"),
        ("adapter: {lora_dropout: half}", "adapter.lora_dropout", "a number", "数字"),
        ("seed: 1.5", "seed", "a whole number", "整数"),
        ("language: zn", "language", "en, zh", "en, zh"),
        ("data: {sources: [{path: a, grammar: b}]}", "data.sources.0", "either path or grammar", "二者必选其一"),
        ("data: {sources: []}", "data.sources", "a list of at least 1", "至少 1 项"),
        ("data: {sources: [{path: 7}]}", "data.sources.0.path", "in quotes", "加引号"),
        ("name: 客服", "name", "1 to 64 letters", "1 到 64 个英文字母"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed_in_both_languages(
    tmp_path: Path, section: str, key: str, english: str, chinese: str
) -> None:
    given = {"name": "faq", "data": "{sources: [{path: faq.csv}]}"}
    name, _, value = section.partition(": ")
    path = write(tmp_path, "".join(f"{key}: {value}\n" for key, value in (given | {name: value}).items()))
    for language, allowed in (("en", english), ("zh", chinese)):
        set_language(language)  # type: ignore[arg-type]
        try:
            with pytest.raises(RecipeError) as caught:
                Recipe.load(path)
            said = caught.value
            assert (said.code, said.values["key"]) == ("recipe.value", key)
            assert allowed in said.hint()
            assert "Input should" not in said.hint()
            assert "literal[" not in said.message()
        finally:
            set_language(None)


def test_an_unknown_key_without_a_like_one_gets_no_empty_guess(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.load(write(tmp_path, MINIMAL + "qqq: 1\n"))
    assert caught.value.hint("en").startswith("Allowed here: name")
    assert "–" not in caught.value.hint("zh")
