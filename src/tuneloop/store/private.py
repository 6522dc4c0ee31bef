"""What must not leave a workspace: the key of its pseudonyms, in `private/`, readable by its owner alone."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from tuneloop.core.errors import CorruptError, ResourceError
from tuneloop.store.workspace import Workspace

KEY_FILE = "pseudonym.key"
KEY_BYTES = 32


def private_folder(workspace: Workspace) -> Path:
    """`private/` of a workspace, for its owner alone (0700), and left out of version control."""
    folder = workspace.ensure().root / "private"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise ResourceError("store.not_writable", file=folder) from error
    return folder


def pseudonym_key(workspace: Workspace) -> bytes:
    """The secret that a workspace's pseudonyms are derived from; made on first use, with mode 0600.

    Whoever holds it can test whether a stand-in belongs to a value; without it nobody can.

    Raises:
        CorruptError: the file holds no key (code `store.key_unreadable`).
        ResourceError: it can't be written (code `store.not_writable`).
    """
    path = private_folder(workspace) / KEY_FILE
    if not path.exists():
        write_private(path, secrets.token_hex(KEY_BYTES) + "\n", exclusive=True)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (ValueError, OSError) as error:
        raise CorruptError("store.key_unreadable", file=path) from error
    if len(key) != KEY_BYTES:
        raise CorruptError("store.key_unreadable", file=path)
    return key


def key_fingerprint(key: bytes) -> str:
    """What names a key without giving it away (12 hexadecimal digits).

    >>> key_fingerprint(b"a") == key_fingerprint(b"a") != key_fingerprint(b"b")
    True
    """
    return hashlib.sha256(b"tuneloop pseudonym key\0" + key).hexdigest()[:12]


def write_private(path: Path, content: str, *, exclusive: bool = False) -> None:
    """Write a file that only its owner can read, whole or not at all.

    Args:
        path: the file.
        content: its text.
        exclusive: leave a file alone that another process made meanwhile.
    Raises:
        ResourceError: it can't be written (code `store.not_writable`).
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if exclusive:
            _link_unless_there(temporary, path)
        else:
            temporary.replace(path)
    except OSError as error:
        raise ResourceError("store.not_writable", file=path) from error
    finally:
        temporary.unlink(missing_ok=True)


def _link_unless_there(temporary: Path, path: Path) -> None:
    """Give a whole file its name, unless somebody was faster."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
