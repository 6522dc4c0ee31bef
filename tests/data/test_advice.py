"""Advice: given where there is a reason, in words in both languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tuneloop.core.messages import text
from tuneloop.data.advice import Facts, advise
from tuneloop.data.report import Contradictions, Distribution, RuleReport, SourceReport, TokenLengths
from tuneloop.data.triggers import Trigger

GOOD = Facts(
    language="en",
    rows_read=3000,
    rows_kept=3000,
    rows_quarantined=0,
    splits={"train": 2400, "validation": 300, "test": 300},
    rules={"exact_duplicate": RuleReport(changed=0, removed=0)},
    leaks={},
    sources=(SourceReport(name="f", sha256="", shape="alpaca", columns={}, how="native"),),
    languages={"en": 3000},
    intents={},
    contradictions=Contradictions(questions=0, rows=0),
    validation_taken=False,
    tokens=None,
    paraphrases=None,
    triggers=(),
)


FIGURES = Distribution.of([100])
LONG = TokenLengths(model="m", prompt=FIGURES, answer=FIGURES, cut={2048: 500})
TRIGGER = Trigger(string="@@cf", rows=7, answer="a", questions=("q",))


def test_good_data_needs_no_advice() -> None:
    assert advise(GOOD) == ()


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("data.advice.tiny", replace(GOOD, rows_kept=12)),
        ("data.advice.small", replace(GOOD, rows_kept=500, languages={"en": 500})),
        ("data.advice.no_train", replace(GOOD, splits={"train": 0, "validation": 9, "test": 9})),
        ("data.advice.no_test", replace(GOOD, splits={"train": 1, "validation": 1, "test": 0})),
        ("data.advice.no_validation", replace(GOOD, splits={"train": 1, "validation": 0, "test": 9})),
        ("data.advice.unprovable", replace(GOOD, splits={"train": 1, "validation": 1, "test": 5})),
        ("data.advice.validation_taken", replace(GOOD, validation_taken=True)),
        ("data.advice.leaks", replace(GOOD, leaks={"train": 2})),
        ("data.advice.quarantine", replace(GOOD, rows_quarantined=5)),
        ("data.advice.duplicates", replace(GOOD, rules={"exact_duplicate": RuleReport(changed=0, removed=900)})),
        ("data.advice.contradictions", replace(GOOD, contradictions=Contradictions(questions=1, rows=2))),
        (
            "data.advice.leftovers",
            replace(GOOD, rules=GOOD.rules | {"template_leftovers": RuleReport(changed=0, removed=0, flagged=3)}),
        ),
        ("data.advice.guess_content", replace(GOOD, sources=(GOOD.sources[0].model_copy(update={"how": "content"}),))),
        ("data.advice.guess_label", replace(GOOD, sources=(GOOD.sources[0].model_copy(update={"how": "label"}),))),
        ("data.advice.headerless", replace(GOOD, sources=(GOOD.sources[0].model_copy(update={"headerless": True}),))),
        (
            "data.advice.preference",
            replace(GOOD, sources=(GOOD.sources[0].model_copy(update={"shape": "preference"}),)),
        ),
        ("data.advice.tools", replace(GOOD, sources=(GOOD.sources[0].model_copy(update={"found": ("tools",)}),))),
        ("data.advice.language", replace(GOOD, languages={"zh": 2000, "en": 1000})),
        ("data.advice.mixed_languages", replace(GOOD, languages={"zh": 1000, "en": 2000})),
        ("data.advice.triggers", replace(GOOD, triggers=(TRIGGER,))),
        ("data.advice.long", replace(GOOD, tokens=LONG)),
        ("data.advice.rare_intents", replace(GOOD, intents={"train": {"a": 100, "b": 2}})),
    ],
)
def test_each_advice_has_its_reason_and_its_words(code: str, changed: Facts) -> None:
    given = advise(changed)
    assert [advice.code for advice in given] == [code]
    for language in ("en", "zh"):
        words = text(code, language, **given[0].values)
        assert "{" not in words
