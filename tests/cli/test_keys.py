"""`tuneloop keys`: a key is printed once, listed without itself, and revoked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Call = Callable[..., Any]


def test_a_key_is_printed_once_listed_and_revoked(call: Call, tmp_path: Path) -> None:
    place = ("--workspace", tmp_path / "w")
    made = call("keys", "create", "--role", "operator", "--label", "ops", "--adapter", "bank", "--days", 1, *place)
    assert made.out.startswith("tl_")
    listed = call("keys", "list", "--json", *place)
    assert made.out.strip() not in listed.out
    assert (listed.value[0]["role"], listed.value[0]["adapters"], listed.value[0]["state"]) == (
        "operator",
        ["bank"],
        "valid",
    )
    key_id = listed.value[0]["id"]
    assert call("keys", "revoke", key_id, *place).status == 0
    assert "revoked" in call("keys", "list", *place).err
    assert call("keys", "revoke", "nothing", *place).status == 7


def test_a_scope_that_the_role_lacks_is_refused(call: Call, tmp_path: Path) -> None:
    called = call("keys", "create", "--scope", "keys", "--workspace", tmp_path)
    assert called.status == 2
    assert "generate" in called.err
