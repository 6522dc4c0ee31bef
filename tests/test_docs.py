"""README and guide can't rot: the tree is the tree, commands and examples are valid, both languages say the same."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from tuneloop.cli.main import build
from tuneloop.core.errors import STATUS
from tuneloop.evaluation.script import load_script
from tuneloop.recipe import Recipe

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh.md")


def pages_in(folder: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob("*.md"))


GUIDE = pages_in("docs/guide/en")
DOCUMENTS = [
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "recipes/*.md", "bench/*.md", "src/**/README.md")
    for path in ROOT.glob(pattern)
]


def tree_of(name: str) -> list[str]:
    """Paths of the annotated tree, from its indentation."""
    text = (ROOT / name).read_text(encoding="utf-8")
    block = next(b for b in re.findall(r"```text\n(.*?)```", text, re.DOTALL) if "src/tuneloop/" in b)
    paths, parents = [], [""]
    for line in block.splitlines():
        match = re.match(r"( *)(\S+)", line)
        if match is None:
            continue
        depth = len(match.group(1)) // 2
        parents = [*parents[: depth + 1], parents[depth] + match.group(2)]
        paths.append(parents[-1])
    return paths


@pytest.mark.parametrize("readme", READMES)
def test_every_path_of_the_tree_exists(readme: str) -> None:
    missing = [path for path in tree_of(readme) if not (ROOT / path).exists()]
    assert not missing


@pytest.mark.parametrize("readme", READMES)
def test_the_tree_names_every_package(readme: str) -> None:
    packages = {
        f"src/tuneloop/{p.name}/" for p in (ROOT / "src" / "tuneloop").iterdir() if (p / "__init__.py").exists()
    }
    assert packages <= set(tree_of(readme))


def blocks_of(name: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)


def commands_of(name: str) -> list[str]:
    lines = [line.split("#")[0].strip() for block in blocks_of(name, "bash") for line in block.splitlines()]
    return [line for line in lines if line]


def test_both_readmes_give_the_same_commands() -> None:
    assert commands_of("README.md") == commands_of("README.zh.md")


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [line.split()[1] for line in commands_of("README.md") if line.startswith("make ")]
    assert {"demo", "test"} <= set(targets)
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


@pytest.mark.parametrize("page", ["README.md", *GUIDE])
def test_every_command_is_one_that_the_program_can_read(page: str) -> None:
    program: Any = get_command(build())
    for line in commands_of(page):
        words = shlex.split(line)
        if words[0] != "tuneloop":
            assert words[0] in {"make", "cd"}, line
            continue
        command, given = program, words[1:]
        while hasattr(command, "commands"):
            command, given = command.commands[given[0]], given[1:]
        context = command.make_context(line, given)  # reads the words without running the verb; raises at a wrong one
        assert context.args == [], line


@pytest.mark.parametrize("page", GUIDE)
def test_the_guide_says_the_same_in_both_languages(page: str) -> None:
    other = page.replace("/en/", "/zh/")
    assert commands_of(page) == commands_of(other)
    for kind in ("yaml", "python", "text"):
        assert len(blocks_of(page, kind)) == len(blocks_of(other, kind))
    for pattern in (r"^#+ ", r"^\| ", r"^- ", r"^\d\. "):
        counts = [len(re.findall(pattern, (ROOT / name).read_text("utf-8"), re.MULTILINE)) for name in (page, other)]
        assert counts[0] == counts[1], pattern


def test_both_languages_have_the_same_pages() -> None:
    assert [name.replace("/en/", "/zh/") for name in GUIDE] == pages_in("docs/guide/zh")


@pytest.mark.parametrize("page", [*GUIDE, *(name.replace("/en/", "/zh/") for name in GUIDE)])
def test_every_example_in_yaml_is_valid(page: str, tmp_path: Path) -> None:
    needed = {"name": "x", "data": {"sources": [{"path": "faq.xlsx"}]}}
    for block in blocks_of(page, "yaml"):
        values = yaml.safe_load(block)
        if "rules" in values:
            (tmp_path / "script.yaml").write_text(block, encoding="utf-8")
            assert len(load_script("script.yaml", tmp_path).rules) == len(values["rules"])
        else:
            assert set(values) <= set(Recipe.model_validate(needed | values).model_dump(by_alias=True))


@pytest.mark.parametrize("page", [*GUIDE, *(name.replace("/en/", "/zh/") for name in GUIDE)])
def test_every_option_that_is_named_exists(page: str) -> None:
    known = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    for option in re.findall(r"`(--[a-z-]+)", (ROOT / page).read_text(encoding="utf-8")):
        assert re.search(rf"{option}\b", known), option


@pytest.mark.parametrize("page", sorted(p for p in DOCUMENTS if "/reference/" not in p))
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", (ROOT / page).read_text(encoding="utf-8")):
        assert target.startswith("https://") or ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("page", ["docs/guide/en/6-files.md", "docs/guide/zh/6-files.md"])
def test_the_guide_tells_every_exit_status(page: str) -> None:
    rows = re.findall(r"^\| (\d+)(?:, (\d+))? \|", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    told = {int(number) for row in rows for number in row if number}
    assert told == {0} | {status.exit for status in STATUS.values()}


def test_ci_runs_the_readmes_test_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
