from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.errors import CorruptError, NotFoundError, ResourceError, UsageError
from tuneloop.core.hashing import canonical_json, hash_value
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.store.artifacts import (
    manifest_hash,
    new_artifact,
    read_manifest,
    scratch_folder,
    verify,
    write_text_atomically,
)
from tuneloop.store.samples import read_samples, write_samples
from tuneloop.store.workspace import Workspace, find_workspace


def make(folder: Path, text: str = "hello") -> Path:
    with new_artifact(folder, kind="test", config={"a": 1}) as temporary:
        (temporary / "sub").mkdir()
        (temporary / "sub" / "a.txt").write_text(text)
    return folder


def test_a_finished_artifact_verifies_and_knows_its_files(tmp_path: Path) -> None:
    assert set(verify(make(tmp_path / "x")).files) == {"sub/a.txt"}


def test_an_artifact_whose_block_fails_is_not_there(tmp_path: Path) -> None:
    def fail() -> None:
        with new_artifact(tmp_path / "x", kind="test", config={}) as temporary:
            (temporary / "a").write_text("half")
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_resource_error_with_exit_5(tmp_path: Path) -> None:
    def fill() -> None:
        with new_artifact(tmp_path / "x", kind="test", config={}):
            raise OSError(28, "No space left on device")

    with pytest.raises(ResourceError) as caught:
        fill()
    assert caught.value.status.exit == 5


def test_an_existing_artifact_is_never_overwritten(tmp_path: Path) -> None:
    make(tmp_path / "x")
    with pytest.raises(FileExistsError):
        make(tmp_path / "x", "other")
    assert (tmp_path / "x" / "sub" / "a.txt").read_text() == "hello"


@pytest.mark.parametrize("damage", [b"", b"hellO", b"hello!"])
def test_a_changed_file_is_named(tmp_path: Path, damage: bytes) -> None:
    make(tmp_path / "x")
    (tmp_path / "x" / "sub" / "a.txt").write_bytes(damage)
    with pytest.raises(CorruptError, match=r"a\.txt"):
        verify(tmp_path / "x")


def test_a_folder_without_a_manifest_is_unfinished_and_a_broken_one_corrupt(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(CorruptError):
        read_manifest(tmp_path)


def test_the_hash_of_an_artifact_depends_on_content_not_on_time(tmp_path: Path) -> None:
    one, same, other = make(tmp_path / "1"), make(tmp_path / "2"), make(tmp_path / "3", "other")
    assert manifest_hash(one) == manifest_hash(same) != manifest_hash(other)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_text_atomically(tmp_path / "a", "one")
    write_text_atomically(tmp_path / "a", "two")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "two"


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_samples_survive_the_disk(tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[str, str]]) -> None:
    turns = [(q.encode("utf-8", "replace").decode(), a.encode("utf-8", "replace").decode()) for q, a in turns]
    samples = [
        Sample(
            id=str(i),
            messages=(Message(role="user", content=q), Message(role="assistant", content=a)),
            meta=Meta(source="s", row=i),
        )
        for i, (q, a) in enumerate(turns)
    ]
    path = tmp_path_factory.mktemp("samples") / "a.jsonl"
    write_samples(path, samples)
    assert list(read_samples(path)) == samples


def test_a_damaged_sample_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1\n')
    with pytest.raises(CorruptError) as caught:
        list(read_samples(tmp_path / "a.jsonl"))
    assert caught.value.row == 1


def test_the_nearest_parent_with_a_marker_is_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNELOOP_WORKSPACE", raising=False)
    Workspace(tmp_path).ensure()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_workspace(start=deep).root == tmp_path.resolve()
    assert find_workspace(deep).root == deep.resolve()
    monkeypatch.setenv("TUNELOOP_WORKSPACE", str(tmp_path / "c"))
    assert find_workspace(start=deep).root == (tmp_path / "c").resolve()


@pytest.mark.parametrize("text", ["[1]", "color: red", "a: ["])
def test_wrong_workspace_settings_are_a_usage_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "tuneloop.yaml").write_text(text)
    with pytest.raises(UsageError):
        Workspace(tmp_path).settings()


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_the_hash_of_a_value_does_not_depend_on_the_order_of_its_keys(value: dict[str, object]) -> None:
    backwards = dict(reversed(value.items()))
    assert canonical_json(value) == canonical_json(backwards)
    assert hash_value(value) == hash_value(backwards)


def test_a_scratch_folder_is_beside_what_exists_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "not" / "there" / "yet") as scratch:
        assert scratch.parent == tmp_path
        (scratch / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named_and_the_scratch_folder_goes(tmp_path: Path) -> None:
    with pytest.raises(ResourceError) as caught, scratch_folder(tmp_path / "x"):
        raise OSError(errno.ENOSPC, "full")
    assert caught.value.code == "store.disk_full"
    assert list(tmp_path.iterdir()) == []
