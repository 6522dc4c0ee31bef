"""The answer of a pair that was not chosen is written below `datasets/` as well, so it is masked as well."""

from __future__ import annotations

from .conftest import Prepare, Write, questions


def test_personal_data_in_a_rejected_answer_is_masked(write: Write, prepare: Prepare) -> None:
    pair = {"prompt": "How do I reach you?", "chosen": "By phone.", "rejected": "Write to jane.doe@example.com today."}
    dataset = prepare(write("p.jsonl", [pair]), write("q.jsonl", questions(3)), split={"validation": 0, "test": 0})
    train = (dataset.path / "train.jsonl").read_text(encoding="utf-8")
    assert "rejected" in train
    assert "jane.doe@example.com" not in train
