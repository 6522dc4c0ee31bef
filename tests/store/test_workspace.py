"""Finding a workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.errors import UsageError
from tuneloop.store.workspace import find_workspace


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text("name: x\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        find_workspace(file)
    assert caught.value.code == "store.workspace_is_file"


def test_a_folder_that_is_missing_is_a_workspace_to_be(tmp_path: Path) -> None:
    assert find_workspace(tmp_path / "new").root == tmp_path / "new"
