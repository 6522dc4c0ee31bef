"""The key of pseudonyms: made once, private, and named without being given away."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tuneloop.core.errors import CorruptError
from tuneloop.store.private import key_fingerprint, pseudonym_key
from tuneloop.store.workspace import Workspace


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    key = pseudonym_key(workspace)
    assert len(key) == 32
    assert pseudonym_key(workspace) == key
    path = tmp_path / "private" / "pseudonym.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (path.parent / ".gitignore").read_text() == "*\n"
    assert [item.name for item in path.parent.iterdir() if item.suffix == ".tmp"] == []


def test_two_workspaces_have_two_keys(tmp_path: Path) -> None:
    one, other = (pseudonym_key(Workspace(tmp_path / name)) for name in "ab")
    assert one != other
    assert key_fingerprint(one) != key_fingerprint(other)
    assert one.hex() not in key_fingerprint(one)


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_damaged_key_is_an_error_and_stays(tmp_path: Path, content: str) -> None:
    pseudonym_key(Workspace(tmp_path))
    path = tmp_path / "private" / "pseudonym.key"
    path.write_text(content)
    with pytest.raises(CorruptError, match="holds no key"):
        pseudonym_key(Workspace(tmp_path))
    assert path.read_text() == content
