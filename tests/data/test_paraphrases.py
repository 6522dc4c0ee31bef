"""Paraphrases between the sides, by an encoder: a tiny random BERT, which at least knows a question when it sees it again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tuneloop.core.errors import DataError, RecipeError
from tuneloop.core.records import Dataset
from tuneloop.data.config import ParaphraseConfig
from tuneloop.data.paraphrases import open_encoder
from tuneloop.store.samples import read_split

from .conftest import Prepare, Write, questions

HELD = "how do i open a new account"
REWORDED = "a new account how do i open"
"""The same words in another order: no near-duplicate, no passage, and the same vector where places count for nothing."""


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer whose vectors are those of its words: attention and places count for nothing."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("encoders") / "tiny-bert"
    words = [*HELD.split(), "what", "is", "it", "?", *map(str, range(60))]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(words)]
    torch.manual_seed(0)
    shapes = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    model = BertModel(shapes)
    with torch.no_grad():
        model.embeddings.position_embeddings.weight.zero_()
        model.embeddings.word_embeddings.weight.normal_(0, 1)
    model.save_pretrained(folder)
    file = folder / "vocab.txt"
    file.write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab=str(file)).save_pretrained(folder)
    return folder


def _dataset(prepare: Prepare, write: Write, leaks: dict[str, object]) -> Dataset:
    train = write("train.jsonl", [*questions(30), {"question": REWORDED, "answer": "In the app."}])
    test = write("test.jsonl", [{"question": HELD, "answer": "At the branch."}])
    sources = ({"path": str(train), "split": "train"}, {"path": str(test), "split": "test"})
    return prepare(*sources, leaks=leaks, split={"validation": 0.0})


def _asked(dataset: Dataset, split: str) -> set[str]:
    return {sample.question for sample in read_split(dataset.path, split)}  # type: ignore[arg-type]


def test_a_paraphrase_of_a_tested_question_leaves_training_and_is_shown(
    prepare: Prepare, write: Write, encoder: Path
) -> None:
    dataset = _dataset(prepare, write, {"paraphrases": {"encoder": str(encoder), "similarity": 0.97}})
    assert REWORDED not in _asked(dataset, "train")
    assert _asked(dataset, "test") == {HELD}
    assert dataset.rows == {"train": 30, "validation": 0, "test": 1}
    report = dataset.report
    assert report["rules"]["paraphrase_leak"]["removed"] == 1
    assert report["leaks"] == {"train": 1}
    found = report["paraphrases"]
    assert (found["encoder"], found["candidates"], found["removed"]) == ("tiny-bert", 1, 1)
    (example,) = found["examples"]
    assert (example["question"], example["held"], example["row"], example["split"]) == (REWORDED, HELD, 31, "train")
    assert example["similarity"] > 0.97
    assert [advice["code"] for advice in report["advice"]].count("data.advice.paraphrases_removed") == 1
    page = (dataset.path / "report.html").read_text(encoding="utf-8")
    assert REWORDED in page


def test_candidates_are_only_shown_where_the_recipe_says_so(prepare: Prepare, write: Write, encoder: Path) -> None:
    setting = {"encoder": str(encoder), "similarity": 0.97, "remove": False}
    dataset = _dataset(prepare, write, {"paraphrases": setting})
    assert REWORDED in _asked(dataset, "train")
    assert (dataset.report["paraphrases"]["candidates"], dataset.report["paraphrases"]["removed"]) == (1, 0)
    assert dataset.report["leaks"] == {}
    assert "data.advice.paraphrases_left" in [advice["code"] for advice in dataset.report["advice"]]


def test_an_encoder_that_finds_most_rows_alike_removes_none_of_them(
    prepare: Prepare, write: Write, encoder: Path
) -> None:
    train = write("train.jsonl", questions(30))
    test = write("test.jsonl", [{"question": "What is 99?", "answer": "At the branch."}])
    sources = ({"path": str(train), "split": "train"}, {"path": str(test), "split": "test"})
    leaks = {"near": None, "paraphrases": {"encoder": str(encoder), "similarity": 0.6}}
    with pytest.raises(DataError) as refused:
        prepare(*sources, leaks=leaks, split={"validation": 0.0})
    assert refused.value.code == "data.encoder_finds_most"
    assert "30 of 30" in refused.value.message("en")


def test_evaluation_sets_are_compared_too(prepare: Prepare, write: Write, encoder: Path) -> None:
    outside = write("outside.jsonl", [{"question": HELD, "answer": "At the branch."}])
    faq = write("faq.jsonl", [*questions(30), {"question": REWORDED, "answer": "In the app."}])
    leaks = {"against": [{"path": str(outside)}], "paraphrases": {"encoder": str(encoder), "similarity": 0.97}}
    dataset = prepare(faq, leaks=leaks, split={"validation": 0.0, "test": 0.0})
    assert REWORDED not in _asked(dataset, "train")
    assert dataset.report["rows_kept"] == 30


def test_nothing_is_said_where_no_encoder_is_named(prepare: Prepare, write: Write) -> None:
    assert "paraphrases" not in _dataset(prepare, write, {}).report


def test_another_encoder_gives_another_dataset(prepare: Prepare, write: Write, encoder: Path, tmp_path: Path) -> None:
    import shutil

    other = tmp_path / "elsewhere" / "tiny-bert"
    shutil.copytree(encoder, other)
    first = _dataset(prepare, write, {"paraphrases": {"encoder": str(encoder)}})
    assert _dataset(prepare, write, {"paraphrases": {"encoder": str(other)}}).id == first.id
    (other / "vocab.txt").write_text((other / "vocab.txt").read_text() + "\nmore", encoding="utf-8")
    assert _dataset(prepare, write, {"paraphrases": {"encoder": str(other)}}).id != first.id


def test_vectors_do_not_depend_on_the_texts_beside_them(encoder: Path) -> None:
    opened = open_encoder(ParaphraseConfig(encoder=encoder.name), encoder.parent)
    assert opened is not None
    texts = [HELD, "it", " ".join(["account"] * 90), "", *["what is it"] * 40]
    together = opened.encode(texts)
    assert together.shape == (44, 32)
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    for text, row in zip(texts[:5], together, strict=False):
        assert np.allclose(opened.encode([text])[0], row, atol=1e-5)


def test_a_folder_that_is_no_encoder_is_named(prepare: Prepare, write: Write, encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        _dataset(prepare, write, {"paraphrases": {"encoder": str(tmp_path / "nowhere")}})
    assert raised.value.code == "data.encoder_missing"
    assert "nowhere" in raised.value.message()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    (broken / "model.safetensors").write_bytes(b"not safe")
    with pytest.raises(RecipeError) as refused:
        _dataset(prepare, write, {"paraphrases": {"encoder": str(broken)}})
    assert refused.value.code == "models.encoder"
