"""The vault: reverses pseudonyms for whoever holds the key, and for nobody else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tuneloop.core.errors import NotAllowedError
from tuneloop.store.vault import new_vault_key, open_vault
from tuneloop.store.workspace import Workspace
from tuneloop.text.personal.mask import mask_text

TEXT = "打13812345678，邮箱是li@mail.cn，卡6222 0212 3456 7894"


def test_a_masked_text_comes_back(tmp_path: Path) -> None:
    workspace, key = Workspace(tmp_path), new_vault_key()
    masked = mask_text(TEXT, language="zh", key=b"k")
    vault = open_vault(workspace, key)
    vault.add((written, after) for _, written, after in masked.replaced)
    vault.save()
    assert open_vault(workspace, key).unmask(masked.text) == TEXT
    assert open_vault(workspace, key).unmask("nothing") == "nothing"


def test_the_file_gives_nothing_away(tmp_path: Path) -> None:
    vault = open_vault(Workspace(tmp_path), new_vault_key())
    vault.add([("13812345678", "15400001111")])
    vault.save()
    path = tmp_path / "private" / "vault"
    assert b"138" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_stand_in_of_two_values_stays(tmp_path: Path) -> None:
    vault = open_vault(Workspace(tmp_path), new_vault_key())
    vault.add([("a", "x1"), ("b", "x1"), ("c", "x10")])
    assert vault.unmask("x1 x10") == "x1 c"


def test_without_the_key_there_is_no_way_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNELOOP_VAULT_KEY", raising=False)
    workspace = Workspace(tmp_path)
    with pytest.raises(NotAllowedError, match="TUNELOOP_VAULT_KEY"):
        open_vault(workspace)
    with pytest.raises(NotAllowedError, match="no key"):
        open_vault(workspace, "secret")
    vault = open_vault(workspace, new_vault_key())
    vault.add([("a", "b")])
    vault.save()
    with pytest.raises(NotAllowedError, match="not written with this key"):
        open_vault(workspace, new_vault_key())
