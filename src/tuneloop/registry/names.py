"""How adapters are named: `NAME`, `NAME@v0003` or `NAME@alias`."""

from __future__ import annotations

import re

from tuneloop.core.errors import UsageError
from tuneloop.core.records import Record

RESERVED = ("base", "auto")
"""Names that mean something else wherever an adapter can be named: no adapter, and the router's choice."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSION = re.compile(r"[vV]?(\d{1,9})")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class Reference(Record):
    """A name as a person wrote it, taken apart."""

    name: str
    version: int | None = None
    alias: str | None = None


def check_name(name: str) -> str:
    """Return `name` if it can name an adapter: it becomes a folder, a part of a URL and a model name of the API.

    Raises:
        UsageError: it can't (code `registry.name_invalid`), or it is reserved (`registry.name_reserved`).

    >>> check_name("bank-service")
    'bank-service'
    """
    if not _NAME.fullmatch(name):
        raise UsageError("registry.name_invalid", name=name)
    if name in RESERVED:
        raise UsageError("registry.name_reserved", name=name)
    return name


def check_alias(alias: str) -> str:
    """Return `alias` if it can name a version: a letter first, and nothing that reads like a version.

    Raises:
        UsageError: it can't (code `registry.alias_invalid`).

    >>> check_alias("production")
    'production'
    """
    if not _ALIAS.fullmatch(alias) or _VERSION.fullmatch(alias):
        raise UsageError("registry.alias_invalid", alias=alias)
    return alias


def parse_reference(text: str) -> Reference:
    """Take `NAME[@VERSION|@ALIAS]` apart; `v0003`, `v3` and `3` are the same version.

    Raises:
        UsageError: it is no such reference (codes as in `check_name` and `check_alias`).

    >>> parse_reference("bank@v0003")
    Reference(name='bank', version=3, alias=None)
    >>> parse_reference("bank@production").alias
    'production'
    """
    name, at, rest = text.strip().partition("@")
    check_name(name)
    if not at:
        return Reference(name=name)
    if version := _VERSION.fullmatch(rest):
        return Reference(name=name, version=int(version.group(1)))
    return Reference(name=name, alias=check_alias(rest))
