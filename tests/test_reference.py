"""Pages that are made from the code are what the code says now, and files that programs read follow their schemas."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest

from tuneloop.cli.main import run

DOCS = Path(__file__).parent.parent / "docs"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = _load()


@pytest.mark.parametrize("name", GENERATE.PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == GENERATE.PAGES[name](), "run `make reference`"


def test_the_folders_hold_nothing_that_is_not_generated() -> None:
    there = {
        path.relative_to(DOCS).as_posix() for folder in ("reference", "schema") for path in (DOCS / folder).iterdir()
    }
    assert there == set(GENERATE.PAGES)


def test_every_class_of_errors_has_its_meaning() -> None:
    assert [kind.__name__ for kind in GENERATE.STATUS] == list(GENERATE.MEANINGS)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which the loop has run once, on a preference pair beside plain rows."""
    root = tmp_path_factory.mktemp("workspace")
    rows = [{"input_text": f"What is card {n}?", "target_text": f"Card {n} is active."} for n in range(1000, 1030)]
    (root / "faq.json").write_text(json.dumps([*rows, {"input_text": "", "target_text": "x"}]), encoding="utf-8")
    (root / "faq.yaml").write_text(
        "name: faq\nmodel: {name_or_path: tiny}\ndata: {sources: [{path: faq.json}]}\ntraining: {num_train_epochs: 1}\n"
        "generation: {max_new_tokens: 4}\nevaluation: {max_rows: 2}\n",
        encoding="utf-8",
    )
    assert run(["run", str(root / "faq.yaml"), "--workspace", str(root)]) == 0
    return root


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("sample", "datasets/*/*/t*.jsonl"),
        ("report", "datasets/*/*/report.json"),
        ("plan", "runs/*/plan.json"),
        ("metrics", "runs/*/metrics.jsonl"),
        ("results", "evaluations/*/results.json"),
        ("prediction", "evaluations/*/predictions.jsonl"),
        ("manifest", "**/manifest.json"),
    ],
)
def test_what_is_written_follows_its_schema(workspace: Path, schema: str, pattern: str) -> None:
    validator = jsonschema_rs.validator_for(json.loads((DOCS / "schema" / f"{schema}.schema.json").read_text("utf-8")))
    documents: list[Any] = []
    for path in workspace.glob(pattern):
        text = path.read_text(encoding="utf-8")
        documents += map(json.loads, text.splitlines()) if path.suffix == ".jsonl" else [json.loads(text)]
    assert documents
    assert [str(error) for document in documents for error in validator.iter_errors(document)] == []
    assert not validator.is_valid({"nonsense": 1})


@pytest.mark.parametrize("recipe", sorted((DOCS.parent / "recipes").glob("*.yaml")), ids=lambda path: path.name)
def test_every_recipe_follows_the_schema(recipe: Path) -> None:
    import yaml

    validator = jsonschema_rs.validator_for(json.loads((DOCS / "schema" / "recipe.schema.json").read_text("utf-8")))
    assert [str(error) for error in validator.iter_errors(yaml.safe_load(recipe.read_text(encoding="utf-8")))] == []
