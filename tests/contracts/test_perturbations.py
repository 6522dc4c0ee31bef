"""Every perturbation: seeded, within its budget, touching no value, changing something, in every language it names."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneloop.core.messages import Language
from tuneloop.evaluation.perturbation_text import VALUE, Asked, distance
from tuneloop.evaluation.perturbations import PERTURBATIONS, names_for, perturb

TEXTS: dict[Language, tuple[str, list[str]]] = {
    "en": (
        "Hello, I know that their payment of $1,250 for Yusuf failed on March 14. Can you check www.bank.com, please?",
        ["$1,250", "Yusuf", "March 14"],
    ),
    "zh": (
        "你好，我昨天转账12500元给谢先生失败了。请问怎么查询，尾号4821的卡还能用吗？",
        ["12500元", "谢先生", "4821"],
    ),
}
CASES = [(name, language) for name, one in PERTURBATIONS.items() for language in one.languages]


@pytest.mark.parametrize(("name", "language"), CASES)
def test_it_changes_the_text_the_same_way_for_the_same_seed(name: str, language: Language) -> None:
    text, values = TEXTS[language]
    once = perturb(name, text, language, 1, values)
    assert once is not None
    assert once != text
    assert once == perturb(name, text, language, 1, values)


@pytest.mark.parametrize(("name", "language"), CASES)
def test_it_stays_within_its_budget_and_keeps_the_values(name: str, language: Language) -> None:
    text, values = TEXTS[language]
    for seed in range(12):
        changed = perturb(name, text, language, seed, values)
        if changed is None:
            continue
        assert distance(text, changed) <= PERTURBATIONS[name].budget(Asked(text, language, tuple(values)))
        if PERTURBATIONS[name].keeps_values:
            assert all(value in changed for value in values), changed
            assert sorted(VALUE.findall(changed)) == sorted(VALUE.findall(text))


@pytest.mark.parametrize(("name", "language"), CASES)
@given(text=st.text(max_size=60))
@settings(max_examples=25, deadline=None)
def test_no_text_is_too_strange(name: str, language: Any, text: str) -> None:
    changed = perturb(name, text, language, 0)
    assert changed is None or changed != text
    if changed is not None and PERTURBATIONS[name].keeps_values:
        asked = Asked(text, language)
        kept = [text[a:b] for a, b in _runs(asked.kept)]
        assert all(run.strip() in changed for run in kept)


def test_each_language_has_enough_for_the_default() -> None:
    assert len(names_for("en")) >= 14
    assert len(names_for("zh")) >= 12
    assert len(names_for("en", 8)) == len(names_for("zh", 8)) == 8


def test_numbers_are_written_out_where_that_is_the_point() -> None:
    assert perturb("numbers_written", "Send 1,620 in 2 days", "en", 0) == (
        "Send one thousand six hundred and twenty in two days"
    )
    assert perturb("numbers_written", "转1620元，尾号0042", "zh", 0) == "转一千六百二十元，尾号零零四二"


@pytest.mark.parametrize(("name", "language"), CASES)
def test_an_answer_in_the_houses_own_writing_is_read_as_it_is(name: str, language: Language) -> None:
    answer = (
        "您好，这里是港湾银行。请查看尾号4821的卡（ATM）。" if language == "zh" else "Your card 4821 is blocked, OK?"
    )
    assert PERTURBATIONS[name].read_back(answer) == answer


def test_full_width_values_in_an_answer_are_the_values() -> None:
    assert PERTURBATIONS["width"].read_back("尾号４８２１，ＶＩＰ卡。") == "尾号4821，VIP卡。"


def test_invisible_letters_are_invisible() -> None:
    changed = perturb("zero_width", TEXTS["en"][0], "en", 0)
    assert changed is not None
    assert re.sub("[\u200b-\u200d\ufeff]", "", changed) == TEXTS["en"][0]


def _runs(places: frozenset[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for place in sorted(places):
        if runs and runs[-1][1] == place:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs
