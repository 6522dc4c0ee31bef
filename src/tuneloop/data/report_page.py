"""`report.html` of a dataset: the report in words, tables and plots, in the reader's language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuneloop.core.messages import Language, current_language, text
from tuneloop.core.records import SPLITS, Sample, Split
from tuneloop.data.advice import shown_columns
from tuneloop.data.report import Distribution, Lengths, ParaphraseReport, Report
from tuneloop.store.page import Block, Callout, Pairs, Paragraph, Plot, Section, Table, Texts, render_page

INTENTS_SHOWN = 40
COLOURS: dict[Split, str] = {"train": "#4472b8", "validation": "#d9902f", "test": "#4a9b6b"}

_SPACES = re.compile(r" {2,}|^ +| +$", re.MULTILINE)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060-\u206f\ufeff]"
)


def dataset_page(report: Report, shown: Mapping[Split, Sequence[Sample]], language: Language | None = None) -> str:
    """Render the report of a dataset.

    Args:
        report: the report.
        shown: a few samples of each side.
        language: language of the page; the interface language when None.
    """
    chosen = language or current_language()
    return render_page(_Words(chosen)("title", name=report.name), dataset_sections(report, shown, chosen), chosen)


def dataset_sections(
    report: Report, shown: Mapping[Split, Sequence[Sample]], language: Language | None = None
) -> list[Section]:
    """The parts of the page, which the terminal shows too."""
    words = _Words(language or current_language())
    return [
        Section(words("overview"), tuple(_overview(report, words))),
        Section(words("sources"), (_sources(report, words),)),
        Section(words("rules"), tuple(_rules(report, words))),
        Section(words("quarantine"), tuple(_quarantine(report, words))),
        Section(words("personal"), tuple(_personal(report, words))),
        Section(words("division"), tuple(_division(report, words))),
        *([Section(words("augmentation"), tuple(_augmentation(report, words)))] if report.augmented else []),
        Section(words("lengths"), tuple(_lengths(report, words))),
        Section(words("samples"), tuple(_samples(shown, words))),
    ]


class _Words:
    """The words of this page in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, /, **values: Any) -> str:
        return text(f"data.report.{key}", self.language, **values)

    def side(self, split: str) -> str:
        return text(f"general.side.{split}", self.language)

    def rule(self, name: str) -> tuple[str, str]:
        """Name of a rule, and what it does; one of the recipe's own is called `custom:<name>`."""
        kind, _, own = name.partition(":")
        title = self(f"rule_{kind}")
        return f"{title} {own}" if own else title, self(f"rule_{kind}_does")


def _overview(report: Report, words: _Words) -> Iterator[Block]:
    removed = sum(rule.removed for rule in report.rules.values())
    figures = [
        (words("rows_read"), report.rows_read),
        (words("rows_kept"), report.rows_kept),
        (words("rows_quarantined"), report.rows_quarantined),
        (words("rows_removed"), removed),
        *((words.side(split), report.splits[split]) for split in SPLITS),
    ]
    yield Pairs(tuple((label, f"{value:,}") for label, value in figures))
    if not report.advice:
        yield Callout("good", words("no_advice"))
    for advice in report.advice:
        yield Callout(
            "bad" if advice.status == "warn" else "neutral", text(advice.code, words.language, **advice.values)
        )


def _sources(report: Report, words: _Words) -> Table:
    columns = (words("source"), words("shape"), words("columns"), words("how"))
    rows = [
        (source.name, source.shape, shown_columns(source) or "–", words(f"how_{source.how}"))
        for source in report.sources
    ]
    return Table(columns, tuple(rows))


def _rules(report: Report, words: _Words) -> Iterator[Block]:
    columns = (words("rule"), words("what_it_does"), words("changed"), words("removed"), words("flagged"))
    active = {name: rule for name, rule in report.rules.items() if rule.changed or rule.removed or rule.flagged}
    rows = [
        (*words.rule(name), f"{rule.changed:,}", f"{rule.removed:,}", f"{rule.flagged:,}")
        for name, rule in active.items()
    ]
    if rows:
        yield Table(columns, tuple(rows))
    idle = [words.rule(name)[0] for name in report.rules if name not in active]
    if idle:
        yield Paragraph(words("idle_rules", names=words("comma").join(idle)))
    for name, examples in report.examples.items():
        shown: list[tuple[str, str]] = []
        for example in examples:
            place = _place(words, example.source, example.row)
            shown.append((f"{words.rule(name)[0]} · {place}", visible(example.before)))
            if example.after:
                removes = report.rules[name].removed > 0
                shown.append((words("stays" if removes else "after"), visible(example.after)))
        yield Texts(tuple(shown))


