"""What importing costs, and that no package ever hides a verb."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tuneloop
from tuneloop import api

VERBS = ("prepare", "check", "train", "evaluate", "register", "predict", "load", "run")
SOURCE = Path(tuneloop.__file__).parent
TORCH_FREE = ("core", "text", "store", "registry", "cli", "recipe", "api", "pipeline")
"""Packages and modules that a machine without torch, or in a hurry, can import."""

HEAVY = ("torch", "transformers", "peft", "accelerate", "polars", "plotly", "scipy", "alembic")


def modules() -> list[str]:
    return sorted(module.name for module in pkgutil.walk_packages([str(SOURCE)], "tuneloop."))


def is_torch_free(name: str) -> bool:
    return name.split(".")[1] in TORCH_FREE or name.endswith(".config")


def heavy_after(code: str, names: tuple[str, ...]) -> list[str]:
    """Which of `names` are imported after `code` ran in a fresh interpreter."""
    check = f"{code}\nimport sys\nprint(*[name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split() if done.stdout.strip() else []


@pytest.mark.parametrize("name", modules())
def test_every_module_can_be_imported(name: str) -> None:
    assert importlib.import_module(name).__name__ == name


def test_after_importing_everything_the_verbs_are_still_functions() -> None:
    for name in modules():
        importlib.import_module(name)
    for verb in VERBS:
        assert inspect.isfunction(getattr(tuneloop, verb)), verb
        assert getattr(tuneloop, verb) is getattr(api, verb)


def test_everything_that_is_promised_can_be_imported() -> None:
    assert set(VERBS) | {"Recipe", "__version__"} == set(tuneloop.__all__)
    for name in tuneloop.__all__:
        assert getattr(tuneloop, name) is not None
    with pytest.raises(AttributeError):
        tuneloop.nothing_of_that_name  # noqa: B018


def test_the_torch_free_modules_import_nothing_heavy() -> None:
    names = [name for name in modules() if is_torch_free(name) and not name.endswith("migrations.env")]
    assert len(names) > 40
    assert heavy_after("\n".join(f"import {name}" for name in names), HEAVY) == []


def test_importing_tuneloop_is_free() -> None:
    assert heavy_after("import tuneloop", (*HEAVY, "pydantic", "yaml", "rich", "typer")) == []


def test_the_telemetry_of_the_libraries_is_off() -> None:
    code = "import os, tuneloop; print(os.environ['HF_HUB_DISABLE_TELEMETRY'], os.environ['DO_NOT_TRACK'])"
    names = (
        "HF_HUB_DISABLE_TELEMETRY",
        "DO_NOT_TRACK",
    )  # gradio, where another test imported it, sets the first one too
    clean = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean)
    assert done.stdout.split() == ["1", "1"]
