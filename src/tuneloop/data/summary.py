"""The report of a dataset, from what happened to its rows and what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tuneloop.core.records import SPLITS
from tuneloop.data.advice import Facts, advise
from tuneloop.data.augment.run import Made
from tuneloop.data.census import Census
from tuneloop.data.duplicates import contradictions
from tuneloop.data.fates import Fates
from tuneloop.data.paraphrases import asked
from tuneloop.data.report import (
    AugmentReport,
    Contradictions,
    Paraphrase,
    ParaphraseReport,
    Report,
    SourceReport,
    count_rules,
    first_quarantined,
    rule_examples,
)
from tuneloop.data.spool import Spool
from tuneloop.data.tally import Tally
from tuneloop.data.triggers import find_triggers

QUESTION_SHOWN = 200
"""Characters of a question and of an answer that an example of a contradiction shows."""


def summarise(
    spool: Spool,
    fates: Fates,
    tally: Tally,
    census: Census,
    sources: tuple[SourceReport, ...],
    against: tuple[SourceReport, ...],
    *,
    name: str,
    language: str,
    seed: int,
    made: Mapping[str, Made],
) -> Report:
    """Put the report together, advice included."""
    paraphrases = describe_paraphrases(spool, fates)
    facts = Facts(
        language=language,
        rows_read=tally.read,
        rows_kept=sum(census.rows.values()) - sum(way.added for way in made.values()),
        rows_quarantined=tally.quarantine.rows,
        splits={split: census.rows[split] for split in SPLITS},
        rules=count_rules(tally),
        leaks=dict(fates.leaks),
        sources=sources,
        languages=census.languages,
        intents=census.intents,
        contradictions=find_contradictions(spool, fates),
        validation_taken=fates.validation_taken,
        tokens=census.tokens,
        paraphrases=paraphrases,
        triggers=find_triggers(spool, fates.learnt.tolist(), fates.table.answer, language),
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
        tokens=facts.tokens,
        leaks=facts.leaks,
        sources=sources,
        against=against,
        quarantine=dict(tally.quarantine.counts.most_common()),
        quarantined_rows=first_quarantined(tally),
        examples=rule_examples(tally),
        characters=census.characters,
        languages=facts.languages,
        intents=facts.intents,
        dialogues=census.dialogues,
        contradictions=facts.contradictions,
        paraphrases=facts.paraphrases,
        augmented={
            name: AugmentReport(tried=way.tried, added=way.added, dropped=dict(way.dropped.most_common()))
            for name, way in made.items()
        },
        triggers=facts.triggers,
        advice=advise(facts),
    )


def find_contradictions(spool: Spool, fates: Fates, examples: int = 5) -> Contradictions:
    """Count questions with different answers, and show the first ones."""
    groups = contradictions(fates.table, fates.kept)
    shown = []
    for numbers in groups[:examples]:
        samples = [spool[number] for number in numbers[:50]]
        answers = dict.fromkeys(shortened(sample.answer) for sample in samples)
        shown.append((shortened(samples[0].question), *list(answers)[:3]))
    return Contradictions(questions=len(groups), rows=sum(map(len, groups)), examples=tuple(shown))


def describe_paraphrases(spool: Spool, fates: Fates, examples: int = 10) -> ParaphraseReport | None:
    """Count the candidates of the recipe's encoder, and show the most alike ones."""
    found = fates.paraphrases
    if found is None:
        return None
    shown = []
    for candidate in found.found[:examples]:
        sample = spool[candidate.number]
        shown.append(
            Paraphrase(
                split=candidate.side,
                source=sample.meta.source,
                row=sample.meta.row,
                question=shortened(asked(sample)),
                held=shortened(asked(spool[candidate.held])),
                similarity=round(candidate.similarity, 4),
            )
        )
    return ParaphraseReport(
        encoder=Path(found.config.encoder).name,
        similarity=found.config.similarity,
        candidates=len(found.found),
        removed=len(found.found) if found.config.remove else 0,
        examples=tuple(shown),
    )


def shortened(text: str, limit: int = QUESTION_SHOWN) -> str:
    """The beginning of a text, marked where it is cut.

    >>> shortened("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
