"""The report's section about conversations: what the answers still have of what customers said turns before."""

from __future__ import annotations

from collections.abc import Iterator

from tuneloop.core.messages import Language, text
from tuneloop.evaluation.carrying import DEEPEST
from tuneloop.evaluation.results import Results
from tuneloop.evaluation.wording import arm_label, show_bound, show_difference, show_figure, show_p
from tuneloop.store.page import Block, Section, Table

SHARE = "exact_match"
"""Shown as this metric is: a share."""


def carried_section(results: Results, language: Language | None) -> Iterator[Section]:
    """Values carried over by turn and by distance: every arm with its interval, and the differences with theirs."""
    if not results.carried:
        return
    blocks: list[Block] = [_shares(results, language)]
    if any(carried.comparisons for carried in results.carried.values()):
        blocks.append(_differences(results, language))
    yield Section(text("evaluation.carried.title", language), tuple(blocks))


def _shares(results: Results, language: Language | None) -> Table:
    arms = list(results.arms)
    columns = (
        text("evaluation.carried.where", language),
        text("evaluation.carried.values", language),
        *(arm_label(arm, language) for arm in arms),
    )
    rows = tuple(
        (
            _where(name, language),
            str(carried.arms[arms[0]].n),
            *(show_figure(SHARE, carried.arms[arm]) for arm in arms),
        )
        for name, carried in results.carried.items()
    )
    return Table(columns, rows, text("evaluation.carried.caption", language))


def _differences(results: Results, language: Language | None) -> Table:
    columns = (
        text("evaluation.carried.where", language),
        *(text(f"evaluation.table.{name}", language) for name in ("comparison", "difference")),
        text("evaluation.carried.p", language),
    )
    rows = tuple(
        (
            _where(name, language),
            text("evaluation.table.versus", language, a=arm_label(one.a, language), b=arm_label(one.b, language)),
            f"{show_difference(SHARE, one.difference, language)} "
            f"({show_bound(SHARE, one.low)} … {show_bound(SHARE, one.high)})",
            show_p(one.p).removeprefix("= "),
        )
        for name, carried in results.carried.items()
        for one in carried.comparisons
    )
    return Table(columns, rows, text("evaluation.carried.differences", language))


def _where(name: str, language: Language | None) -> str:
    """The name of a line: a turn of the conversation, or how long ago the customer said it."""
    kind, _, depth = name.partition("=")
    key = "last" if int(depth) >= DEEPEST else {"ago=0": "now", "ago=1": "before"}.get(name, "one")
    return text(f"evaluation.carried.{kind}_{key}", language, depth=depth)
