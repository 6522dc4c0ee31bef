"""Near-duplicates: what is nearly the same is found, datasketch agrees, and similarity is what it is defined to be."""

from __future__ import annotations

import random

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.text.near_duplicates import (
    band_keys,
    candidate_pairs,
    near_pairs,
    ngram_hashes,
    ngrams,
    overlap,
    rows_per_band,
)

TEXTS = st.text(alphabet="ab好c ", max_size=12)


def _grams(text: str, width: int = 4) -> set[str]:
    return {text[n : n + width] for n in range(max(1, len(text) - width + 1))} if text else set()


def _documents(count: int, seed: int) -> list[str]:
    """Random sentences, a third of them an earlier one with a few letters changed."""
    random_ = random.Random(seed)
    words = ["".join(random_.choices("abcdefghijklmnop", k=random_.randint(3, 8))) for _ in range(400)]
    documents: list[str] = []
    for _ in range(count):
        if documents and random_.random() < 1 / 3:
            letters = list(random_.choice(documents))
            for _ in range(random_.choice([0, 1, 2, 6, 20])):
                letters[random_.randrange(len(letters))] = random_.choice("qrstuvwxyz")
            documents.append("".join(letters))
        else:
            documents.append(" ".join(random_.choices(words, k=random_.randint(15, 60))))
    return documents


@given(st.lists(TEXTS, max_size=5))
def test_hashes_are_those_of_the_grams(texts: list[str]) -> None:
    hashes, starts = ngram_hashes(texts)
    assert starts[0] == 0
    for place, text in enumerate(texts):
        own = hashes[starts[place] : starts[place + 1]]
        assert len(np.unique(own)) == len(_grams(text))
        assert own.tolist() == ngram_hashes([text])[0].tolist()


@given(TEXTS, TEXTS)
def test_similarity_is_the_jaccard_similarity_of_the_grams(one: str, other: str) -> None:
    first, second = _grams(one), _grams(other)
    expected = len(first & second) / len(first | second) if first | second else 1.0
    assert overlap(ngrams(one), ngrams(other)) == pytest.approx(expected)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9, 0.99])
def test_bands_miss_almost_no_pair_at_the_threshold(threshold: float) -> None:
    rows = rows_per_band(threshold)
    assert 1 - (1 - threshold**rows) ** (128 // rows) >= 0.999


def test_a_text_that_very_many_share_gives_few_pairs() -> None:
    bands = band_keys(["the same text every time"] * 2000, 0.9)
    pairs = candidate_pairs(bands)
    assert len(pairs) <= 3 * 2000
    assert set(pairs[:, 1].tolist()) == set(range(1, 2000))


def test_no_texts_give_no_pairs() -> None:
    assert list(near_pairs([], 0.9)) == []
    assert list(near_pairs(["one"], 0.9)) == []


def test_chinese_texts_with_one_other_character_are_near() -> None:
    text = "您好，请您登录手机银行，在信用卡页面选择账单查询，输入查询密码之后就可以看到最近十二个月的账单明细和还款记录了。"
    other = text.replace("十二个月", "十三个月")
    assert [pair[:2] for pair in near_pairs([text, "完全不同的一句话。", other], 0.8)] == [(0, 2)]


def test_datasketch_finds_the_same_documents() -> None:
    documents = _documents(400, seed=1)
    ours = {other for _, other, _ in near_pairs(documents, 0.9)}
    index = MinHashLSH(params=(16, 8), num_perm=128)
    theirs = set()
    for place, document in enumerate(documents):
        sketch = MinHash(num_perm=128)
        grams = _grams(document)
        sketch.update_batch([gram.encode() for gram in grams])
        for found in index.query(sketch):
            earlier = _grams(documents[found])
            if len(grams & earlier) / len(grams | earlier) >= 0.9:
                theirs.add(place)
        index.insert(place, sketch)
    assert len(theirs) > 50
    assert sum((place in ours) == (place in theirs) for place in range(400)) / 400 >= 0.99
