"""What happened to the rows: counted while they pass, shown in the report."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuneloop.core.messages import text
from tuneloop.core.records import Record, Rejected
from tuneloop.data.mask import Masker
from tuneloop.data.readers.rows import SHOWN as ROW_SHOWN

EXAMPLES = 5
SHOWN = 240
"""Characters of a text that an example shows."""
FIRST = 20
"""Rows in quarantine that the report shows."""


class Example(Record):
    """A text before and after a rule; for a rule that removes, the text removed and the one that stays."""

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


class Quarantine:
    """Rows that can't be used: written to a file as they come; only counts and the first ones are kept.

    Args:
        masker: masks what is kept of a row.
        path: file that gets one JSON object a line; rows are only counted when None.
    """

    def __init__(self, masker: Masker, path: Path | None) -> None:
        self._masker = masker
        self._file = None if path is None else path.open("w", encoding="utf-8", newline="\n")
        self.counts: Counter[str] = Counter()
        self.first: list[Rejected] = []
        self.of_source: Counter[str] = Counter()
        """Reasons (codes) of the source that is being read."""
        self.first_of_source: defaultdict[str, list[Rejected]] = defaultdict(list)

    def begin(self) -> None:
        """A new source is read."""
        self.of_source.clear()
        self.first_of_source.clear()

    def add(self, row: Rejected) -> None:
        """Set a row aside, masked."""
        cut = len(row.text) >= ROW_SHOWN
        kept = self._masker.hide_cut(row.text) if cut else self._masker.hide(row.text)
        reason = self._masker.hide(row.reason)
        row = row.model_copy(update={"text": kept, "reason": reason, "values": self._values(row, reason)})
        if self._file is not None:
            self._file.write(json.dumps(row.model_dump(), ensure_ascii=False) + "\n")
        self.counts[row.code] += 1
        self.of_source[row.code] += 1
        if len(self.first) < FIRST:
            self.first.append(row)
        if len(shown := self.first_of_source[row.code]) < EXAMPLES:
            shown.append(row)

    def _values(self, row: Rejected, reason: str) -> dict[str, Any] | None:
        """The values of a reason, masked; None where one is personal only beside the words around it."""
        if row.values is None:
            return None
        values = {
            name: self._masker.hide(value) if isinstance(value, str) else value for name, value in row.values.items()
        }
        return values if text(row.code, **values) == reason else None

    @property
    def rows(self) -> int:
        return self.counts.total()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


@dataclass(slots=True)
class Tally:
    """Counts of one preparation. `read = kept + quarantined + removed by rules`, always."""

    rules: dict[str, RuleCount]
    quarantine: Quarantine
    masker: Masker
    """Masks the texts of examples."""
    read: int = 0

    @classmethod
    def of(cls, rules: Iterable[str], masker: Masker, quarantine: Path | None = None) -> Tally:
        return cls({name: RuleCount() for name in rules}, Quarantine(masker, quarantine), masker)

    def change(self, rule: str, source: str, row: int, before: str = "", after: str = "") -> None:
        """Count one changed sample, and keep the first few as examples."""
        count = self.rules[rule]
        count.changed += 1
        if len(count.examples) < EXAMPLES and before != after:
            count.examples.append(_example(source, row, self.masker.hide(before), self.masker.hide(after)))

    def remove(self, rule: str, count: int = 1) -> None:
        """Count removed samples."""
        self.rules[rule].removed += count

    def show(self, rule: str, source: str, row: int, removed: str, stays: str = "") -> None:
        """Show a removed text, and the one that stays in its place."""
        examples = self.rules[rule].examples
        if len(examples) < EXAMPLES and removed:
            removed, stays = self.masker.hide(removed), self.masker.hide(stays)
            shown = _example(source, row, removed, stays) if stays else None
            examples.append(shown or Example(source=source, row=row, before=removed[:SHOWN], after=""))

    def flag(self, rule: str, source: str, row: int, found: str) -> None:
        """Count one flagged sample; an example shows what was found."""
        count = self.rules[rule]
        count.flagged += 1
        if len(count.examples) < EXAMPLES:
            count.examples.append(Example(source=source, row=row, before=self.masker.hide(found)[:SHOWN], after=""))


def _example(source: str, row: int, before: str, after: str) -> Example:
    """Show the place where two texts begin to differ."""
    common = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    start = max(0, common - 40)
    mark = "…" if start else ""
    shown = (
        mark + text[start : start + SHOWN] + ("…" if len(text) > start + SHOWN else "") for text in (before, after)
    )
    return Example(source=source, row=row, before=next(shown), after=next(shown))
