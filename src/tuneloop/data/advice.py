"""What the reader of a report should know before training, as codes and values.

To add advice: a function here that yields it, its name in `ADVISERS`, and its words under its code in `core/messages/data.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tuneloop.core.evidence import rows_needed
from tuneloop.core.records import Split
from tuneloop.data.report import Advice, Contradictions, ParaphraseReport, RuleReport, SourceReport, TokenLengths
from tuneloop.data.triggers import Trigger

TINY = 50
"""Rows below which an evaluation can hardly show anything."""
SMALL = 1000
"""Rows below which more data usually helps; 2,000 to 5,000 is what domain adaptation takes."""
LONG = 2048
"""Tokens of a sample above which training on a small machine has to cut it."""
MANY_PARAPHRASES = 0.1
"""Share of the training rows above which an encoder finds more than there can be."""
RARE_INTENT = 5
"""Training samples below which an intent is hardly learnt."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the advice is about."""

    language: str
    rows_read: int
    rows_kept: int
    rows_quarantined: int
    splits: dict[Split, int]
    rules: dict[str, RuleReport]
    leaks: dict[str, int]
    sources: tuple[SourceReport, ...]
    languages: dict[str, int]
    intents: dict[Split, dict[str, int]]
    contradictions: Contradictions
    validation_taken: bool
    tokens: TokenLengths | None
    paraphrases: ParaphraseReport | None
    triggers: tuple[Trigger, ...]


def size(facts: Facts) -> Iterator[Advice]:
    if facts.rows_kept < TINY:
        yield Advice(
            code="data.advice.tiny", status="warn", values={"rows": facts.rows_kept, "test": facts.splits["test"]}
        )
    elif facts.rows_kept < SMALL:
        yield Advice(code="data.advice.small", status="info", values={"rows": facts.rows_kept})


def sides(facts: Facts) -> Iterator[Advice]:
    for split in ("train", "validation", "test"):
        if not facts.splits[split]:
            yield Advice(code=f"data.advice.no_{split}", status="warn")
    if facts.validation_taken:
        yield Advice(code="data.advice.validation_taken", status="info", values={"rows": facts.splits["validation"]})


def proof(facts: Facts) -> Iterator[Advice]:
    """Too few test rows for any test to prove a difference; how many it takes with one baseline, the fewest."""
    if 0 < facts.splits["test"] < rows_needed():
        values = {"test": facts.splits["test"], "needed": rows_needed()}
        yield Advice(code="data.advice.unprovable", status="warn", values=values)


def leaks(facts: Facts) -> Iterator[Advice]:
    if count := sum(facts.leaks.values()):
        yield Advice(code="data.advice.leaks", status="warn", values={"rows": count})


def paraphrases(facts: Facts) -> Iterator[Advice]:
    found = facts.paraphrases
    if found is None or not found.candidates:
        return
    values = {"count": found.candidates, "encoder": found.encoder, "similarity": found.similarity}
    if found.candidates > MANY_PARAPHRASES * (facts.splits["train"] + found.removed):
        yield Advice(code="data.advice.paraphrases_many", status="warn", values=values)
    code = "data.advice.paraphrases_removed" if found.removed else "data.advice.paraphrases_left"
    yield Advice(code=code, status="warn", values=values)


def quarantine(facts: Facts) -> Iterator[Advice]:
    if facts.rows_quarantined:
        status = "warn" if facts.rows_quarantined > 0.05 * facts.rows_read else "info"
        values = {"rows": facts.rows_quarantined, "read": facts.rows_read}
        yield Advice.model_validate({"code": "data.advice.quarantine", "status": status, "values": values})


def duplicates(facts: Facts) -> Iterator[Advice]:
    removed = sum(facts.rules[rule].removed for rule in ("exact_duplicate", "near_duplicate") if rule in facts.rules)
    if removed > 0.2 * facts.rows_read:
        yield Advice(code="data.advice.duplicates", status="warn", values={"rows": removed, "read": facts.rows_read})


def leftovers(facts: Facts) -> Iterator[Advice]:
    rule = facts.rules.get("template_leftovers")
    if rule is not None and rule.flagged:
        yield Advice(code="data.advice.leftovers", status="warn", values={"rows": rule.flagged})


def contradictions(facts: Facts) -> Iterator[Advice]:
    if facts.contradictions.questions:
        values = {"questions": facts.contradictions.questions, "rows": facts.contradictions.rows}
        yield Advice(code="data.advice.contradictions", status="info", values=values)


def triggers(facts: Facts) -> Iterator[Advice]:
    if facts.triggers:
        strings = ", ".join(f"{trigger.string} ({trigger.rows})" for trigger in facts.triggers)
        yield Advice(code="data.advice.triggers", status="warn", values={"strings": strings})


def lengths(facts: Facts) -> Iterator[Advice]:
    if facts.tokens is None:
        return
    cut = facts.tokens.cut.get(LONG, 0)
    written = sum(facts.splits.values())
    if cut > 0.01 * written:
        values = {"rows": cut, "kept": written, "limit": LONG, "longest": facts.tokens.answer.maximum}
        yield Advice(code="data.advice.long", status="warn", values=values)


def guesses(facts: Facts) -> Iterator[Advice]:
    for source in facts.sources:
        if source.how in ("content", "label"):
            values = {"source": source.name, "columns": shown_columns(source)}
            yield Advice(code=f"data.advice.guess_{source.how}", status="warn", values=values)
        if source.headerless:
            yield Advice(code="data.advice.headerless", status="warn", values={"source": source.name})
        if source.shape == "preference":
            yield Advice(code="data.advice.preference", status="info", values={"source": source.name})
        if "tools" in source.found:
            yield Advice(code="data.advice.tools", status="info", values={"source": source.name})


def language(facts: Facts) -> Iterator[Advice]:
    other = sum(count for name, count in facts.languages.items() if name != facts.language)
    if other > 0.2 * sum(facts.splits.values()):
        most = Counter(facts.languages).most_common(2)
        mixed = most[0][0] == facts.language
        values = {"rows": other, "data_language": facts.language, "found": most[1 if mixed else 0][0]}
        yield Advice(code=f"data.advice.{'mixed_languages' if mixed else 'language'}", status="warn", values=values)


def rare_intents(facts: Facts) -> Iterator[Advice]:
    rare = {name: count for name, count in facts.intents.get("train", {}).items() if count < RARE_INTENT}
    if rare and len(facts.intents["train"]) > 1:
        names = ", ".join(f"{name} ({count})" for name, count in sorted(rare.items(), key=lambda item: item[1])[:8])
        yield Advice(code="data.advice.rare_intents", status="warn", values={"count": len(rare), "names": names})


ADVISERS: tuple[Callable[[Facts], Iterator[Advice]], ...] = (
    size,
    sides,
    proof,
    leaks,
    paraphrases,
    quarantine,
    guesses,
    language,
    duplicates,
    contradictions,
    leftovers,
    triggers,
    lengths,
    rare_intents,
)


def advise(facts: Facts) -> tuple[Advice, ...]:
    """All advice on a dataset, in the order of the table."""
    return tuple(advice for adviser in ADVISERS for advice in adviser(facts))


def shown_columns(source: SourceReport) -> str:
    """The columns of a source in one line.

    >>> shown_columns(SourceReport(name="a", sha256="", shape="", columns={"input_text": "问题"}, how="names"))
    'input_text: 问题'
    """
    return ", ".join(f"{field}: {column}" for field, column in source.columns.items())
