"""The report's section about conversations: what the answers still have of what customers said turns before."""

from __future__ import annotations

from collections.abc import Iterator

from tuneloop.core.messages import Language, text
from tuneloop.evaluation.carrying import DEEPEST
from tuneloop.evaluation.results import Carried, Results
from tuneloop.evaluation.wording import arm_label, show_bound, show_difference, show_figure, show_p
from tuneloop.store.page import Section, Table

SHARE = "exact_match"
"""Shown as this metric is: a share."""


def carried_section(results: Results, language: Language | None) -> Iterator[Section]:
    """Values carried over by turn and by distance, every arm with its interval and the differences with theirs."""
    if not results.carried:
        return
    first = next(iter(results.carried.values()))
    columns = (
        text("evaluation.carried.where", language),
        text("evaluation.carried.values", language),
        *(arm_label(arm, language) for arm in first.arms),
        *(
            text("evaluation.carried.difference", language, a=arm_label(one.a, language), b=arm_label(one.b, language))
            for one in first.comparisons
        ),
    )
    rows = tuple(_row(name, carried, language) for name, carried in results.carried.items())
    table = Table(columns, rows, text("evaluation.carried.caption", language))
    yield Section(text("evaluation.carried.title", language), (table,))


def _row(name: str, carried: Carried, language: Language | None) -> tuple[str, ...]:
    kind, _, depth = name.partition("=")
    key = "last" if int(depth) >= DEEPEST else "now" if name == "ago=0" else "one"
    differences = (
        f"{show_difference(SHARE, one.difference, language)} "
        f"({show_bound(SHARE, one.low)} … {show_bound(SHARE, one.high)}), p {show_p(one.p)}"
        for one in carried.comparisons
    )
    return (
        text(f"evaluation.carried.{kind}_{key}", language, depth=depth),
        str(next(iter(carried.arms.values())).n),
        *(show_figure(SHARE, figure) for figure in carried.arms.values()),
        *differences,
    )
