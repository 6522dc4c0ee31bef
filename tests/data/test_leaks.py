"""Leaks and near-duplicates in whole datasets: what is planted is found, and leaves training."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tuneloop.core.records import SPLITS, Dataset
from tuneloop.data.near import facts
from tuneloop.store.samples import read_split

from .conftest import Prepare, Write, questions

WORDS = [
    f"{a}{b}"
    for a in ("bal", "car", "dep", "fee", "gra", "lim", "mon", "rat")
    for b in ("ance", "d", "osit", "le", "x")
]


def _sentences(count: int, seed: int, length: int = 20) -> list[str]:
    random_ = random.Random(seed)
    return [" ".join(random_.choices(WORDS, k=length)) + f" item{seed}x{n}" for n in range(count)]


def _rows(asked: list[str], **columns: Any) -> list[dict[str, Any]]:
    return [{"question": text, "answer": f"Answer {n} to {text[:30]}", **columns} for n, text in enumerate(asked)]


def _questions(dataset: Dataset, split: str) -> set[str]:
    return {sample.question for sample in read_split(dataset.path, split)}  # type: ignore[arg-type]


def _removed(dataset: Dataset) -> dict[str, int]:
    return {rule: counts["removed"] for rule, counts in dataset.report["rules"].items() if counts["removed"]}


def _planted(held: list[str]) -> dict[str, list[str]]:
    return {
        "leak": held[:20],
        "case and space": [f"  {text.upper().replace(' ', '  ')} ?" for text in held[20:40]],
        "near_leak": [f"{text}s" for text in held[40:60]],
        "passage_leak": [
            f"Hello, {' '.join(text.split()[3:16])}, please, what now{n}?" for n, text in enumerate(held[60:])
        ],
    }


@pytest.fixture
def planted(write: Write) -> tuple[Path, Path, dict[str, list[str]]]:
    held = _sentences(80, seed=1)
    leaks = _planted(held)
    rows = _rows([*_sentences(200, seed=2), *(text for texts in leaks.values() for text in texts)])
    return write("train.jsonl", rows), write("test.jsonl", _rows(held)), leaks


def test_planted_leaks_leave_training_and_never_the_test_side(
    prepare: Prepare, planted: tuple[Path, Path, dict[str, list[str]]]
) -> None:
    train, test, leaks = planted
    dataset = prepare({"path": str(train), "split": "train"}, {"path": str(test), "split": "test"})
    learnt = _questions(dataset, "train") | _questions(dataset, "validation")
    for kind, texts in leaks.items():
        assert not learnt & {text.strip() for text in texts}, kind
    assert dataset.rows["test"] == 80
    assert dataset.rows["train"] + dataset.rows["validation"] == 200
    assert _removed(dataset) == {"leak": 40, "near_leak": 20, "passage_leak": 20}
    assert dataset.report["leaks"] == {"train": 80}


def test_rows_of_an_evaluation_set_leave_the_dataset(
    prepare: Prepare, planted: tuple[Path, Path, dict[str, list[str]]]
) -> None:
    train, test, _ = planted
    dataset = prepare(train, leaks={"against": [{"path": str(test)}]}, split={"test": 0.0})
    assert dataset.report["rows_read"] == 280
    assert dataset.report["rows_kept"] == 200
    assert dataset.report["leaks"] == {"undivided": 80}
    assert dataset.report["against"][0]["name"] == "test.jsonl"
    assert dataset.id != prepare(train, split={"test": 0.0}).id


def test_a_test_row_that_an_evaluation_set_has_too_stays(prepare: Prepare, write: Write) -> None:
    rows = _rows(_sentences(30, seed=3))
    test, outside = write("test.jsonl", rows[:10]), write("outside.jsonl", rows)
    train = write("train.jsonl", _rows(_sentences(20, seed=4)))
    dataset = prepare(
        {"path": str(train), "split": "train"},
        {"path": str(test), "split": "test"},
        leaks={"against": [{"path": str(outside)}]},
    )
    assert dataset.rows["test"] == 10
    assert dataset.report["leaks"] == {}


def test_each_kind_can_be_switched_off(prepare: Prepare, planted: tuple[Path, Path, dict[str, list[str]]]) -> None:
    train, test, _ = planted
    sources = ({"path": str(train), "split": "train"}, {"path": str(test), "split": "test"})
    assert _removed(prepare(*sources, leaks={"passages": False})) == {"leak": 40, "near_leak": 20}
    assert _removed(prepare(*sources, leaks={"passages": False, "near": None})) == {"leak": 40}


def test_nearly_equal_questions_stay_on_one_side(prepare: Prepare, write: Write) -> None:
    asked = _sentences(60, seed=5)
    rows = [*_rows(asked), *[{"question": f"{text}s", "answer": f"Other {n}"} for n, text in enumerate(asked)]]
    dataset = prepare(write("faq.jsonl", rows), split={"validation": 0.2, "test": 0.2})
    assert dataset.report["rows_kept"] == 120
    sides = [{text.removesuffix("s") for text in _questions(dataset, split)} for split in SPLITS]
    assert sum(map(len, sides)) == 60
    assert dataset.rows["test"] == 24


def test_near_copies_are_removed_and_the_kept_one_is_shown(prepare: Prepare, write: Write) -> None:
    rows = _rows(_sentences(30, seed=6))
    copy = {"question": rows[3]["question"] + " please", "answer": rows[3]["answer"] + "!"}
    dataset = prepare(write("faq.jsonl", [*rows, copy]))
    assert _removed(dataset) == {"near_duplicate": 1}
    (example,) = dataset.report["examples"]["near_duplicate"]
    assert example["row"] == 31
    assert example["after"] != example["before"]
    assert prepare(write("faq.jsonl", [*rows, copy]), deduplicate={"near": None}).report["rows_kept"] == 31


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The card limit is 5000 a day", "The card limit is 8000 a day"),
        ("You can do this in the app", "You can not do this in the app"),
        ("You can do this in the app", "You can't do this in the app"),
        ("手机银行可以办理这项业务", "手机银行不可以办理这项业务"),
    ],
)
def test_other_numbers_and_negations_make_no_copy(prepare: Prepare, write: Write, one: str, other: str) -> None:
    long = " ".join(_sentences(3, seed=7)) + " "
    rows = [*questions(20), *({"question": long, "answer": long + answer} for answer in (one, other))]
    dataset = prepare(write("faq.jsonl", rows))
    assert _removed(dataset) == {}
    assert dataset.report["contradictions"]["questions"] == 1


def test_facts_are_numbers_and_negations() -> None:
    assert facts("No, 12 of 30 can’t, none") == ("no", "12", "30", "n’t", "none")


def test_nothing_of_a_grammar_is_lost_to_likeness(prepare: Prepare) -> None:
    dataset = prepare({"grammar": "bank-service", "rows": 400})
    assert set(_removed(dataset)) <= {"leak"}


def test_labels_are_on_every_side_by_their_share(prepare: Prepare, write: Write) -> None:
    rows = [{**row, "intent": f"i{n % 4}"} for n, row in enumerate(questions(80))]
    intents = prepare(write("faq.jsonl", rows)).report["intents"]
    assert intents["test"] == {f"i{n}": 2 for n in range(4)}
    assert intents["train"] == {f"i{n}": 16 for n in range(4)}
