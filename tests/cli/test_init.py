"""`tuneloop init`: a recipe that fits, nothing overwritten, nothing copied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuneloop.cli.init import known_templates
from tuneloop.evaluation.script import load_script
from tuneloop.recipe import Recipe

Call = Callable[..., Any]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("template", known_templates())
def test_a_template_is_a_workspace_whose_recipe_and_script_load(
    call: Call, here: Path, template: str, language: str
) -> None:
    called = call("init", "w", "--template", template, "--language", language, "--json")
    assert called.status == 0
    recipe = Recipe.load(called.value["recipe"])
    assert recipe.language == language
    assert recipe.evaluation.script is not None
    assert load_script(recipe.evaluation.script, recipe.folder).sha256
    assert {path.name for path in (here / "w").iterdir()} == {"README.md", "recipes", "scripts", "tuneloop.yaml"}


def test_the_next_command_works(call: Call, here: Path) -> None:
    called = call("init", "--template", "bank-service")
    assert "tuneloop run recipes/bank-service.yaml --smoke" in called.err
    small = ["--set", "model.name_or_path=tiny", "--set", "data.sources.0.rows=60"]
    assert call("run", "recipes/bank-service.yaml", "--until", "prepare", *small).status == 0


def test_what_exists_is_kept(call: Call, here: Path) -> None:
    (here / "recipes").mkdir()
    (here / "recipes" / "bank-service.yaml").write_text("mine")
    called = call("init", "--template", "bank-service", "--json")
    assert [Path(path).name for path in called.value["kept"]] == ["bank-service.yaml"]
    assert (here / "recipes" / "bank-service.yaml").read_text() == "mine"
    again = call("init", "--template", "bank-service", "--json")
    assert (again.status, again.value["written"]) == (0, [])


def test_a_recipe_for_ones_own_file_guesses_and_says_so(call: Call, here: Path) -> None:
    (here / "data").mkdir()
    sheet = here / "data" / "客服 FAQ.csv"
    rows = "".join(f"卡片{n}丢了怎么办？,请先冻结卡片{n}，再到网点补办。\n" for n in range(30))
    sheet.write_text(f"问题,答案\n{rows}", encoding="utf-8")
    called = call("init", "w", "--data", sheet, "--json")
    assert called.status == 0, called.out
    path = Path(called.value["recipe"])
    assert path.name == "FAQ.yaml"
    recipe = Recipe.load(path)
    assert (recipe.language, recipe.model.name_or_path) == ("zh", "gemma3-270m")
    (source,) = recipe.data.sources
    assert source.path == "../../data/客服 FAQ.csv"
    assert source.columns == {"input_text": "问题", "target_text": "答案"}
    assert "a guess" in path.read_text(encoding="utf-8")
    shown = call("init", "v", "--data", sheet)
    assert "问题" in shown.err
    assert "--accept-license gemma" in shown.err
    prepared = call("data", "prepare", path, "--set", "model.name_or_path=tiny", "--workspace", "w", "--json")
    assert sum(prepared.value["rows"].values()) == 30


def test_a_file_that_is_called_like_a_reserved_name_gets_another(call: Call, here: Path) -> None:
    (here / "base.csv").write_text("question,answer\nIs it open?,Yes.\n")
    assert Path(call("init", "--data", "base.csv", "--json").value["recipe"]).name == "base-data.yaml"


def test_a_wrong_guess_is_one_flag_away(call: Call, here: Path) -> None:
    rows = "".join(f"How is {n}?,It is {n} as we all know.,Call us {n}.\n" for n in range(9))
    (here / "faq.csv").write_text(f"x,y,z\n{rows}")
    call("init", "v", "--data", "faq.csv", "--column", "target_text=z", "--column", "note=y")
    (source,) = Recipe.load(here / "v" / "recipes" / "faq.yaml").data.sources
    assert source.columns == {"input_text": "x", "target_text": "z", "note": "y"}
    wrong = call("init", "w", "--data", "faq.csv", "--column", "target_text", "--json")
    assert (wrong.status, wrong.value["error"]["code"]) == (2, "cli.column_option")
    missing = call("init", "w", "--data", "faq.csv", "--column", "target_text=q", "--json")
    assert (missing.status, missing.value["error"]["code"]) == (3, "data.column_missing")


def test_a_folder_becomes_one_source(call: Call, here: Path) -> None:
    (here / "faq").mkdir()
    (here / "faq" / "a.md").write_text("## Is it open?\nYes, from nine to five.\n\n## Is it far?\nNo, it is near.\n")
    (here / "faq" / "b.csv").write_text("question,answer\nIs it dear?,No.\n")
    recipe = Recipe.load(Path(call("init", "v", "--data", "faq", "--json").value["recipe"]))
    assert [source.path for source in recipe.data.sources] == ["../../faq"]
    prepared = call(
        "data", "prepare", here / "v" / "recipes" / "faq.yaml", "--set", "model.name_or_path=tiny", "--json"
    )
    assert sum(prepared.value["rows"].values()) == 3


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        ([], 2, "cli.either"),
        (["--template", "bank-service", "--data", "x.csv"], 2, "cli.either"),
        (["--template", "nope"], 2, "cli.template_unknown"),
        (["--data", "nowhere.csv"], 3, "data.file_missing"),
        (["--data", "empty.csv"], 3, "data.file_empty"),
        (["empty.csv", "--template", "bank-service"], 2, "cli.not_a_folder"),
    ],
)
def test_what_cannot_be_made_leaves_nothing_behind(
    call: Call, here: Path, arguments: list[str], status: int, code: str
) -> None:
    (here / "empty.csv").touch()
    called = call("init", *arguments, "--json")
    assert (called.status, called.value["error"]["code"]) == (status, code)
    assert [path.name for path in here.iterdir()] == ["empty.csv"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("question,answer\n", "data.no_rows"),
        ("question,answer\nWhat?,\nWho?,\n", "data.no_row_usable"),
        ("date,amount\n2024-01-01,3\n2024-01-02,5\n", "data.columns_unclear"),
        ("question\nWhat?\nWho?\n", "data.columns_unclear"),
    ],
)
def test_a_file_that_no_recipe_would_help_is_refused_and_nothing_is_written(
    call: Call, here: Path, content: str, code: str
) -> None:
    (here / "faq.csv").write_text(content, encoding="utf-8")
    called = call("init", "shop", "--data", "faq.csv", "--json")
    assert (called.status, called.value["error"]["code"]) == (3, code)
    assert not (here / "shop").exists()


@pytest.mark.parametrize("place", ["/proc/nowhere", "faq.csv/below"])
def test_a_folder_that_can_not_be_made_is_no_bug(call: Call, here: Path, place: str) -> None:
    (here / "faq.csv").write_text("x", encoding="utf-8")
    called = call("init", place, "--template", "bank-service", "--json")
    assert (called.status, called.value["error"]["code"]) == (2, "store.workspace_impossible")


def test_following_commands_of_a_folder_with_a_space_can_be_copied(call: Call, here: Path) -> None:
    assert "cd 'my shop'" in call("init", "my shop", "--template", "bank-service").err
