"""The vault: which stand-in stands for which value, encrypted with a key that the user holds.

Optional. Without a vault a pseudonym can't be reversed. The file is `private/vault` of the workspace, encrypted and signed
with Fernet (AES-128-CBC and HMAC-SHA256); its key comes from `TUNELOOP_VAULT_KEY` and is stored nowhere.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tuneloop.core.errors import CorruptError, NotAllowedError
from tuneloop.store.private import private_folder, write_private
from tuneloop.store.workspace import Workspace

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_VARIABLE = "TUNELOOP_VAULT_KEY"
VAULT_FILE = "vault"


def new_vault_key() -> str:
    """A key for a new vault: keep it where the workspace is not."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


class Vault:
    """The open vault of a workspace.

    Args:
        path: its file; made by the first `save`.
        key: the user's key.
    Raises:
        NotAllowedError: the key is none, or another one (codes `store.vault_key`, `store.vault_key_differs`).
        CorruptError: the file is damaged (code `store.vault_unreadable`).
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._cipher = _cipher(key)
        self._values: dict[str, list[str]] = _read(path, self._cipher) if path.exists() else {}

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Note values (first) and their stand-ins (second)."""
        for written, stand_in in pairs:
            values = self._values.setdefault(stand_in, [])
            if written not in values:
                values.append(written)

    def __len__(self) -> int:
        return len(self._values)

    def save(self) -> None:
        """Encrypt and write everything, readable by the owner alone."""
        content = json.dumps(self._values, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
        write_private(self._path, self._cipher.encrypt(content).decode() + "\n")

    def unmask(self, text: str) -> str:
        """Put the values back; a stand-in that stands for several values stays, since nobody can tell which.

        Longer stand-ins go first, so that one that is part of another is not mistaken for it.
        """
        known = sorted((name for name, values in self._values.items() if len(values) == 1), key=len, reverse=True)
        if not known:
            return text
        return re.sub("|".join(map(re.escape, known)), lambda match: self._values[match[0]][0], text)


def open_vault(workspace: Workspace, key: str | None = None) -> Vault:
    """Open the vault of a workspace with the user's key, or a new one.

    Args:
        workspace: whose vault.
        key: the key; `TUNELOOP_VAULT_KEY` when None.
    Raises:
        NotAllowedError: there is no key (code `store.vault_key_missing`), or it is not the one.
        CorruptError: the file is damaged.
    """
    key = key or os.environ.get(KEY_VARIABLE)
    if not key:
        raise NotAllowedError("store.vault_key_missing", variable=KEY_VARIABLE)
    return Vault(private_folder(workspace) / VAULT_FILE, key)


def _cipher(key: str) -> Fernet:
    from cryptography.fernet import Fernet

    try:
        return Fernet(key)
    except ValueError as error:
        raise NotAllowedError("store.vault_key") from error


def _read(path: Path, cipher: Fernet) -> dict[str, list[str]]:
    from cryptography.fernet import InvalidToken

    try:
        content = cipher.decrypt(path.read_bytes().strip())
        values: dict[str, list[str]] = json.loads(content.decode("utf-8", "surrogatepass"))
    except InvalidToken as error:
        raise NotAllowedError("store.vault_key_differs", file=path) from error
    except ValueError as error:
        raise CorruptError("store.vault_unreadable", file=path) from error
    return values