def _quarantine(report: Report, words: _Words) -> Iterator[Block]:
    if not report.rows_quarantined:
        yield Callout("good", words("nothing_quarantined"))
        return
    yield Paragraph(words("quarantine_means"))
    counted = [(text(f"{code}.short", words.language), f"{count:,}") for code, count in report.quarantine.items()]
    yield Table((words("reason"), words("rows")), tuple(counted))
    first = [(row.source, str(row.row), row.said(words.language)) for row in report.quarantined_rows]
    yield Table((words("source"), words("row"), words("reason")), tuple(first), caption=words("first_quarantined"))


def _personal(report: Report, words: _Words) -> Iterator[Block]:
    if not report.personal_data:
        yield Paragraph(words("personal_not_looked_for" if report.personal_data is None else "no_personal_data"))
        return
    yield Paragraph(words("personal_means"))
    rows = [(words(f"personal_{name}"), f"{count:,}") for name, count in report.personal_data.items()]
    yield Table((words("personal_type"), words("values")), tuple(rows))


def _division(report: Report, words: _Words) -> Iterator[Block]:
    total = max(sum(report.splits.values()), 1)
    rows = [(words.side(split), f"{count:,}", f"{count / total:.1%}") for split, count in report.splits.items()]
    yield Table((words("side"), words("rows"), words("share")), tuple(rows))
    yield Paragraph(words("division_means"))
    if report.leaks:
        leaks = [(words.side(side), f"{count:,}") for side, count in report.leaks.items()]
        yield Table((words("leaked_from"), words("rows")), tuple(leaks), caption=words("leaks_mean"))
    if report.against:
        yield Paragraph(words("against", names=", ".join(source.name for source in report.against)))
    if report.paraphrases is not None:
        yield _paraphrases(report.paraphrases, words)
    if report.intents:
        yield _intents_plot(report, words)
    if report.contradictions.questions:
        contradictions = report.contradictions
        yield Paragraph(words("contradictions", questions=contradictions.questions, rows=contradictions.rows))
        for question, *answers in contradictions.examples:
            yield Texts(tuple((f"{visible(question)} · {words('answer')}", visible(answer)) for answer in answers[:2]))
    if report.triggers:
        columns = (words("trigger"), words("rows"), words("question"), words("answer"))
        triggers = [
            (visible(found.string), f"{found.rows:,}", visible(found.questions[0]), visible(found.answer))
            for found in report.triggers
        ]
        yield Table(columns, tuple(triggers), caption=words("triggers_mean"))


def _paraphrases(found: ParaphraseReport, words: _Words) -> Table:
    columns = (words("side"), words("place_column"), words("question"), words("held_question"), words("similarity"))
    rows = [
        (
            words.side(one.split),
            _place(words, one.source, one.row),
            visible(one.question),
            visible(one.held),
            f"{one.similarity:.3f}",
        )
        for one in found.examples
    ]
    values = {"encoder": found.encoder, "similarity": found.similarity, "count": found.candidates}
    return Table(columns, tuple(rows), caption=words("paraphrases_mean", removed=found.removed, **values))


def _augmentation(report: Report, words: _Words) -> Iterator[Block]:
    yield Paragraph(words("augmentation_means"))
    columns = (words("augment_way"), words("augment_tried"), words("augment_added"), words("augment_dropped"))
    rows = []
    for name, way in report.augmented.items():
        dropped = [f"{words(f'dropped_{reason}')}: {count:,}" for reason, count in way.dropped.items()]
        rows.append((words(f"augment_{name}"), f"{way.tried:,}", f"{way.added:,}", "; ".join(dropped) or "–"))
    yield Table(columns, tuple(rows))


