"""Another model's opinion: which of two answers is better? Asked twice with the answers' places swapped.

Judges favour a place, long answers and their own style, so that an opinion counts only when it survives the swap; how
often it does is reported, and the verdict never rests on it. The rows and both answers are sent to the server that the
recipe names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tuneloop.core.hashing import hash_value
from tuneloop.core.messages import Language, text
from tuneloop.core.records import Comparison, Message, Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.arms import TUNED
from tuneloop.evaluation.bench import BASE, Consult, share_of
from tuneloop.evaluation.config import JudgeConfig
from tuneloop.evaluation.results import Probe
from tuneloop.evaluation.rows import asked_of, choose
from tuneloop.evaluation.scoring import Rows
from tuneloop.evaluation.significance import mcnemar
from tuneloop.evaluation.statistics import paired_shares

_THOUGHT = re.compile(r"<think>.*?(</think>|$)", re.DOTALL)
_CHOICE = re.compile(r"(?<![A-Za-z])([ABC])(?![A-Za-z])")


def read_choice(said: str) -> str | None:
    """What a judge chose: A, B, or C for equally good; None when its words hold no choice or several.

    >>> read_choice("**A**"), read_choice("<think>B? No.</think>C."), read_choice("A or B"), read_choice("Both")
    ('A', 'C', None, None)
    """
    found = set(_CHOICE.findall(_THOUGHT.sub("", said)))
    return found.pop() if len(found) == 1 else None


def judge_answers(
    rows: Rows,
    baseline: Sequence[Answer],
    judged: Sequence[Answer],
    config: JudgeConfig,
    consult: Consult,
    language: Language,
) -> Probe:
    """Let a judge compare two arms on some rows.

    Args:
        rows: what was asked.
        baseline: the base model's answers, in the order of the rows.
        judged: the tuned model's.
        config: the recipe's `evaluation.judge:`.
        consult: asks the server.
        language: of the instructions.

    Returns:
        For the tuned arm the shares of rows that it `won`, `lost` and `tied` (an opinion that changed with the places is a
        tie), how often both orders `agreed`, how often the `first` place was chosen where one was, and `unread` opinions.
        No `loss`: the gate does not ask a judge.
    """
    places = {row.id: place for place, row in enumerate(rows.samples)}
    chosen = choose(rows.samples, config.rows, rows.seed)
    asked: dict[str, tuple[Message, ...]] = {}
    keys: list[str] = []
    for row in chosen:
        pair = baseline[places[row.id]].text, judged[places[row.id]].text
        for first, second in (pair, pair[::-1]):
            messages = _question(row, first, second, language)
            keys.append(hash_value([message.model_dump() for message in messages]))
            asked[keys[-1]] = messages
    said = consult(config.url, asked, text("evaluation.probe.judge"))
    choices = [read_choice(said[key]) for key in keys]
    return _probe(list(zip(choices[::2], choices[1::2], strict=True)), config.url)


def _probe(pairs: Sequence[tuple[str | None, str | None]], url: str) -> Probe:
    """The figures of opinions: in each pair the judged arm stood second, then first."""
    won, lost = ([float(pair == wanted) for pair in pairs] for wanted in (("B", "A"), ("A", "B")))
    each = [choice for pair in pairs for choice in pair]
    decided = [float(choice == "A") for choice in each if choice in ("A", "B")]
    agreed = [float(pair in (("B", "A"), ("A", "B"), ("C", "C"))) for pair in pairs]
    figures = {
        "won": won,
        "lost": lost,
        "tied": [1.0 - a - b for a, b in zip(won, lost, strict=True)],
        "agreed": agreed,
        "first": decided or [0.0],
        "unread": [float(choice is None) for choice in each],
    }
    interval = paired_shares(lost, won)
    difference = Comparison(
        a=BASE,
        b=TUNED,
        metric="judge",
        difference=interval.value,
        low=interval.low,
        high=interval.high,
        p=mcnemar(lost, won),
    )
    return Probe(
        arms={TUNED: {name: share_of(values) for name, values in figures.items()}},
        comparisons=(difference,),
        details={"rows": len(pairs), "url": url},
    )


def _question(row: Sample, first: str, second: str, language: Language) -> tuple[Message, ...]:
    shown = text(
        "evaluation.judge_question",
        language,
        question=asked_of(row),
        reference=row.answer,
        first=first or text("evaluation.report.empty_answer", language),
        second=second or text("evaluation.report.empty_answer", language),
    )
    order = Message(role="system", content=text("evaluation.judge_order", language))
    return order, Message(role="user", content=shown)
