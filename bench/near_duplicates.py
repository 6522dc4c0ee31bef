"""Near-duplicates beside datasketch: seconds, and how often both say the same of a text.

    python bench/near_duplicates.py [--texts 5000] [--threshold 0.9] [--save]

Both get the same texts and character 4-grams, 128 permutations and the same bands. datasketch's candidates are judged twice:
by its own estimate, as its documentation does, and by the n-grams themselves, which is the truth.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from datasketch import MinHash, MinHashLSH

from tuneloop.text.near_duplicates import NGRAM, PERMUTATIONS, near_pairs, rows_per_band

FINER = 512
"""Permutations of datasketch's second estimate: whether what is left between us is the noise of its first one."""


def make_texts(count: int) -> list[str]:
    """Sentences of 100 to 600 characters, a third of them an earlier one with 0 to 60 letters changed."""
    random_ = random.Random(0)
    words = ["".join(random_.choices("abcdefghijklmnop", k=random_.randint(3, 8))) for _ in range(2000)]
    texts: list[str] = []
    for _ in range(count):
        if texts and random_.random() < 1 / 3:
            letters = list(random_.choice(texts))
            for _ in range(random_.choice([0, 1, 2, 4, 8, 20, 60])):
                letters[random_.randrange(len(letters))] = random_.choice("qrstuvwxyz")
            texts.append("".join(letters))
        else:
            texts.append(" ".join(random_.choices(words, k=random_.randint(15, 90))))
    return texts


def ngrams(text: str) -> set[str]:
    return {text[place : place + NGRAM] for place in range(max(1, len(text) - NGRAM + 1))}


def find_ours(texts: list[str], threshold: float) -> set[int]:
    return {later for _, later, _ in near_pairs(texts, threshold)}


def find_theirs(
    texts: list[str], threshold: float, permutations: int = PERMUTATIONS
) -> tuple[set[int], set[tuple[int, int]]]:
    """Texts that an earlier one is near to, by datasketch's estimate from so many permutations; and all candidates."""
    rows = rows_per_band(threshold)
    index = MinHashLSH(params=(PERMUTATIONS // rows, rows), num_perm=permutations)
    sketches: list[MinHash] = []
    near, candidates = set(), set()
    for place, text in enumerate(texts):
        sketch = MinHash(num_perm=permutations)
        sketch.update_batch([gram.encode() for gram in ngrams(text)])
        for found in index.query(sketch):
            candidates.add((found, place))
            if sketch.jaccard(sketches[found]) >= threshold:
                near.add(place)
        index.insert(place, sketch)
        sketches.append(sketch)
    return near, candidates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=5000)
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    texts = make_texts(given.texts)
    find_ours(texts[:50], given.threshold)
    start = time.process_time()
    ours = find_ours(texts, given.threshold)
    middle = time.process_time()
    estimated, candidates = find_theirs(texts, given.threshold)
    end = time.process_time()
    finer, _ = find_theirs(texts, given.threshold, FINER)
    grams = [ngrams(text) for text in texts]
    true = {b for a, b in candidates if len(grams[a] & grams[b]) / len(grams[a] | grams[b]) >= given.threshold}

    def agreement(theirs: set[int]) -> float:
        return 1 - len(ours ^ theirs) / len(texts)

    results: dict[str, Any] = {
        "date": date.today().isoformat(),
        "versions": {name: version(name) for name in ("rensa", "datasketch", "numpy")},
        "texts": len(texts),
        "threshold": given.threshold,
        "near": {
            "tuneloop": len(ours),
            "datasketch": len(estimated),
            "datasketch, candidates judged exactly": len(true),
        },
        "agreement": {
            "with datasketch": agreement(estimated),
            f"with datasketch, estimate from {FINER} permutations": agreement(finer),
            "with its candidates judged exactly": agreement(true),
        },
        "cpu_seconds": {"tuneloop": middle - start, "datasketch": end - middle},
        "times_faster": (end - middle) / (middle - start),
    }
    print(json.dumps(results, indent=2))
    if given.save:
        target = Path(__file__).parent / "results" / "near_duplicates.json"
        target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
