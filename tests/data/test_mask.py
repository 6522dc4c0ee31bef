"""Masking in the data stage: nothing below `datasets/` holds a value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneloop.core.records import Dataset
from tuneloop.store.vault import new_vault_key, open_vault
from tuneloop.store.workspace import Workspace

from .conftest import Prepare, Write

MOBILE, CARD, MAIL = "13812345678", "4111 1111 1111 1111", "anna.k@mail.example.org"
VALUES = (MOBILE, CARD, MAIL)


@pytest.fixture
def rows() -> list[dict[str, str]]:
    """Rows with values in questions, answers, tags, copies, contradictions and rows that can't be used."""
    made = [
        {"question": f"What is {n}? Call +86 {MOBILE}", "answer": f"It is {n}.   Write to {MAIL}", "customer": MOBILE}
        for n in range(12)
    ]
    made += [made[0], {**made[1], "answer": f"Another one, card {CARD}"}]
    made += [
        {"question": f"Card {CARD}", "answer": "", "customer": MAIL},
        {"question": "", "answer": MAIL, "customer": "x"},
    ]
    return made


def everything(dataset: Dataset) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(dataset.path.iterdir()))


@pytest.mark.parametrize("mode", ["pseudonym", "tag", "redact"])
def test_no_value_is_written(prepare: Prepare, write: Write, rows: list[dict[str, str]], mode: str) -> None:
    path = write("faq.jsonl", rows)
    dataset = prepare({"path": str(path), "columns": {"customer": "customer"}}, mask={"mode": mode})
    written = everything(dataset)
    assert [value for value in VALUES if value in written] == []
    assert MOBILE not in written.replace("-", "").replace(" ", "")
    assert dataset.report["personal_data"]["mobile"] >= 12
    assert dataset.report["rows_quarantined"] == 2


def test_switched_off_texts_stay(prepare: Prepare, write: Write, rows: list[dict[str, str]]) -> None:
    dataset = prepare(write("faq.jsonl", rows), mask={"mode": "off"})
    assert MOBILE in everything(dataset)
    assert "personal_data" not in dataset.report, "nothing looked for it, so the report must not say that none is there"


def test_the_same_workspace_gives_the_same_dataset(prepare: Prepare, write: Write, rows: list[dict[str, str]]) -> None:
    path = write("faq.jsonl", rows)
    first, again = prepare(path), prepare(path, force=True)
    assert first.path != again.path
    assert (first.path / "train.jsonl").read_bytes() == (again.path / "train.jsonl").read_bytes()
    assert prepare(path).reused


def test_another_key_or_another_setting_is_another_dataset(
    prepare: Prepare, write: Write, rows: list[dict[str, str]], tmp_path: Path
) -> None:
    path = write("faq.jsonl", rows)
    ids = [prepare(path).id, prepare(path, mask={"mode": "tag"}).id, prepare(path, mask={"possible": "mask"}).id]
    key = tmp_path / "workspace" / "private" / "pseudonym.key"
    secret = key.read_text().strip()
    key.write_text("ab" * 32)
    changed = prepare(path)
    assert len({*ids, changed.id}) == 4
    assert secret not in everything(changed)


def test_values_of_a_tag_stay_groups(prepare: Prepare, write: Write) -> None:
    rows = [
        {"question": f"What is {n}?", "answer": f"It is {n}.", "customer": f"138123456{n % 5:02d}"} for n in range(20)
    ]
    path = write("faq.jsonl", rows)
    dataset = prepare(
        {"path": str(path), "columns": {"customer": "customer"}},
        mask={"mode": "redact"},
        split={"group_by": "customer"},
    )
    lines = "".join((dataset.path / f"{side}.jsonl").read_text() for side in ("train", "validation", "test"))
    customers = {json.loads(line)["meta"]["tags"]["customer"] for line in lines.splitlines()}
    assert len(customers) == 5
    assert all(customer.startswith("1540") for customer in customers)


def test_a_grammar_needs_no_key(prepare: Prepare, tmp_path: Path) -> None:
    dataset = prepare({"grammar": "bank-service", "rows": 30})
    assert not (tmp_path / "workspace" / "private").exists()
    assert "personal_data" not in dataset.report


def test_a_vault_brings_the_values_back(
    prepare: Prepare, write: Write, rows: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNELOOP_VAULT_KEY", new_vault_key())
    dataset = prepare(write("faq.jsonl", rows), mask={"vault": True})
    train = (dataset.path / "train.jsonl").read_text()
    assert MAIL not in train
    assert MAIL in open_vault(Workspace(tmp_path / "workspace")).unmask(train)


def test_a_number_that_the_quarantine_cuts_off_is_not_left_in_part(prepare: Prepare, write: Write) -> None:
    rows = [{"question": f"What is {n}?", "answer": f"It is {n}."} for n in range(20)]
    start = len(json.dumps({"question": ""}, ensure_ascii=False)) - 2
    rows.append({"question": "x" * (1990 - start) + " " + MOBILE, "answer": ""})
    quarantined = (prepare(write("faq.jsonl", rows)).path / "quarantine.jsonl").read_text()
    assert MOBILE[:7] not in quarantined