def _intents_plot(report: Report, words: _Words) -> Plot:
    intents = list(dict.fromkeys(intent for split in SPLITS for intent in report.intents.get(split, {})))
    shown = intents[:INTENTS_SHOWN]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": words.side(split),
            "y": shown,
            "x": [report.intents.get(split, {}).get(intent, 0) for intent in shown],
            "marker": {"color": COLOURS[split]},
        }
        for split in SPLITS
    ]
    title = words("intents", count=len(intents))
    layout = {
        "title": {"text": title},
        "barmode": "stack",
        "height": 140 + 20 * len(shown),
        "yaxis": {"autorange": "reversed", "type": "category"},
        "xaxis": {"title": {"text": words("rows")}},
        "legend": {
            "orientation": "h",
            "y": 1.0,
            "yanchor": "bottom",
            "x": 1.0,
            "xanchor": "right",
            "traceorder": "normal",
        },
    }
    return Plot(json.dumps({"data": data, "layout": layout}), title)


def _lengths(report: Report, words: _Words) -> Iterator[Block]:
    rows = [*_length_rows(report.characters, words("characters"), words)]
    if report.tokens is not None:
        rows += _length_rows(report.tokens, words("tokens_of", model=report.tokens.model), words)
    columns = ("", "minimum", "median", "mean", "p95", "maximum", "total")
    yield Table(tuple(words(f"length_{column}") if column else "" for column in columns), tuple(rows))
    if report.tokens is not None:
        kept = max(sum(report.splits.values()), 1)
        cut = [(f"{limit:,}", f"{rows:,}", f"{rows / kept:.1%}") for limit, rows in report.tokens.cut.items()]
        meaning = words("budget_means", model=report.tokens.model)
        yield Table((words("budget"), words("cut_rows"), words("cut_share")), tuple(cut), caption=meaning)
    yield _histogram(report.characters.prompt, words("prompt_lengths"), words)
    yield _histogram(report.characters.answer, words("answer_lengths"), words)
    languages = [(words(f"language_{name}"), f"{count:,}") for name, count in report.languages.items()]
    yield Table((words("language"), words("rows")), tuple(languages))
    if report.dialogues:
        yield Paragraph(words("dialogues", count=f"{report.dialogues:,}"))


def _length_rows(lengths: Lengths, unit: str, words: _Words) -> Iterator[tuple[str, ...]]:
    for label, figures in ((words("prompt"), lengths.prompt), (words("answer"), lengths.answer)):
        yield (f"{label} ({unit})", *_figures(figures))


def _figures(figures: Distribution) -> tuple[str, ...]:
    ordered = (figures.minimum, figures.median, figures.mean, figures.p95, figures.maximum, figures.total)
    return tuple(f"{value:,.0f}" for value in ordered)


def _histogram(figures: Distribution, title: str, words: _Words) -> Plot:
    """Bars of equal width up to the 99th percentile; longer values stand in the last bar."""
    width = figures.bin_width
    starts = [place * width for place in range(len(figures.bins))]
    ranges = [f"{start:,}–{start + width - 1:,}" for start in starts]
    ranges[-1] = f"≥ {starts[-1]:,}"
    bars = {
        "type": "bar",
        "x": [start + width / 2 for start in starts],
        "y": list(figures.bins),
        "width": width * 0.94,
        "marker": {"color": COLOURS["train"]},
        "customdata": ranges,
        "hovertemplate": "%{customdata}: %{y}<extra></extra>",
    }
    layout = {
        "title": {"text": title},
        "xaxis": {"title": {"text": words("characters")}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": words("rows")}},
        "height": 320,
    }
    return Plot(json.dumps({"data": [bars], "layout": layout}), title, figures.bins)


def _samples(shown: Mapping[Split, Sequence[Sample]], words: _Words) -> Iterator[Block]:
    for split in SPLITS:
        for sample in shown.get(split, ()):
            place = _place(words, sample.meta.source, sample.meta.row)
            items = [
                (f"{words.side(split)} · {place} · {words(f'role_{m.role}')}", m.content) for m in sample.messages[:6]
            ]
            yield Texts(tuple(items))


def _place(words: _Words, source: str, row: int) -> str:
    return words("place", source=source, number=row)


def visible(content: str) -> str:
    """Show characters that can't be seen as their code points, and spaces that count as dots.

    >>> visible("a\\u200bb  c ")
    'a⟨U+200B⟩b··c·'
    """
    dotted = _SPACES.sub(lambda match: "·" * len(match.group()), content)
    return _INVISIBLE.sub(lambda match: f"⟨U+{ord(match.group()):04X}⟩", dotted)
