"""`model: auto`: which adapter a question belongs to, by the questions that each adapter was trained on.

Character n-grams, logistic regression over the adapters and a class of general questions, and a floor: what is a general
question, or not near enough to any training question of the chosen adapter, is nobody's. Kept as JSON and safetensors with
its accuracy on held-out questions.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

from tuneloop.core.errors import CorruptError
from tuneloop.core.records import Record

FORMAT = 2
FEATURES = 2**16
MOST_QUESTIONS = 2000
"""Questions of one adapter that are looked at."""
HELD_OUT = 0.15
REFUSED = 0.015
"""Share of an adapter's own questions that its floor may turn away."""
FEW = 5
"""A floor that so many questions speak for is halved."""
LEAST_PROBABILITY = 0.5
GENERAL = 1.5
"""Added to the logit of general questions: they are endless, and those that the router was fitted on are few."""
LONGEST = 2000
"""Characters of a conversation that are looked at, from its end."""

_HASH = HashingVectorizer(
    analyzer="char_wb", ngram_range=(1, 3), n_features=FEATURES, alternate_sign=False, norm=None, dtype=np.float32
)


class Route(Record):
    """A decision."""

    name: str | None
    """The adapter; None: none of them."""
    score: float
    """Probability of the adapter that is nearest, among those that may be used."""
    similarity: float
    """Cosine to its nearest training question."""
    reason: str
    """`chosen`, `general` (a question of no domain), `unlike` (no training question is near enough), `unsure`, or `none`
    (there is nothing to choose from)."""


