"""From a name to what answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.errors import CorruptError, NotFoundError, UsageError
from tuneloop.registry.versions import register
from tuneloop.serving.named import find
from tuneloop.store.artifacts import new_artifact
from tuneloop.store.workspace import Workspace

RECIPE = "model: {name_or_path: tiny, revision: main}\ndata: {system: Be brief.}\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w")


def make_run(workspace: Workspace, run_id: str, *, recipe: str = "", name: str = "bank") -> Path:
    """A registered run, with or without its recipe."""
    folder = workspace.runs / run_id
    config = {"base_model": "tiny", "base_sha256": "0", "template_sha256": "0"}
    with new_artifact(folder / "adapter", kind="adapter", config=config) as adapter:
        (adapter / "adapter_config.json").write_text(f'{{"run": "{run_id}"}}')
    if recipe:
        (folder / "recipe.yaml").write_text(recipe)
    register(workspace, name=name, run_folder=folder, base_model="tiny", run_id=run_id)
    return folder


def test_a_base_model_needs_no_workspace(workspace: Workspace) -> None:
    found = find("base:smollm2-135m", workspace)
    assert (found.model.name_or_path, found.folder) == ("smollm2-135m", None)
    assert not workspace.root.exists()


def test_the_recipe_of_the_run_knows_the_model_and_the_system_message(workspace: Workspace) -> None:
    make_run(workspace, "r1", recipe=RECIPE)
    found = find("bank", workspace)
    assert (found.name, found.system, found.model.revision) == ("bank@v0001", "Be brief.", "main")
    assert found.folder == workspace.adapters / "bank" / "v0001"


def test_without_its_run_an_adapter_still_knows_its_base(workspace: Workspace) -> None:
    make_run(workspace, "r1")
    found = find("bank@v1", workspace)
    assert (found.model.name_or_path, found.system) == ("tiny", None)


def test_a_folder_is_an_adapter_too_and_finds_its_run(workspace: Workspace) -> None:
    folder = make_run(workspace, "r1", recipe=RECIPE)
    found = find(str(folder / "adapter"), workspace)
    assert (found.folder, found.system, found.run_id) == (folder / "adapter", "Be brief.", "r1")


def test_a_folder_without_an_adapter_is_told(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        find(f"{tmp_path}/", workspace)
    assert caught.value.code == "store.not_found"


def test_no_name_means_the_only_adapter(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError):
        find(None, workspace)
    make_run(workspace, "r1")
    assert find(None, workspace).name == "bank@v0001"
    make_run(workspace, "r2", name="law")
    with pytest.raises(UsageError) as caught:
        find(None, workspace)
    assert caught.value.code == "serving.which_adapter"


def test_a_damaged_recipe_or_manifest_is_named(workspace: Workspace) -> None:
    folder = make_run(workspace, "r1", recipe="{")
    with pytest.raises(CorruptError) as caught:
        find("bank", workspace)
    assert caught.value.file == str(folder / "recipe.yaml")
    (folder / "recipe.yaml").write_text("model: {name_or_path: tiny, nonsense: 1}\n")
    with pytest.raises(CorruptError):
        find("bank", workspace)


def test_a_licence_that_was_accepted_is_passed_on(workspace: Workspace) -> None:
    assert find("base:gemma3-270m", workspace, accept_license="gemma").model.accept_license == "gemma"
