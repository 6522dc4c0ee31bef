"""Keys: shown once, hashed, checked by form first; roles are one table."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.errors import NotAllowedError, NotFoundError, UsageError
from tuneloop.store.access import ROLES, VERBS, Key, check_form, create_key, hashed_keys, list_keys, revoke_key
from tuneloop.store.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w")


def test_a_key_is_found_by_its_hash_and_stands_nowhere(workspace: Workspace) -> None:
    key, secret = create_key(workspace, role="operator", label="ops", adapters=["bank"], requests_per_minute=5)
    assert hashed_keys(workspace)[check_form(secret)] == key == list_keys(workspace)[0]
    for file in workspace.root.rglob("*"):
        assert not file.is_file() or secret.split("_", 2)[2].encode() not in file.read_bytes()


def test_a_mistyped_key_is_refused_by_its_form_alone(workspace: Workspace) -> None:
    _, secret = create_key(workspace)
    for place in range(len(secret)):
        typed = secret[:place] + ("x" if secret[place] != "x" else "y") + secret[place + 1 :]
        with pytest.raises(NotAllowedError) as caught:
            check_form(typed)
        assert caught.value.code == "access.key_invalid"


@given(st.text(max_size=80))
def test_no_other_text_is_a_key(text: str) -> None:
    with pytest.raises(NotAllowedError):
        check_form(text)


def test_a_revoked_or_expired_key_is_not_valid(workspace: Workspace) -> None:
    key, _ = create_key(workspace, days=1)
    assert key.is_valid()
    assert not key.is_valid("2999-01-01T00:00:00+00:00")
    revoked = revoke_key(workspace, key.id)
    assert not revoked.is_valid()
    assert revoke_key(workspace, key.id) == revoked
    with pytest.raises(NotFoundError):
        revoke_key(workspace, "nothing")


def test_each_role_may_do_what_the_one_before_it_may() -> None:
    roles = list(ROLES.values())
    assert all(smaller < larger for smaller, larger in pairwise(roles))
    assert ROLES["admin"] == set(VERBS)


def test_a_key_never_may_more_than_its_role(workspace: Workspace) -> None:
    with pytest.raises(UsageError) as caught:
        create_key(workspace, role="viewer", verbs=["keys"])
    assert caught.value.code == "access.verb_unknown"
    assert not Key(id="a", role="viewer", verbs=("keys",)).may("keys")
    assert not Key(id="a", role="admin", verbs=("models",)).may("keys")


@pytest.mark.parametrize("fields", [{"days": 0}, {"requests_per_minute": -1}, {"tokens_per_minute": 0}])
def test_a_limit_is_positive(workspace: Workspace, fields: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        create_key(workspace, **fields)  # type: ignore[arg-type]
