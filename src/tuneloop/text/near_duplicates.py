"""Texts that are nearly the same: MinHash on character n-grams finds candidates, the n-grams themselves decide.

Characters and not words, so that Chinese and English take the same path. MinHash and locality-sensitive hashing follow
Broder, "On the resemblance and containment of documents" (1997); the sketches are rensa's R-MinHash. A sketch costs 512
bytes a text and is thrown away as soon as its bands are hashed: 64 bytes a text are kept at a threshold of 0.9.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

NGRAM = 4
"""Characters of an n-gram: about a word of English, a word or two of Chinese."""
PERMUTATIONS = 128
"""Length of a sketch: a similarity is estimated with a standard error of at most 0.044."""
SEED = 1997
LONGEST = 20_000
"""Characters of a text that are looked at, so that one endless text can't fill the memory."""
RECALL = 0.999
"""Share of the pairs at the threshold that become candidates."""
BATCH = 128
"""Texts whose sketches are made together: their n-grams fit a processor's cache, and rensa starts no threads for so few."""
NEIGHBOURS = 2
"""Texts with the same band before a text that it is compared with, besides the first one."""

Hashes = NDArray[np.uint64]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def ngram_hashes(texts: Sequence[str], width: int = NGRAM) -> tuple[Hashes, NDArray[np.int64]]:
    """Hash the character n-grams of many texts at once.

    A text shorter than `width` is one n-gram, an empty one none.

    Returns:
        The hashes of all texts one after the other, and where each text's begin (one more than there are texts).

    >>> hashes, starts = ngram_hashes(["abcde", "", "ab", "abcd"])
    >>> starts.tolist(), hashes[0] == hashes[3]
    ([0, 2, 2, 3, 4], np.True_)
    """
    padded = [text[:LONGEST].ljust(width, "\0") if text else "" for text in texts]
    lengths = np.array([len(text) for text in padded], dtype=np.int64)
    counts = np.maximum(lengths - width + 1, 0)
    starts = np.concatenate([[0], np.cumsum(counts)])
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if not len(codes):
        return np.empty(0, dtype=np.uint64), starts
    hashes = np.zeros(len(codes) - width + 1, dtype=np.uint64)
    for place in range(width):
        hashes *= _MULTIPLIER
        hashes += codes[place : place + len(hashes)]
    hashes ^= hashes >> np.uint64(32)
    hashes *= _MULTIPLIER
    hashes ^= hashes >> np.uint64(29)
    first = np.cumsum(lengths) - lengths
    places = np.arange(starts[-1]) + np.repeat(first - starts[:-1], counts)
    return hashes[places], starts


def band_keys(texts: Sequence[str], threshold: float) -> NDArray[np.uint32]:
    """Hash the bands of every text's sketch: texts that share one are candidates.

    Returns:
        `[texts, bands]`; the more bands the lower the threshold is.
    """
    width = rows_per_band(threshold)
    batches = [_band_keys(texts[start : start + BATCH], width) for start in range(0, len(texts), BATCH)]
    return np.concatenate([np.empty((0, PERMUTATIONS // width), dtype=np.uint32), *batches])


def rows_per_band(threshold: float) -> int:
    """The longest bands (the fewest false candidates) that still miss almost no pair at the threshold.

    >>> [rows_per_band(threshold) for threshold in (0.95, 0.9, 0.8, 0.5)]
    [8, 8, 4, 2]
    """
    fitting = (rows for rows in (16, 8, 4, 2) if 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows) >= RECALL)
    return next(fitting, 1)


def candidate_pairs(bands: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Pairs of texts that share a band, each once, the earlier text first.

    A band that very many texts share would give as many pairs as the square of their number: each text is paired with the
    first of them and the `NEIGHBOURS` before it.

    Args:
        bands: `[texts, bands]` of `band_keys`.
    Returns:
        `[pairs, 2]`, sorted.
    """
    size = max(len(bands), 1)
    pairs = np.empty(0, dtype=np.int64)
    for column in range(bands.shape[1]):
        keys = bands[:, column]
        order = np.argsort(keys, kind="stable")
        pairs = np.union1d(pairs, _paired(order, keys[order], size))
    return np.stack([pairs // size, pairs % size], axis=1)


def ngrams(text: str) -> Hashes:
    """The different n-grams of a text as sorted hashes."""
    return _distinct(ngram_hashes([text])[0])


def overlap(one: Hashes, other: Hashes) -> float:
    """Jaccard similarity of two texts' `ngrams`, in [0, 1]; 1 for two empty texts.

    >>> overlap(ngrams("abcde"), ngrams("abcde")), round(overlap(ngrams("abcdef"), ngrams("abcdeg")), 2)
    (1.0, 0.5)
    >>> overlap(ngrams("abcd"), ngrams(""))
    0.0
    """
    joined = np.concatenate([one, other])
    joined.sort(kind="stable")  # merges two sorted halves
    shared = int(np.count_nonzero(joined[1:] == joined[:-1]))
    return shared / (len(joined) - shared) if len(joined) else 1.0


def near_pairs(texts: Sequence[str], threshold: float) -> Iterator[tuple[int, int, float]]:
    """Positions of texts that are at least so similar, and how similar they are.

    >>> sentence = "Your card was blocked on Monday and a new one is on its way to your address."
    >>> [pair[:2] for pair in near_pairs([sentence, "Something else.", sentence + "."], 0.9)]
    [(0, 2)]
    """
    pairs = candidate_pairs(band_keys(texts, threshold))
    places = np.unique(pairs).tolist()
    read: dict[int, Hashes] = {}
    for start in range(0, len(places), BATCH):
        batch = places[start : start + BATCH]
        hashes, starts = ngram_hashes([texts[place] for place in batch])
        read |= {place: _distinct(part) for place, part in zip(batch, np.split(hashes, starts[1:-1]), strict=True)}
    for one, other in pairs.tolist():
        similar = overlap(read[one], read[other])
        if similar >= threshold:
            yield one, other, similar


def _distinct(hashes: Hashes) -> Hashes:
    ordered = np.sort(hashes)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def _band_keys(texts: Sequence[str], width: int) -> NDArray[np.uint32]:
    hashes, starts = ngram_hashes(texts)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, starts.astype(np.uint64), PERMUTATIONS, SEED)
    sketches = np.array(matrix.to_rows(), dtype=np.uint64).reshape(len(texts), -1, width)
    keys = np.zeros(sketches.shape[:2], dtype=np.uint64)
    for place in range(width):
        keys = (keys ^ sketches[:, :, place]) * _MULTIPLIER
        keys ^= keys >> np.uint64(29)
    return (keys >> np.uint64(32)).astype(np.uint32)


def _paired(order: NDArray[np.int64], keys: NDArray[np.uint32], size: int) -> NDArray[np.int64]:
    """Pairs within runs of equal keys, as `earlier * size + later`."""
    position = np.arange(len(keys))
    begins = np.concatenate([[True], keys[1:] != keys[:-1]]) if len(keys) else np.empty(0, dtype=bool)
    first = np.maximum.accumulate(np.where(begins, position, 0)) if len(keys) else position
    found = [order[first[position > first]] * size + order[position > first]]
    for back in range(1, NEIGHBOURS + 1):
        here = position[position - back > first]
        found.append(order[here - back] * size + order[here])
    return np.unique(np.concatenate(found))
