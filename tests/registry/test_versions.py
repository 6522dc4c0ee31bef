"""Versions and aliases: numbered once, never changed, found by name."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneloop.core.errors import CorruptError, NotFoundError, TuneloopError
from tuneloop.registry import versions as module
from tuneloop.registry.versions import list_adapters, register, resolve
from tuneloop.store.artifacts import manifest_hash, new_artifact, verify
from tuneloop.store.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w")


def make_run(workspace: Workspace, run_id: str, weights: str = "") -> Path:
    """A run's folder with an adapter artifact in it."""
    folder = workspace.runs / run_id
    with new_artifact(folder / "adapter", kind="adapter", config={"r": 8}) as adapter:
        (adapter / "adapter_config.json").write_text(json.dumps({"r": 8}))
        (adapter / "tokenizer").mkdir()
        (adapter / "tokenizer" / "tokenizer.json").write_text(weights or run_id)
    return folder


def _register(workspace: Workspace, run_id: str, name: str = "bank", alias: str = "candidate") -> str:
    folder = workspace.runs / run_id
    if not folder.exists():
        make_run(workspace, run_id)
    adapter = register(workspace, name=name, run_folder=folder, base_model="tiny", run_id=run_id, alias=alias)
    return adapter.label


def test_the_first_adapter_becomes_version_one_and_candidate(workspace: Workspace) -> None:
    folder = make_run(workspace, "run-1")
    adapter = register(workspace, name="bank", run_folder=folder, base_model="tiny", run_id="run-1")
    assert (adapter.label, adapter.aliases, adapter.run_id) == ("bank@v0001", ("candidate",), "run-1")
    assert adapter.path == workspace.adapters / "bank" / "v0001"
    assert manifest_hash(adapter.path) == manifest_hash(folder / "adapter")
    assert verify(adapter.path).files.keys() == {"adapter_config.json", "tokenizer/tokenizer.json"}


def test_the_same_run_is_registered_once(workspace: Workspace) -> None:
    assert _register(workspace, "run-1") == _register(workspace, "run-1") == "bank@v0001"
    assert len(list_adapters(workspace)) == 1


def test_the_same_training_under_another_name_is_a_version_of_that_name(workspace: Workspace) -> None:
    assert _register(workspace, "run-1") == "bank@v0001"
    assert _register(workspace, "run-1", name="law") == "law@v0001"


def test_the_alias_moves_and_nothing_else_changes(workspace: Workspace) -> None:
    _register(workspace, "run-1")
    _register(workspace, "run-2")
    assert [adapter.aliases for adapter in list_adapters(workspace)] == [(), ("candidate",)]
    _register(workspace, "run-1")
    assert [adapter.aliases for adapter in list_adapters(workspace)] == [("candidate",), ()]


