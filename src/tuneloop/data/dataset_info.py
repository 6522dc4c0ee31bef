"""LLaMA-Factory's `dataset_info.json`: which file has which columns, and what its roles are called.

Only what is said about local files is used; datasets of a hub are never fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tuneloop.core.errors import DataError
from tuneloop.core.hashing import hash_file

NAME = "dataset_info.json"

_COLUMNS = {
    "alpaca": {"prompt": "instruction", "query": "input", "response": "output", "history": "history"},
    "sharegpt": {"messages": "conversations"},
    "openai": {"messages": "messages"},
}
_BESIDE = {"system": "system", "tools": "tools", "chosen": "chosen", "rejected": "rejected", "kto_tag": "good"}
"""LLaMA-Factory's names and our fields."""

_ROLE_TAGS = {
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "tool",
    "function_tag": "function_call",
    "system_tag": "system",
}


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What is said about one file."""

    columns: dict[str, str]
    """Our field and the file's column."""
    role_key: str | None = None
    """Key of a message that holds its role, if it is unusual."""
    content_key: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    """What the file calls the roles."""
    sha256: str = ""
    """Hash of the `dataset_info.json`."""


def read_info(path: Path) -> dict[str, DatasetInfo]:
    """What a `dataset_info.json` says about each local file, by its name.

    Raises:
        DataError: it can't be read (code `data.info_damaged`).
    """
    digest = hash_file(path)
    infos: dict[str, DatasetInfo] = {}
    for entry in _entries(path).values():
        name = entry.get("file_name") if isinstance(entry, dict) else None
        if isinstance(name, str) and name not in infos:
            infos[name] = _info(path, entry, digest)
    return infos


def listed_files(path: Path) -> list[str]:
    """All names of files in it, there or not."""
    names = [entry.get("file_name") for entry in _entries(path).values() if isinstance(entry, dict)]
    return [name for name in dict.fromkeys(names) if isinstance(name, str)]


def info_beside(path: Path) -> DatasetInfo | None:
    """What the `dataset_info.json` in a file's folder says about it, if there is one and it does.

    Raises:
        DataError: it can't be read (code `data.info_damaged`).
    """
    beside = path.parent / NAME
    return read_info(beside).get(path.name) if beside.is_file() else None


def standard_messages(value: Any, info: DatasetInfo) -> Any:
    """Messages whose keys and roles are the file's own, under the usual names; anything else stays as it is."""
    if isinstance(value, list):
        return [standard_messages(item, info) for item in value]
    if not isinstance(value, dict):
        return value
    renamed = dict(value)
    if info.role_key in value:
        role = renamed.pop(info.role_key)
        renamed["role"] = info.roles.get(role, role) if isinstance(role, str) else role
    if info.content_key in value:
        renamed["content"] = renamed.pop(info.content_key)
    return renamed


def _entries(path: Path) -> dict[str, Any]:
    try:
        entries = orjson.loads(path.read_bytes())
    except (orjson.JSONDecodeError, OSError) as error:
        raise DataError("data.info_damaged", file=path, problem=str(error)) from error
    if not isinstance(entries, dict):
        raise DataError("data.info_damaged", file=path, problem=type(entries).__name__)
    return entries


def _info(path: Path, entry: dict[str, Any], digest: str) -> DatasetInfo:
    formatting = entry.get("formatting", "alpaca")
    if formatting not in _COLUMNS:
        raise DataError("data.info_damaged", file=path, problem=f"formatting: {formatting}")
    names = {**_COLUMNS[formatting], **_BESIDE}
    columns, tags = entry.get("columns") or {}, entry.get("tags") or {}
    if not isinstance(columns, dict) or not isinstance(tags, dict):
        raise DataError("data.info_damaged", file=path, problem="columns, tags")
    return DatasetInfo(
        columns={names[name]: column for name, column in columns.items() if name in names and isinstance(column, str)},
        role_key=tags.get("role_tag"),
        content_key=tags.get("content_tag"),
        roles={tags[tag]: role for tag, role in _ROLE_TAGS.items() if isinstance(tags.get(tag), str)},
        sha256=digest,
    )
