"""What happened to the rows: counted while they pass, shown in the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tuneloop.core.records import Record, Rejected

EXAMPLES = 5
SHOWN = 240
"""Characters of a text that an example shows."""


class Example(Record):
    """A text before and after a rule."""

    source: str
    row: int
    before: str
    after: str


@dataclass(slots=True)
class RuleCount:
    """What one rule did."""

    changed: int = 0
    """Samples that it changed."""
    removed: int = 0
    """Samples that it removed."""
    flagged: int = 0
    """Samples that it flagged, and left as they are."""
    examples: list[Example] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """Counts of one preparation. `read = kept + quarantined + removed by rules`, always."""

    rules: dict[str, RuleCount]
    read: int = 0
    quarantined: list[Rejected] = field(default_factory=list)

    @classmethod
    def of(cls, rules: Iterable[str]) -> Tally:
        return cls({name: RuleCount() for name in rules})

    def change(self, rule: str, source: str, row: int, before: str = "", after: str = "") -> None:
        """Count one changed sample, and keep the first few as examples."""
        count = self.rules[rule]
        count.changed += 1
        if len(count.examples) < EXAMPLES and before != after:
            count.examples.append(_example(source, row, before, after))

    def remove(self, rule: str, source: str, row: int, text: str = "") -> None:
        """Count one removed sample."""
        count = self.rules[rule]
        count.removed += 1
        if len(count.examples) < EXAMPLES and text:
            count.examples.append(Example(source=source, row=row, before=text[:SHOWN], after=""))

    def flag(self, rule: str, source: str, row: int, found: str) -> None:
        """Count one flagged sample; an example shows what was found."""
        count = self.rules[rule]
        count.flagged += 1
        if len(count.examples) < EXAMPLES:
            count.examples.append(Example(source=source, row=row, before=found[:SHOWN], after=""))

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows went to quarantine for each reason, the most frequent first."""
        return dict(Counter(rejected.code for rejected in self.quarantined).most_common())


def _example(source: str, row: int, before: str, after: str) -> Example:
    """Show the place where two texts begin to differ."""
    common = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    start = max(0, common - 40)
    mark = "…" if start else ""
    return Example(
        source=source,
        row=row,
        before=mark + before[start : start + SHOWN],
        after=mark + after[start : start + SHOWN],
    )
