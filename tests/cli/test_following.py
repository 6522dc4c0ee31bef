"""Commands to try next can be copied whole."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuneloop.cli.following import Following
from tuneloop.store.workspace import Workspace

Call = Callable[..., Any]


def test_a_following_command_has_every_option_and_quotes_what_the_shell_would_split(here: Path) -> None:
    following = Following(Workspace(here / "my shop"), ["data.system=Be kind; be brief"], "gemma")
    line = following.with_recipe("run", Path("my shop/faq 1.yaml"))
    assert shlex.split(line) == [
        *("tuneloop", "run", "my shop/faq 1.yaml", "--set", "data.system=Be kind; be brief"),
        *("--accept-license", "gemma", "--workspace", str(here / "my shop")),
    ]
    assert following.with_adapter("chat", "--adapter", "bank@v0001").endswith(shlex.quote(str(here / "my shop")))


def test_a_workspace_that_is_found_anyway_is_not_named(here: Path) -> None:
    assert Following(Workspace(here)).with_adapter("adapters export", "bank") == "tuneloop adapters export bank"


@pytest.mark.parametrize("until", ["prepare", "check"])
def test_a_run_that_ends_early_names_the_whole_command_that_goes_on(
    call: Call, recipe: Callable[..., Path], here: Path, until: str
) -> None:
    path = recipe().rename(here / "my bank.yaml")
    options = ["--set", "seed=7", "--workspace", here / "a b"]
    (line,) = [
        line for line in call("run", path.name, "--until", until, *options).err.splitlines() if "tuneloop run" in line
    ]
    assert shlex.split(line) == ["tuneloop", "run", "my bank.yaml", "--set", "seed=7", "--workspace", str(here / "a b")]


def test_rows_in_quarantine_are_shown_with_where_they_stand_and_why(
    call: Call, recipe: Callable[..., Path], here: Path
) -> None:
    path = recipe()
    rows = (here / "faq.csv").read_text(encoding="utf-8").splitlines()
    rows[3:3] = ["What?,", ",nothing", "Who?,", "Where?,"]
    (here / "faq.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    told = call("run", path, "--until", "prepare").err
    assert "faq.csv, row 4: " in told, "as a spreadsheet counts: the header is row 1"
    assert told.count("faq.csv, row ") == 3, "the first ones"
    assert "4 rows can't be used" in told
    (quarantine,) = here.glob("datasets/bank/*/quarantine.jsonl")
    assert str(quarantine) in told
    zh = call("data", "prepare", path, "--language", "zh").err
    assert "faq.csv 第 4 行：" in zh
