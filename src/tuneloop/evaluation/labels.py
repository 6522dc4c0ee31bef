"""Judging labels: which one an answer means, and F1 over all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from tuneloop.evaluation.metrics import normalised
from tuneloop.evaluation.statistics import Array
from tuneloop.text.words import has_han


def parse_label(said: str, labels: Sequence[str]) -> str | None:
    """The label that an answer means: the one that it is, else the only one that it mentions.

    Args:
        said: an answer; models that are not held to the labels write more than one word.
        labels: the label set.

    >>> parse_label("The intent is card_lost.", ["card", "card_lost"])
    'card_lost'
    >>> parse_label("card or limit", ["card", "limit"]) is None
    True
    """
    wanted = normalised(said)
    for label in labels:
        if normalised(label) == wanted:
            return label
    # The longest first, and what one label took is gone: "card_lost" does not mention "card" as well.
    found = []
    for label in sorted(labels, key=len, reverse=True):
        pattern = re.escape(normalised(label))
        if not has_han(label):
            pattern = rf"(?<![\w]){pattern}(?![\w])"
        if re.search(pattern, wanted):
            found.append(label)
            wanted = re.sub(pattern, " ", wanted)
    return found[0] if len(found) == 1 else None


def label_statistics(predictions: Sequence[str | None], references: Sequence[str]) -> Array:
    """What macro F1 sums over rows: for each label that occurs as a reference, hits, predictions and references.

    Returns:
        Shape `(n, 3 k)` for k labels, in alphabetical order.
    """
    labels = {label: place for place, label in enumerate(sorted(set(references)))}
    rows = np.zeros((len(references), len(labels), 3))
    for place, (predicted, expected) in enumerate(zip(predictions, references, strict=True)):
        rows[place, labels[expected], 2] = 1
        if predicted in labels:
            rows[place, labels[predicted], 1] = 1
        if predicted == expected:
            rows[place, labels[expected], 0] = 1
    return rows.reshape(len(references), -1)


def macro_f1(sums: Array) -> Array:
    """Mean F1 of the labels that occur, from sums of `label_statistics` of shape `(..., 3 k)`.

    Equal to scikit-learn's with `labels` set to those of the references. In a resample a label that neither occurs nor
    is predicted does not count.
    """
    hits, predicted, expected = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
    whole = predicted + expected
    each = np.where(whole > 0, 2 * hits / np.maximum(whole, 1e-9), 0.0)
    value: Array = each.sum(axis=-1) / np.maximum((whole > 0).sum(axis=-1), 1)
    return value
