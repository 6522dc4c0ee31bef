"""From sources to the samples of each split and the report: everything between reading and writing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tuneloop.core.errors import DataError
from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import SPLITS, Rejected, Sample, Split
from tuneloop.data import report as reporting
from tuneloop.data.advice import Facts, advise, shown_columns
from tuneloop.data.clean import active_rules
from tuneloop.data.collect import Drawn, Opened, draw_file, draw_grammar, open_source
from tuneloop.data.config import DataConfig
from tuneloop.data.conversation import RULES
from tuneloop.data.duplicates import contradictions, find_duplicates, group_samples, sample_key
from tuneloop.data.report import Report, SourceReport
from tuneloop.data.sources import Source
from tuneloop.data.split import Division, divide
from tuneloop.data.tally import Tally

DUPLICATE = "exact_duplicate"
LEAK = "leak"

MARKED_BAD = "data.marked_bad"

ALL_OF_THEM = {"data.answer_empty": "data.answers_all_empty", "data.question_empty": "data.questions_all_empty"}
"""A reason that all rows of a file share says more about the file than about its rows."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """A dataset before it is written."""

    report: Report
    splits: dict[Split, list[Sample]]
    quarantined: list[Rejected]


def assemble(
    sources: Sequence[Source], config: DataConfig, *, name: str, language: str, seed: int, progress: Progress = SILENT
) -> Assembled:
    """Read, clean, deduplicate and divide.

    Raises:
        DataError: a source can't be used, too many rows can't (code `data.too_many_quarantined` or
            `data.answers_all_empty`), or too few are left (`data.too_few`, `data.no_training_rows`).
    """
    tally = Tally.of([*active_rules(config.clean, language).names, *RULES, DUPLICATE, LEAK])
    drawn: list[Drawn] = []
    described: list[SourceReport] = []
    for source in sources:
        if source.path is None:
            drawn += draw_grammar(source, config, language, seed, tally, progress)
            described.append(_describe_grammar(source))
            continue
        opened = open_source(source)
        described.append(_describe(opened))
        _tell_guess(described[-1], progress)
        before = tally.read, len(tally.quarantined)
        drawn += draw_file(opened, config, language, tally, progress)
        _check_quarantine(source, tally, before, config.max_quarantined)
    if config.deduplicate.exact:
        drawn = _without_duplicates(drawn, tally)
    division = _divide(drawn, config, seed)
    splits, leaks = _place(drawn, division, tally)
    report = _report(splits, leaks, tally, tuple(described), division, name=name, language=language, seed=seed)
    return Assembled(report, splits, tally.quarantined)


def _without_duplicates(drawn: list[Drawn], tally: Tally) -> list[Drawn]:
    duplicates = find_duplicates([sample_key(item.sample) for item in drawn], [item.own for item in drawn])
    for position in duplicates:
        sample = drawn[position].sample
        tally.remove(DUPLICATE, sample.meta.source, sample.meta.row, sample.question)
    return [item for position, item in enumerate(drawn) if position not in duplicates]


def _divide(drawn: Sequence[Drawn], config: DataConfig, seed: int) -> Division:
    """Decide each sample's side, and refuse what can't be divided."""
    samples = [item.sample for item in drawn]
    group_by = config.split.group_by
    if group_by is not None and not any(group_by in sample.meta.tags for sample in samples):
        known = sorted({tag for sample in samples for tag in sample.meta.tags})
        raise DataError("data.group_missing", group_by=group_by, known=", ".join(known) or "–")
    groups = group_samples(samples, group_by)
    own = [item.own for item in drawn]
    wants_sides = config.split.validation > 0 or config.split.test > 0
    if len(set(groups)) < 2 and set(own) == {None} and wants_sides:
        raise DataError("data.too_few", rows=len(samples), questions=len(set(groups)))
    division = divide(groups, own, config.split, seed)
    if "train" not in division.sides and set(own) != {"test"}:  # a file to be scored has test rows alone
        raise DataError("data.no_training_rows", rows=len(samples))
    return division


def _place(
    drawn: Sequence[Drawn], division: Division, tally: Tally
) -> tuple[dict[Split, list[Sample]], dict[str, int]]:
    """Put every sample on its side; what leaks is removed and counted by the side that its source named."""
    splits: dict[Split, list[Sample]] = {split: [] for split in SPLITS}
    leaks: Counter[str] = Counter()
    for item, side in zip(drawn, division.sides, strict=True):
        if side is not None:
            splits[side].append(item.sample)
            continue
        meta = item.sample.meta
        leaks[item.own or "undivided"] += 1
        tally.remove(LEAK, meta.source, meta.row, item.sample.question)
    return splits, dict(leaks)


def _check_quarantine(source: Source, tally: Tally, before: tuple[int, int], limit: float) -> None:
    """Refuse a file of which more than the allowed share can't be used.

    Answers that the file itself marks as bad are no sign of a wrong file, and don't count.
    """
    read = tally.read - before[0]
    quarantined = tally.quarantined[before[1] :]
    bad = [row for row in quarantined if row.code != MARKED_BAD]
    if len(bad) <= limit * read and len(quarantined) < read:
        return
    bad = bad or quarantined
    assert source.path is not None
    reasons = {row.code for row in quarantined}
    if len(quarantined) == read and len(reasons) == 1 and (code := ALL_OF_THEM.get(reasons.pop())):
        raise DataError(code, file=source.path, rows=read)
    raise DataError(
        "data.too_many_quarantined",
        file=source.path,
        bad=len(bad),
        read=read,
        limit=f"{limit:.0%}",
        reasons=" ".join(text("data.row_reason", number=row.row, reason=row.reason) for row in _first_of_each(bad)),
    )


def _first_of_each(rows: Sequence[Rejected], limit: int = 3) -> list[Rejected]:
    """A few rows that show as many different reasons as there are."""
    by_reason: dict[str, Rejected] = {}
    for row in rows:
        by_reason.setdefault(row.code, row)
    others = [row for row in rows if row is not by_reason[row.code]]
    return [*by_reason.values(), *others][:limit]


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


def _report(
    splits: dict[Split, list[Sample]],
    leaks: dict[str, int],
    tally: Tally,
    sources: tuple[SourceReport, ...],
    division: Division,
    *,
    name: str,
    language: str,
    seed: int,
) -> Report:
    samples = [sample for split in SPLITS for sample in splits[split]]
    facts = Facts(
        language=language,
        rows_read=tally.read,
        rows_kept=len(samples),
        rows_quarantined=len(tally.quarantined),
        splits={split: len(splits[split]) for split in SPLITS},
        rules=reporting.count_rules(tally),
        leaks=leaks,
        sources=sources,
        languages=dict(Counter(sample.meta.lang or "" for sample in samples).most_common()),
        intents=reporting.count_intents(splits),
        contradictions=reporting.describe_contradictions(samples, contradictions(samples)),
        validation_taken=division.validation_taken,
    )
    return Report(
        name=name,
        language=language,
        seed=seed,
        rows_read=facts.rows_read,
        rows_kept=facts.rows_kept,
        rows_quarantined=facts.rows_quarantined,
        rules=facts.rules,
        splits=facts.splits,
        tokens=None,
        leaks=leaks,
        sources=sources,
        quarantine=tally.reasons,
        quarantined_rows=reporting.first_quarantined(tally),
        examples=reporting.rule_examples(tally),
        characters=reporting.character_lengths(samples),
        languages=facts.languages,
        intents=facts.intents,
        dialogues=sum(sum(m.role == "user" for m in sample.messages) > 1 for sample in samples),
        contradictions=facts.contradictions,
        advice=advise(facts),
    )
