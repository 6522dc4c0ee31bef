"""Datasets by what adapters call them."""

from __future__ import annotations

from pathlib import Path

from tuneloop.store.artifacts import manifest_hash, new_artifact
from tuneloop.store.datasets import datasets_by_hash
from tuneloop.store.workspace import Workspace


def test_finished_datasets_are_found_by_their_hash_and_others_are_left_out(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).ensure()
    with new_artifact(workspace.datasets / "bank" / "a1", kind="dataset", config={"name": "bank"}) as made:
        (made / "train.jsonl").write_text("")
    (workspace.datasets / "bank" / "unfinished").mkdir()
    damaged = workspace.datasets / "bank" / "b2"
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{")
    whole = workspace.datasets / "bank" / "a1"
    assert datasets_by_hash(workspace) == {manifest_hash(whole): whole}