def test_a_bare_name_means_production_then_candidate_then_the_newest(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    _register(workspace, "run-1", alias="production")
    _register(workspace, "run-2", alias="candidate")
    _register(workspace, "run-3", alias="trial")
    assert resolve(workspace, "bank").label == "bank@v0001"
    assert resolve(workspace, "bank@candidate").label == "bank@v0002"
    monkeypatch.setattr(module, "PREFERRED_ALIASES", ("candidate",))
    assert resolve(workspace, "bank").label == "bank@v0002"
    monkeypatch.setattr(module, "PREFERRED_ALIASES", ())
    assert resolve(workspace, "bank").label == "bank@v0003"


def test_a_misspelt_name_gets_the_nearest_one(workspace: Workspace) -> None:
    _register(workspace, "run-1", name="bank-service")
    with pytest.raises(NotFoundError) as caught:
        resolve(workspace, "bank-servce")
    assert "bank-service" in caught.value.hint("en")
    assert "bank-service" in caught.value.hint("zh")


@pytest.mark.parametrize(
    ("reference", "code", "hint"),
    [
        ("zzz", "registry.adapter_unknown", "bank"),
        ("bank@v0009", "registry.version_unknown", "v0001"),
        ("bank@production", "registry.alias_unknown", "candidate"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(workspace: Workspace, reference: str, code: str, hint: str) -> None:
    _register(workspace, "run-1")
    with pytest.raises(NotFoundError) as caught:
        resolve(workspace, reference)
    assert caught.value.code == code
    assert hint in caught.value.hint("en")


def test_asking_an_empty_workspace_makes_no_database(workspace: Workspace) -> None:
    assert list_adapters(workspace) == []
    with pytest.raises(NotFoundError):
        resolve(workspace, "bank")
    assert not workspace.root.exists()


def test_a_run_without_a_finished_adapter_is_refused_and_takes_no_number(workspace: Workspace) -> None:
    (workspace.runs / "half" / "adapter").mkdir(parents=True)
    with pytest.raises(NotFoundError):
        register(workspace, name="bank", run_folder=workspace.runs / "half", base_model="tiny", run_id="half")
    assert _register(workspace, "run-1") == "bank@v0001"


def test_a_changed_adapter_is_not_registered(workspace: Workspace) -> None:
    folder = make_run(workspace, "run-1")
    (folder / "adapter" / "adapter_config.json").write_text("{}")
    with pytest.raises(CorruptError) as caught:
        register(workspace, name="bank", run_folder=folder, base_model="tiny", run_id="run-1")
    assert "adapter_config.json" in str(caught.value)


def test_a_copy_that_was_cut_short_leaves_no_version(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(workspace, "run-1")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.shutil, "copyfile", fails)
    with pytest.raises(TuneloopError) as caught:
        _register(workspace, "run-1")
    assert caught.value.code == "store.disk_full"
    monkeypatch.undo()
    assert list_adapters(workspace) == []
    assert _register(workspace, "run-1") == "bank@v0001"


def test_a_folder_that_a_killed_process_left_is_adopted(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(workspace, "run-1")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "point", dies)
    with pytest.raises(KeyboardInterrupt):
        _register(workspace, "run-1")
    monkeypatch.undo()
    assert (workspace.adapters / "bank" / "v0001").is_dir()
    assert list_adapters(workspace) == []
    assert _register(workspace, "run-2") == "bank@v0002"
    assert _register(workspace, "run-1") == "bank@v0001"


def test_the_number_of_a_version_whose_files_are_gone_is_not_given_again(workspace: Workspace) -> None:
    _register(workspace, "run-1")
    shutil.rmtree(workspace.adapters / "bank" / "v0001")
    assert _register(workspace, "run-2") == "bank@v0002"


def test_a_damaged_version_is_named_when_it_is_registered_again(workspace: Workspace) -> None:
    _register(workspace, "run-1")
    (workspace.adapters / "bank" / "v0001" / "adapter_config.json").write_text("{}")
    with pytest.raises(CorruptError):
        _register(workspace, "run-1")


def test_a_workspace_can_move(workspace: Workspace, tmp_path: Path) -> None:
    _register(workspace, "run-1")
    workspace.root.rename(tmp_path / "elsewhere")
    moved = Workspace(tmp_path / "elsewhere")
    assert resolve(moved, "bank").path == moved.adapters / "bank" / "v0001"


def test_registrations_at_the_same_time_get_different_numbers(workspace: Workspace) -> None:
    for number in range(4):
        make_run(workspace, f"run-{number}")
    labels: list[str] = []
    threads = [
        threading.Thread(target=lambda n=number: labels.append(_register(workspace, f"run-{n}"))) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(labels) == [f"bank@v000{number}" for number in range(1, 5)]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["candidate", "production"])), min_size=1, max_size=8))
def test_any_order_of_registrations_keeps_numbers_and_moves_aliases(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]]
) -> None:
    workspace = Workspace(tmp_path_factory.mktemp("w"))
    numbers: dict[int, int] = {}
    aliases: dict[str, int] = {}
    for run, alias in steps:
        numbers.setdefault(run, len(numbers) + 1)
        aliases[alias] = numbers[run]
        assert _register(workspace, f"run-{run}", alias=alias) == f"bank@v{numbers[run]:04d}"
    found = {alias: adapter.version for adapter in list_adapters(workspace) for alias in adapter.aliases}
    assert found == aliases
