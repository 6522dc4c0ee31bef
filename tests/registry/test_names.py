"""Names of adapters: what is accepted, and what could become a path or another meaning."""

from __future__ import annotations

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.errors import UsageError
from tuneloop.registry.names import Reference, check_alias, check_name, parse_reference


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "a\\b", "../x", "a b", "a\n", "银行", "x" * 65, "-x", "a:b", "~"]
)
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_name(name)
    assert caught.value.code == "registry.name_invalid"


@pytest.mark.parametrize("name", ["base", "auto"])
def test_reserved_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_name(name)
    assert caught.value.code == "registry.name_reserved"


@pytest.mark.parametrize("alias", ["", "v1", "v0003", "3", "9lives", "a.b", "a/b", "x" * 65])
def test_an_alias_never_reads_like_a_version_or_a_path(alias: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_alias(alias)
    assert caught.value.code == "registry.alias_invalid"


@pytest.mark.parametrize("text", ["bank@v0003", "bank@v3", "bank@3", " bank@V3 "])
def test_a_version_may_be_written_short(text: str) -> None:
    assert parse_reference(text) == Reference(name="bank", version=3)


@pytest.mark.parametrize("text", ["bank@", "bank@@production", "bank@v", "@v1", "bank@v0001@production"])
def test_half_references_are_refused(text: str) -> None:
    if text == "bank@v":  # a letter alone is an alias
        assert parse_reference(text).alias == "v"
        return
    with pytest.raises(UsageError):
        parse_reference(text)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_a_safe_reference_or_a_usage_error(text: str) -> None:
    reference: Reference | None = None
    with contextlib.suppress(UsageError):
        reference = parse_reference(text)
    if reference is None:
        return
    assert set(reference.name) <= set(string.ascii_letters + string.digits + "._-")
    assert not reference.name.startswith(".")
