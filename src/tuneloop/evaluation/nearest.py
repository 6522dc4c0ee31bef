"""The training sample whose question is nearest: the template arm that a tuned model must beat where values are new.

Nearness is the cosine of tf-idf weighted character n-grams, which works for English and Chinese alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tuneloop.core.records import Message, Sample
from tuneloop.text.normalise import question_key

GRAMS = (2, 4)
"""Characters of the shortest and the longest n-gram."""


def nearest_in(samples: Sequence[Sample]) -> Callable[[Sequence[Message]], Sample]:
    """A function that finds the nearest of these samples; of equally near ones the first.

    Args:
        samples: the training split, not empty.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=GRAMS, preprocessor=question_key, sublinear_tf=True)
    known = vectorizer.fit_transform([_asked(sample.prompt) for sample in samples])

    def nearest(messages: Sequence[Message]) -> Sample:
        likeness = known @ vectorizer.transform([_asked(messages)]).T
        return samples[int(likeness.toarray().argmax())]

    return nearest


def _asked(messages: Sequence[Message]) -> str:
    """The last question, and what stood before it at a distance: a space that no n-gram of both spans usefully."""
    return "\n".join(message.content for message in messages if message.role == "user") or "?"
