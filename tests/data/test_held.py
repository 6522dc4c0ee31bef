"""Variants of training questions in a dataset: written to the training side alone, counted, and never a leak."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tuneloop.core.errors import DataError
from tuneloop.core.messages import Language
from tuneloop.core.records import SPLITS
from tuneloop.data.augment import run as augmenting
from tuneloop.store.samples import read_split
from tuneloop.text.normalise import question_key

from .conftest import Prepare, Write, questions


def test_variants_join_the_training_side_alone_and_are_counted(write: Write, prepare: Prepare) -> None:
    rows = [{"question": f"How do I cancel order {n}?", "answer": f"Cancel {n}."} for n in range(100, 200)]
    file = write("faq.jsonl", rows)
    plain = prepare(file, leaks={"near": None})
    dataset = prepare(file, leaks={"near": None}, augment={"synonym": 0.3, "noise": 0.2})
    for split in ("validation", "test"):
        assert read_split(dataset.path, split) == read_split(plain.path, split)
    before, after = read_split(plain.path, "train"), read_split(dataset.path, "train")
    assert after[: len(before)] == before
    ways = Counter(sample.meta.tags["augmented"] for sample in after[len(before) :])
    report = dataset.report
    assert ways == {name: way["added"] for name, way in report["augmented"].items()}
    assert ways["synonym"] == pytest.approx(0.3 * len(before), abs=3)
    assert report["rows_kept"] == plain.report["rows_kept"] == 100
    assert sum(report["splits"].values()) == 100 + sum(ways.values())
    assert plain.report["augmented"] == {}


def test_a_variant_never_asks_what_a_tested_row_asks(
    write: Write, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "Where can I see the fees of my account when I travel abroad with my partner and our two kids?"
    tested = {"question": asked, "answer": "Here.", "split": "test"}
    rows = [*({"question": f"Where is it, number {n}?", "answer": f"{n}", "split": "train"} for n in range(30)), tested]
    wanted = {
        "exact": asked.upper(),
        "near": asked.replace("our two", "the two"),
        "passage": "Hello! " + asked[:70] + " and so on? Please tell me.",
        "free": "Where do I find it?",
    }
    for name, variant in wanted.items():
        monkeypatch.setitem(augmenting.AUGMENTERS, "noise", lambda setting, v=variant: lambda asked: [v for _ in asked])
        monkeypatch.setattr(augmenting, "why_refused", lambda pair, way: None)
        dataset = prepare(write(f"{name}.jsonl", rows), augment={"noise": 0.2}, split={"validation": 0})
        variants = [one for one in read_split(dataset.path, "train") if "augmented" in one.meta.tags]
        assert (len(variants) > 0) == (name == "free"), name


def test_no_question_of_a_real_preparation_stands_on_two_sides(write: Write, prepare: Prepare) -> None:
    rows = [
        {"question": f"{verb} I cancel my card {n}?", "answer": f"{n}"}
        for n in range(40)
        for verb in ("How do", "How can")
    ]
    dataset = prepare(write("faq.jsonl", rows), leaks={"near": None}, augment={"synonym": 1.0})
    keys = {split: {question_key(one.question) for one in read_split(dataset.path, split)} for split in SPLITS}
    assert not keys["train"] & (keys["test"] | keys["validation"])
    assert dataset.report["augmented"]["synonym"]["dropped"]["taken"] > 0


def test_the_synonyms_of_the_recipe_decide_the_dataset(write: Write, prepare: Prepare, tmp_path: Path) -> None:
    file = write("faq.jsonl", questions(60))
    write("own.txt", "what is | what's\n")
    first = prepare(file, augment={"synonym": 0.5, "synonyms": "own.txt"})
    assert prepare(file, augment={"synonym": 0.5, "synonyms": "own.txt"}).reused
    write("own.txt", "what is | what exactly is\n")
    assert prepare(file, augment={"synonym": 0.5, "synonyms": "own.txt"}).id != first.id
    with pytest.raises(DataError) as caught:
        prepare(file, augment={"synonym": 0.5, "synonyms": "missing.txt"})
    assert caught.value.code == "data.synonyms_missing"


@pytest.mark.parametrize(("language", "title"), [("en", "Variants of training questions"), ("zh", "训练问题的扩充")])
def test_the_page_says_what_was_added(write: Write, prepare: Prepare, language: Language, title: str) -> None:
    from tuneloop.core.messages import set_language

    set_language(language)
    page = (prepare(write("faq.jsonl", questions(60)), augment={"noise": 0.5}).path / "report.html").read_text("utf-8")
    assert title in page
