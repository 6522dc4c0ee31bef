"""The README can't rot: its tree is the tree, its commands are commands, both languages say the same ones."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh.md")


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


def commands_of(name: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_both_readmes_give_the_same_commands() -> None:
    assert commands_of("README.md") == commands_of("README.zh.md")


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [line.split()[1] for line in commands_of("README.md") if line.startswith("make ")]
    assert {"demo", "test"} <= set(targets)
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_every_verb_of_the_readme_exists_with_its_options() -> None:
    for line in commands_of("README.md"):
        if not line.startswith("tuneloop "):
            continue
        words = line.split()[1:]
        verb = [words[0], *(w for w in words[1:2] if w in {"list", "show", "export", "get", "prepare", "schema"})]
        command = [sys.executable, "-c", "from tuneloop.cli.main import main; main()", *verb, "--help"]
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, env={"COLUMNS": "200", "LANG": "C"}
        )
        assert result.returncode == 0, line
        for option in (w for w in words if w.startswith("--")):
            assert option in result.stdout + result.stderr, (line, option)


def test_ci_runs_the_readmes_test_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
