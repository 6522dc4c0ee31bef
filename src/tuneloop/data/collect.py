"""From sources to clean samples: every row becomes a sample or goes to quarantine; none is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal, cast

from tuneloop.core.errors import DataError
from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Meta, Rejected, Sample, Split
from tuneloop.data.clean import FLAGS, Rules, active_rules, clean_turns
from tuneloop.data.cleaning.custom import TooSlow
from tuneloop.data.config import DataConfig
from tuneloop.data.conversation import make_conversation
from tuneloop.data.readers import Row, open_rows
from tuneloop.data.readers.rows import first_rows, reject
from tuneloop.data.shapes import SHAPES, Layout, find_layout, rejected_answer
from tuneloop.data.sources import GRAMMAR_ROWS, Source
from tuneloop.data.tally import Tally
from tuneloop.data.turns import BadRow, text_of
from tuneloop.text.language import detect_language

PEEK = 200
"""Rows that a guess is made from."""

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "训练": "train",
    "训练集": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "eval": "validation",
    "验证": "validation",
    "验证集": "validation",
    "test": "test",
    "测试": "test",
    "测试集": "test",
}
"""What the values of a `split` column may be."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A clean sample, with the side that its source puts it on (None: it is divided)."""

    sample: Sample
    own: Split | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that was looked at: how many rows about, and what its columns hold (None for a grammar)."""

    source: Source
    total: int
    layout: Layout | None
    headerless: bool
    rows: Iterator[Row | Rejected]


def open_source(source: Source) -> Opened:
    """Open a file and find its shape from the first rows.

    Raises:
        DataError: the file can't be read, holds no row (code `data.no_rows`), or its columns can't be made out.
    """
    assert source.file is not None
    opened = open_rows(source.file, source.config.sheet)
    rows = islice(opened.rows, source.config.rows)
    first = first_rows(rows, PEEK)
    readable = [row.values for row in first if isinstance(row, Row)]
    if not first:
        raise DataError("data.no_rows", file=source.path)
    if not readable:
        bad = cast(Rejected, first[0])
        raise DataError("data.no_row_readable", file=source.path, row=bad.row, reason=bad.reason)
    layout = find_layout(source.name, readable, source.config.columns, source.info)
    total = min(opened.total, source.config.rows or opened.total)
    return Opened(source, total, layout, opened.headerless, chain(first, rows))


def draw_file(
    opened: Opened, config: DataConfig, language: str, tally: Tally, progress: Progress = SILENT
) -> Iterator[Drawn]:
    """Read, clean and check the rows of a file.

    Args:
        opened: the file.
        config: the recipe's data section.
        language: language of a sample whose own can't be told.
        tally: counts what happens; rejected rows are put into it.
        progress: gets a bar.
    """
    source, layout = opened.source, opened.layout
    assert layout is not None
    rules = active_rules(config.clean, language)
    with progress.track(text("data.progress.reading", file=source.name), opened.total, "rows") as tracker:
        for row in opened.rows:
            tally.read += 1
            tracker.advance()
            if isinstance(row, Rejected):
                tally.quarantine.add(row)
                continue
            try:
                drawn = _draw(row, source, layout, config.system, rules, language, tally)
            except BadRow as bad:
                tally.quarantine.add(reject(source, row.number, bad.code, row.values, **bad.values))
                continue
            if drawn is not None:
                yield drawn


def draw_grammar(
    source: Source, config: DataConfig, language: str, seed: int, tally: Tally, progress: Progress = SILENT
) -> Iterator[Drawn]:
    """Make the samples of a built-in grammar; they are clean, and stand on the side that the grammar decides."""
    from tuneloop.data.grammar import make_samples

    rows = source.config.rows or GRAMMAR_ROWS
    made = make_samples(cast(str, source.config.grammar), cast(Literal["en", "zh"], language), rows, seed)
    with progress.track(text("data.progress.making", name=source.name), rows, "rows") as tracker:
        for sample, split in made:
            tally.read += 1
            tracker.advance()
            if config.system and sample.messages[0].role != "system":
                messages, _ = make_conversation([(m.role, m.content) for m in sample.messages], config.system)
                sample = sample.model_copy(update={"messages": messages})
            yield Drawn(sample, source.config.split or split)


def _draw(
    row: Row, source: Source, layout: Layout, system: str | None, rules: Rules, language: str, tally: Tally
) -> Drawn | None:
    """Make one sample of a row; None when a cleaning rule removes it.

    Raises:
        BadRow: the row can't be used; nothing was counted for it.
    """
    fields = layout.fields(row.values)
    if fields.get("good") is False:
        raise BadRow("data.marked_bad", column=layout.columns["good"])
    try:
        cleaned = clean_turns(SHAPES[layout.shape].build(fields), rules)
        rejected = next((text for _, text in clean_turns(rejected_answer(fields), rules).turns), None)
    except TooSlow as slow:
        raise BadRow("data.row_rule_too_slow", rule=slow.rule) from slow
    messages, applied = make_conversation(cleaned.turns, system)
    own = source.config.split or _own_split(fields, layout)
    spoken = "\n".join(message.content for message in messages if message.role != "system")
    if cleaned.removed is not None:
        rule, shown = cleaned.removed
        tally.remove(rule)
        tally.show(rule, source.name, row.number, shown)
        return None
    tags = layout.tags(row.values) | ({FLAGS: ",".join(cleaned.flags)} if cleaned.flags else {})
    meta = Meta(source=source.name, row=row.number, lang=detect_language(spoken) or language, tags=tags)
    for rule, (before, after) in cleaned.changes.items():
        tally.change(rule, source.name, row.number, before, after)
    for rule, found in cleaned.flags.items():
        tally.flag(rule, source.name, row.number, found)
    for rule in applied:
        tally.change(rule, source.name, row.number)
    sample = Sample(id=source.sample_id(row.number), messages=messages, meta=meta, rejected=rejected)
    return Drawn(sample, own)


def _own_split(fields: Mapping[str, Any], layout: Layout) -> Split | None:
    """The side that a `split` column names; nothing there means that the row is divided."""
    value = text_of(fields.get("split"), "split").strip().lower()
    if not value:
        return None
    if value not in SPLIT_NAMES:
        raise BadRow("data.split_unknown", column=layout.columns["split"], value=value[:40])
    return SPLIT_NAMES[value]
