"""What the customer said some turns ago: does the answer still have it? Base against tuned, by turn and by distance.

A *value* is what a reference repeats out of the customer's own turns: a slot of the row's tags, a number, a date, an
address, a name. Each counts once, as carried over or not; values of one conversation hang together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tuneloop.core.records import Comparison, Sample
from tuneloop.evaluation.clusters import design_effect
from tuneloop.evaluation.comparison import pairs_of
from tuneloop.evaluation.facts import claims
from tuneloop.evaluation.results import Carried
from tuneloop.evaluation.scoring import Rows, Scored, share
from tuneloop.evaluation.script_case import holds_value
from tuneloop.evaluation.significance import mcnemar, permutation
from tuneloop.evaluation.statistics import by_unit, paired_shares, per_row

DEEPEST = 6
"""Turns and distances from here on are counted together."""
KINDS = ("date", "address", "number")
_NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][a-z]+")
"""A Latin word with a capital that begins no sentence."""


class _Value(NamedTuple):
    """A value that an answer should repeat."""

    place: int
    """Of its row."""
    kind: str
    value: str
    turn: int
    """Which turn of the conversation the row answers, from 1 on."""
    ago: int
    """How many turns before the customer said it last; 0: in the question itself."""


def carried_table(rows: Rows, arms: Mapping[str, Scored]) -> dict[str, Carried]:
    """How much of what customers said the answers repeat, where the reference does.

    Returns:
        `turn=2`, `turn=3`, … and `ago=0`, `ago=1`, …, those of 6 and more together; empty without conversations.
    """
    values = [value for place, row in enumerate(rows.samples) for value in _values(row, place)]
    if not any(value.turn > 1 for value in values):
        return {}
    kept = {
        arm: [float(_holds(scored.answers[value.place].text, value)) for value in values]
        for arm, scored in arms.items()
    }
    groups: dict[str, list[int]] = {}
    for kind in ("turn", "ago"):
        for depth in range(DEEPEST + 1):
            places = [at for at, value in enumerate(values) if min(getattr(value, kind), DEEPEST) == depth]
            if places:
                groups[f"{kind}={depth}"] = places
    units = [rows.units[value.place] for value in values]
    return {name: _carried(places, kept, units, rows.draw) for name, places in groups.items()}


def _carried(places: Sequence[int], kept: Mapping[str, Sequence[float]], units: Sequence[str], seed: int) -> Carried:
    own = [units[place] for place in places]
    held = {arm: [values[place] for place in places] for arm, values in kept.items()}
    comparisons = []
    for a, b in pairs_of(list(kept)):
        changes = [after - before for before, after in zip(held[a], held[b], strict=True)]
        interval = paired_shares(held[a], held[b], effect=design_effect(changes, own))
        sums = [by_unit(per_row(held[arm]), own) for arm in (a, b)]
        alone = len(sums[0]) == len(own)
        p = mcnemar(held[a], held[b]) if alone else permutation(*sums, seed=seed)
        values = {"difference": interval.value, "low": interval.low, "high": interval.high, "p": p}
        comparisons.append(Comparison(a=a, b=b, metric="carried", **values))
    return Carried(arms={arm: share(values, own) for arm, values in held.items()}, comparisons=tuple(comparisons))


def _values(row: Sample, place: int) -> Iterator[_Value]:
    """What the reference repeats of the customer's turns."""
    turns = [message.content for message in row.prompt if message.role == "user"]
    wanted = {("slot", value) for tag, value in row.meta.tags.items() if tag.startswith("slot.") and value}
    wanted |= {(claim.kind, claim.value) for claim in claims(row.answer) if claim.kind in KINDS}
    wanted |= {("name", name) for name in _NAME.findall(row.answer)}
    for kind, value in sorted(wanted):
        said = [at for at, turn in enumerate(turns) if _stands(kind, value, turn)]
        if said and _stands(kind, value, row.answer):
            yield _Value(place, kind, value, turn=len(turns), ago=len(turns) - 1 - said[-1])


def _holds(answer: str, value: _Value) -> bool:
    return _stands(value.kind, value.value, answer)


def _stands(kind: str, value: str, text: str) -> bool:
    """Say whether a value stands in a text.

    >>> _stands("number", "1180", "Transfer $1,180."), _stands("name", "Maria", "to maria's account")
    (True, True)
    """
    if kind == "slot":
        return holds_value(text, value)
    if kind == "name":
        return re.search(rf"(?<![A-Za-z]){re.escape(value)}(?![A-Za-z])", text, re.IGNORECASE) is not None
    return any(claim.kind == kind and claim.value == value for claim in claims(text))
