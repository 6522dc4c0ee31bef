"""Similarity by the user's encoder: the same text is 1, an empty answer 0, padding changes nothing, a wrong folder is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tuneloop.core.errors import RecipeError
from tuneloop.core.records import Evaluation, Message, Meta, Sample
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.results import read_results
from tuneloop.evaluation.similarity import LIKENESS, likeness
from tuneloop.models.encoder import POOLINGS, load_encoder

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "your",
    "card",
    "is",
    "blocked",
    "here",
    "limit",
    "the",
    "we",
    "call",
]


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("encoder")
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=len(WORDS), max_position_embeddings=32, **shape)
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def test_the_same_text_is_nearest_and_an_empty_answer_is_nothing(encoder_folder: Path) -> None:
    encoder = load_encoder(encoder_folder)
    references = ["your card is blocked", "we call", "the limit " * 40, "the limit"]
    scores = likeness(encoder, [references[0], "your card", references[2], " "], references)
    assert scores.keys() == set(LIKENESS)
    for name in LIKENESS:
        same, other, long, empty = scores[name]
        assert same == pytest.approx(1, abs=1e-5)
        assert long == pytest.approx(1, abs=1e-5)
        assert 0 <= other < 0.999
        assert empty == 0


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_text_scores_the_same_alone_and_beside_longer_ones(
    encoder_folder: Path, tmp_path: Path, pooling: str
) -> None:
    for file in encoder_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({pooling: True}), encoding="utf-8")
    encoder = load_encoder(tmp_path)
    alone = likeness(encoder, ["your card"], ["we call"])
    beside = likeness(encoder, ["your card", "the limit " * 10], ["we call", "is blocked " * 10])
    for name in LIKENESS:
        assert beside[name][0] == pytest.approx(alone[name][0], abs=1e-5)


def test_another_pooling_is_another_encoder_and_an_unknown_one_is_refused(encoder_folder: Path, tmp_path: Path) -> None:
    for file in encoder_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    plain = load_encoder(tmp_path).sha256
    (tmp_path / "1_Pooling").mkdir()
    told = tmp_path / "1_Pooling" / "config.json"
    told.write_text('{"pooling_mode_cls_token": true}', encoding="utf-8")
    assert load_encoder(tmp_path).sha256 != plain
    told.write_text('{"pooling_mode_weightedmean_tokens": true}', encoding="utf-8")
    with pytest.raises(RecipeError, match="weightedmean"):
        load_encoder(tmp_path)


def test_a_folder_without_an_encoder_is_named(tmp_path: Path) -> None:
    for content in (None, "{}", '{"model_type": "bert"}'):
        if content is not None:
            (tmp_path / "config.json").write_text(content, encoding="utf-8")
        with pytest.raises(RecipeError) as wrong:
            load_encoder(tmp_path)
        assert wrong.value.code == "models.encoder"


def test_an_evaluation_compares_meanings_where_it_has_an_encoder(
    evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path], encoder_folder: Path
) -> None:
    messages = (Message(role="user", content="Where?"), Message(role="assistant", content="your card is here"))
    rows = [Sample(id=f"s{n}", messages=messages, meta=Meta(source="made.csv", row=n, lang="en")) for n in (1, 2)]
    evaluation = evaluate(write_dataset(rows), EvaluationConfig(encoder=str(encoder_folder)))
    results = read_results(evaluation.path)
    assert set(LIKENESS) <= results.arms["tuned"].keys()
    assert set(LIKENESS) <= {one.metric for one in results.comparisons}
    assert results.headline.metric == "rouge_l"
    assert "encoder_sha256" in results.made_of
