"""From the sources to the spool: every row is read, cleaned and checked, and becomes a sample or goes to quarantine."""

from __future__ import annotations

from collections.abc import Sequence

from tuneloop.core.errors import DataError
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.core.records import Rejected
from tuneloop.data.advice import shown_columns
from tuneloop.data.collect import Opened, draw_file, draw_grammar, open_source
from tuneloop.data.config import DataConfig
from tuneloop.data.report import SourceReport
from tuneloop.data.sources import Source
from tuneloop.data.spool import Spool
from tuneloop.data.tally import Quarantine, Tally

MARKED_BAD = "data.marked_bad"

ALL_OF_THEM = {"data.answer_empty": "data.answers_all_empty", "data.question_empty": "data.questions_all_empty"}
"""A reason that all rows of a file share says more about the file than about its rows."""


def gather(
    sources: Sequence[Source],
    config: DataConfig,
    spool: Spool,
    tally: Tally,
    *,
    language: str,
    seed: int,
    progress: Progress,
    foreign: bool = False,
) -> tuple[SourceReport, ...]:
    """Read all sources into the spool, and say how each was understood.

    Args:
        sources: the sources.
        config: the recipe's data section.
        spool: gets the samples.
        tally: counts what happens.
        language: language of a sample whose own can't be told.
        seed: seed of what grammars make.
        progress: gets a bar for each source and a note for each guess.
        foreign: the sources are evaluation sets that are only compared with.
    Raises:
        DataError: a source can't be used, or too many of its rows can't (code `data.too_many_quarantined` or
            `data.answers_all_empty`).
    """
    described = []
    for source in sources:
        tally.quarantine.begin()
        for note in source.notes:
            progress.note(note)
        before = tally.read
        if source.path is None:
            described.append(_describe_grammar(source))
            drawn = draw_grammar(source, config, language, seed, tally, progress)
        else:
            opened = open_source(source)
            described.append(_describe(opened))
            _tell_guess(described[-1], progress)
            drawn = draw_file(opened, config, language, tally, progress)
        for item in drawn:
            own = "test" if foreign else item.own
            spool.add(item.sample, own, foreign=foreign, made=source.path is None)
        if source.path is not None:
            _check_quarantine(source, tally.quarantine, tally.read - before, config.max_quarantined)
    return tuple(described)


def _check_quarantine(source: Source, quarantine: Quarantine, read: int, limit: float) -> None:
    """Refuse a file of which more than the allowed share can't be used.

    Answers that the file itself marks as bad are no sign of a wrong file, and don't count.
    """
    counts = quarantine.of_source
    bad = counts.total() - counts[MARKED_BAD]
    if bad <= limit * read and counts.total() < read:
        return
    assert source.path is not None
    reasons = [code for code, count in counts.items() if count]
    if counts.total() == read and len(reasons) == 1 and (code := ALL_OF_THEM.get(reasons[0])):
        raise DataError(code, file=source.path, rows=read)
    shown = [rows for code, rows in quarantine.first_of_source.items() if rows and (code != MARKED_BAD or not bad)]
    raise DataError(
        "data.too_many_quarantined",
        file=source.path,
        bad=bad or counts.total(),
        read=read,
        limit=f"{limit:.0%}",
        reasons=" ".join(text("data.row_reason", number=row.row, reason=row.reason) for row in _first_of_each(shown)),
    )


def _first_of_each(rows: Sequence[Sequence[Rejected]], limit: int = 3) -> list[Rejected]:
    """A few rows that show as many different reasons as there are."""
    others = sorted((row for same in rows for row in same[1:]), key=lambda row: row.row)
    return [*(same[0] for same in rows), *others][:limit]


def _describe(opened: Opened) -> SourceReport:
    source, layout = opened.source, opened.layout
    assert layout is not None
    return SourceReport(
        name=source.name,
        sha256=source.sha256,
        shape=layout.shape,
        columns=layout.columns,
        how=layout.how,
        found=layout.found,
        headerless=opened.headerless,
    )


def _describe_grammar(source: Source) -> SourceReport:
    return SourceReport(name=source.name, sha256=source.sha256, shape="grammar", columns={}, how="grammar")


def _tell_guess(source: SourceReport, progress: Progress) -> None:
    if source.how in ("names", "content", "label"):
        progress.note(text(f"data.guess.{source.how}", file=source.name, columns=shown_columns(source)))