@dataclass(frozen=True)
class Router:
    """A fitted router."""

    names: tuple[str, ...]
    accuracy: float
    """Share of held-out questions that go to the adapter they belong to; those that are turned away count as wrong."""
    held_out: int
    floors: tuple[float, ...]
    """Least similarity, for each adapter."""
    weights: np.ndarray[Any, np.dtype[np.float32]]
    """[adapters and one row for general questions, features]"""
    bias: np.ndarray[Any, np.dtype[np.float32]]
    idf: np.ndarray[Any, np.dtype[np.float32]]
    questions: csr_matrix
    """[questions, features], rows of length 1."""
    owners: np.ndarray[Any, np.dtype[np.int32]]
    """Adapter of each question."""

    def choose(self, question: str, allowed: Collection[str]) -> Route:
        """Choose among the adapters that may be used; no other one is ever named.

        Args:
            question: what was asked.
            allowed: names.
        """
        places = [place for place, name in enumerate(self.names) if name in allowed]
        if not places:
            return Route(name=None, score=0.0, similarity=0.0, reason="none")
        seen = _features([question[-LONGEST:]], self.idf)
        classes = [*places, len(self.names)]  # general questions are the last row
        logits = (seen @ self.weights[classes].T)[0] + self.bias[classes]
        logits[-1] += GENERAL
        odds = np.exp(logits - logits.max())
        odds /= odds.sum()
        best = int(np.argmax(odds[:-1]))
        place = places[best]
        own = self.questions[np.flatnonzero(self.owners == place)]
        similarity = float((own @ seen.T).max()) if own.shape[0] else 0.0
        score = float(odds[best])
        if odds[-1] > score:
            reason = "general"
        elif similarity < self.floors[place]:
            reason = "unlike"
        else:
            reason = "unsure" if score < LEAST_PROBABILITY else "chosen"
        name = self.names[place] if reason == "chosen" else None
        return Route(name=name, score=round(score, 4), similarity=round(similarity, 4), reason=reason)

    def save(self, folder: Path) -> None:
        """Write `router.json` and `router.safetensors` into a folder."""
        tensors = {"weights": self.weights, "bias": self.bias, "idf": self.idf, "owners": self.owners}
        rows = {"data": self.questions.data, "indices": self.questions.indices, "indptr": self.questions.indptr}
        save_file({**tensors, **rows}, folder / "router.safetensors")
        about = {"format": FORMAT, "names": self.names, "accuracy": self.accuracy, "held_out": self.held_out}
        about["floors"] = self.floors
        (folder / "router.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load_router(folder: Path) -> Router:
    """Read what `Router.save` wrote.

    Raises:
        CorruptError: it is something else (code `store.file_differs`).
    """
    try:
        about = json.loads((folder / "router.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "router.safetensors")
        shape = (len(tensors["owners"]), FEATURES)
        questions = csr_matrix((tensors["data"], tensors["indices"], tensors["indptr"]), shape=shape)
        return Router(
            names=tuple(about["names"]),
            accuracy=about["accuracy"],
            held_out=about["held_out"],
            floors=tuple(about["floors"]),
            weights=tensors["weights"],
            bias=tensors["bias"],
            idf=tensors["idf"],
            questions=questions,
            owners=tensors["owners"],
        )
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise CorruptError("store.file_differs", file=folder) from error


def fit_router(questions: Mapping[str, Sequence[str]], general: Sequence[str], *, seed: int = 0) -> Router:
    """Fit a router.

    Args:
        questions: training questions of each adapter.
        general: questions that belong to none of them.
        seed: decides which questions are held out.
    """
    random = np.random.default_rng(seed)
    names = tuple(sorted(name for name, asked in questions.items() if asked))
    fitted: list[str] = []
    owners: list[int] = []
    held: list[tuple[str, int]] = []
    for place, name in enumerate(names):
        asked = list(dict.fromkeys(text[-LONGEST:] for text in questions[name]))
        asked = [asked[i] for i in random.permutation(len(asked))[:MOST_QUESTIONS]]
        kept = max(1, round(len(asked) * (1 - HELD_OUT)))
        fitted += asked[:kept]
        owners += [place] * kept
        held += [(text, place) for text in asked[kept:]]
    if not fitted:
        nothing = np.zeros((1, FEATURES), np.float32)
        rows, owned = csr_matrix((0, FEATURES), dtype=np.float32), np.zeros(0, np.int32)
        return Router((), 0.0, 0, (), nothing, np.zeros(1, np.float32), np.ones(FEATURES, np.float32), rows, owned)
    counts = _HASH.transform(fitted)
    seen_in = np.bincount(counts.indices, minlength=FEATURES)
    idf = (np.log((1 + len(fitted)) / (1 + seen_in)) + 1).astype(np.float32)
    rows, owned = _features(fitted, idf), np.array(owners, dtype=np.int32)
    weights, bias = _regression(rows, owned, _features(general, idf), len(names))
    router = Router(names, 0.0, len(held), (0.0,) * len(names), weights, bias, idf, rows, owned)
    return _judged(router, held)


def _judged(router: Router, held: Sequence[tuple[str, int]]) -> Router:
    """Floors and accuracy from the questions that were held out."""
    floors = tuple(_floor(router.questions[np.flatnonzero(router.owners == p)]) for p in range(len(router.names)))
    judge = replace(router, floors=floors)
    right = sum(judge.choose(text, judge.names).name == judge.names[place] for text, place in held)
    return replace(judge, accuracy=right / len(held) if held else 0.0)


def _floor(rows: csr_matrix) -> float:
    """Similarity to the nearest other question that all but a few of an adapter's questions reach; less for few of them."""
    count = rows.shape[0]
    if count < 2:
        return 0.0
    nearest = []
    for start in range(0, count, 256):
        near = (rows[start : start + 256] @ rows.T).toarray()
        near[np.arange(len(near)), np.arange(start, start + len(near))] = 0.0
        nearest.append(near.max(axis=1))
    least = float(np.quantile(np.concatenate(nearest), REFUSED))
    return round(least * int(count) / (int(count) + FEW), 4)


def _regression(rows: csr_matrix, owners: Any, general: csr_matrix, count: int) -> tuple[Any, Any]:
    """Weights [count + 1, features] and bias [count + 1]; the last are those of general questions."""
    everything = vstack([rows, general]).tocsr()
    classes = np.concatenate([owners, np.full(general.shape[0], count, dtype=np.int32)])
    model = LogisticRegression(C=10.0, max_iter=200, class_weight="balanced").fit(everything, classes)
    weights, bias = model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
    if count == 1:  # scikit-learn has one row for two classes
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return np.ascontiguousarray(weights), bias


def _features(texts: Sequence[str], idf: Any) -> csr_matrix:
    """[texts, features], rows of length 1."""
    counts = csr_matrix(_HASH.transform(texts), dtype=np.float32)
    counts.data = (1 + np.log(counts.data)) * idf[counts.indices]
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1))).ravel()
    counts.data /= np.repeat(np.maximum(lengths, 1e-9), np.diff(counts.indptr)).astype(np.float32)
    return counts
