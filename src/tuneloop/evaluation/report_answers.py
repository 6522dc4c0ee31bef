"""The answers that changed most, side by side with their differences marked: the part of a report that convinces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from tuneloop.core.messages import Language, text
from tuneloop.evaluation.comparison import pairs_of
from tuneloop.evaluation.metrics import BINARY
from tuneloop.evaluation.results import Prediction, Results, Said
from tuneloop.evaluation.scoring import DESCRIBED
from tuneloop.evaluation.wording import arm_label, metric_label, show_value, slice_label
from tuneloop.store.page import Block, Marked, Paragraph, Section, Texts

SHOWN_ANSWERS = 10
MOST_COMPARED = 4_000_000
"""Product of two texts' lengths in words above which their differences are not looked for."""
_PIECE = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)
"""A Latin word or number, white space, or one other character: Chinese is compared character by character."""


def answers_changed(
    results: Results, predictions: Sequence[Prediction], language: Language | None
) -> Iterator[Section]:
    """The answers that the headline metric changed most, for the better and for the worse."""
    pairs = pairs_of(list(results.arms))
    if not pairs:
        return
    a, b = pairs[0]
    metric = results.headline.metric
    changes = [(_change(row, a, b, metric), row) for row in predictions]
    better = sorted((item for item in changes if item[0][0] > 0), key=lambda item: (item[0], item[1].id), reverse=True)
    worse = sorted((item for item in changes if item[0][0] < 0), key=lambda item: (item[0], item[1].id))
    for heading, chosen in (("improved", better), ("worsened", worse)):
        shown = chosen[:SHOWN_ANSWERS]
        names = {"baseline": arm_label(a, language), "metric": metric_label(metric, language)}
        counted = text(f"evaluation.report.{heading}_count", language, count=len(chosen), shown=len(shown), **names)
        blocks: list[Block] = [Paragraph(counted)]
        if shown:
            blocks.append(Paragraph(text("evaluation.report.marked", language)))
        for number, (_, row) in enumerate(shown, start=1):
            blocks += [Paragraph(_row_heading(number, row, language)), _side_by_side(row, results, language)]
        yield Section(text(f"evaluation.report.{heading}", language), tuple(blocks))


def _change(row: Prediction, a: str, b: str, metric: str) -> tuple[float, float]:
    """How much a row changed by the headline, and by the other metrics where that is equal."""
    before, after = row.arms[a].scores, row.arms[b].scores
    others = [name for name in after if name not in (metric, "ended", "perplexity", *DESCRIBED)]
    return after[metric] - before[metric], sum(after[name] - before[name] for name in others)


def _row_heading(number: int, row: Prediction, language: Language | None) -> str:
    """Number and id of a row, and what its tags say of it."""
    tags = [f"{tag}={row.tags[tag]}" for tag in ("intent", "kind") if tag in row.tags]
    unseen = ["unseen"] if row.tags.get("seen") == "no" else []
    return " · ".join([str(number), row.id, *(slice_label(name, language) for name in [*tags, *unseen])])


def _score(metric: str, score: float) -> str:
    """One row's score: right or wrong is a mark, no percentage."""
    return ("✓" if score > 0.5 else "✗") if metric in BINARY else show_value(metric, score)


def _side_by_side(row: Prediction, results: Results, language: Language | None) -> Texts:
    """One row: question, reference, and every arm's answer with its score and broken rules.

    What an answer says beside the reference is marked; in the reference, what the judged arm left out.
    """
    metric = results.headline.metric
    judged = row.arms[list(row.arms)[-1]].answer
    items: list[tuple[str, str | Marked]] = [
        (text("evaluation.report.question", language), _conversation(row, language)),
        (text("evaluation.report.reference", language), marked(row.reference, judged)),
    ]
    for arm, said in row.arms.items():
        label = text(
            "evaluation.report.answer",
            language,
            arm=arm_label(arm, language),
            metric=metric_label(metric, language),
            value=_score(metric, said.scores[metric]),
        )
        items.append((label, _answer_text(said, row.reference, language)))
    return Texts(tuple(items))


def marked(said: str, other: str) -> Marked:
    """A text with the words marked that another one does not say at that place.

    >>> marked("Call us today.", "Call us now.").pieces
    (('Call us ', False), ('today', True), ('.', False))
    """
    own, others = _PIECE.findall(said), _PIECE.findall(other)
    if len(own) * len(others) > MOST_COMPARED:
        return Marked(((said, False),))
    pieces: list[tuple[str, bool]] = []
    for kind, start, end, _, _ in SequenceMatcher(None, own, others, autojunk=False).get_opcodes():
        if end > start:
            pieces.append(("".join(own[start:end]), kind != "equal"))
    return Marked(tuple(pieces))


def _answer_text(said: Said, reference: str, language: Language | None) -> Marked:
    if not said.answer:
        shown: tuple[tuple[str, bool], ...] = ((text("evaluation.report.empty_answer", language), False),)
    else:
        shown = marked(said.answer, reference).pieces
    lines = (f"✗ {fault.rule}: {fault.message(language)}" for fault in said.violations)
    broken = "\n".join(dict.fromkeys(lines))  # a model in a loop breaks one rule with the same words many times
    return Marked(shown, broken)


def _conversation(row: Prediction, language: Language | None) -> str:
    """The question; in a conversation, everything that was said before it too."""
    said = [message for message in row.messages if message.role != "system"]
    if len(said) == 1:
        return row.question
    return "\n".join(f"{text(f'evaluation.report.role.{m.role}', language)}: {m.content}" for m in said)
