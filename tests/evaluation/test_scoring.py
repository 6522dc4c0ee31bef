"""Scores, figures, slices and the rules' pass table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.scoring import SLICES, Rows, figures, rule_table, score_arm, slices
from tuneloop.evaluation.script import Script, load_script
from tuneloop.evaluation.statistics import wilson

SCRIPT = """
name: house
rules:
  - {id: opening, kind: starts_with, text: Hello}
  - {id: brief, kind: length, max_words: 4, hard: false}
  - {id: refuses, kind: refusal}
refusals: {secret: [[cannot, can't]]}
"""


def sample(number: int, **tags: str) -> Sample:
    said = (Message(role="user", content=f"q{number}"), Message(role="assistant", content=f"Hello, {number}."))
    return Sample(id=f"s{number}", messages=said, meta=Meta(source="made", row=number, tags=tags))


def answer(said: str, ended: bool = True) -> Answer:
    reason = "stop" if ended else "length"
    return Answer(
        key=said, text=said, tokens=len(said.split()), finish_reason=reason, first_token_seconds=0.1, seconds=0.2
    )


@pytest.fixture
def script(tmp_path: Path) -> Script:
    (tmp_path / "house.yaml").write_text(SCRIPT, encoding="utf-8")
    return load_script("house.yaml", tmp_path)


def rows_of(samples: list[Sample], script: Script | None = None, units: list[str] | None = None) -> Rows:
    return Rows(
        samples=samples,
        units=units or [s.id for s in samples],
        metrics=("exact_match",),
        script=script,
        language="en",
        seed=1,
    )


def test_an_answer_is_compliant_when_no_hard_rule_is_broken(script: Script) -> None:
    rows = rows_of([sample(1), sample(2), sample(3)], script)
    arm = score_arm(rows, [answer("Hello, 1."), answer("Hello, this is far too long for us."), answer("Bye.")])
    assert arm.scores["script_compliance"] == [1, 1, 0]
    assert [len(faults) for faults in arm.violations] == [0, 1, 1]
    table = rule_table(rows, {"base": arm})
    assert table["opening"]["base"].value == pytest.approx(2 / 3)
    assert table["brief"]["base"].value == pytest.approx(2 / 3)
    assert "refuses" not in table  # no row here asks for a secret


def test_a_rule_is_counted_only_where_it_applies(script: Script) -> None:
    samples = [sample(1), sample(2, kind="refusal", intent="secret"), sample(3, kind="refusal", intent="secret")]
    rows = rows_of(samples, script)
    arm = score_arm(rows, [answer("Hello."), answer("Hello, I cannot."), answer("Hello, sure.")])
    kept = rule_table(rows, {"base": arm})["refuses"]["base"]
    assert (kept.value, kept.n) == (0.5, 2)


def test_how_answers_end_and_how_long_they_are_is_always_reported() -> None:
    rows = rows_of([sample(1), sample(2)])
    arm = score_arm(rows, [answer("", ended=True), answer("one two three", ended=False)])
    figure = figures(rows, arm, [0, 1])
    assert list(figure) == ["exact_match", "ended", "answer_tokens", "repetition"]
    assert figure["ended"].value == 0.5
    assert figure["answer_tokens"].value == 1.5


def test_a_share_has_wilsons_interval_and_turns_of_conversations_a_wider_one() -> None:
    samples = [sample(n) for n in range(20)]
    said = [answer("Hello, 0." if n == 0 else f"Hello, {n}." if n < 10 else "no") for n in range(20)]
    apart, together = rows_of(samples), rows_of(samples, units=[str(n // 5) for n in range(20)])
    narrow, wide = (figures(rows, score_arm(rows, said), range(20))["exact_match"] for rows in (apart, together))
    assert narrow.value == wide.value == 0.5
    assert narrow.low == pytest.approx(0.299, abs=0.001)
    assert wide.low is not None
    assert wide.low < narrow.low


def test_one_conversation_is_worth_one_row() -> None:
    rows = rows_of([sample(1), sample(2)], units=["a", "a"])
    figure = figures(rows, score_arm(rows, [answer("x"), answer("y")]), [0, 1])["exact_match"]
    assert figure.n == 2
    assert (figure.low, figure.high) == pytest.approx(wilson(0, 1)[1:])


def test_rows_are_cut_by_what_their_tags_say() -> None:
    samples = [
        sample(0, seen="yes", intent="card", kind="answer"),
        sample(1, seen="no", intent="limit", kind="answer"),
        sample(2, seen="yes", intent="card", kind="refusal"),
    ]
    found = slices(samples)
    assert found == {
        "all": [0, 1, 2],
        "seen": [0, 2],
        "unseen": [1],
        "kind=answer": [0, 1],
        "kind=refusal": [2],
        "intent=card": [0, 2],
        "intent=limit": [1],
    }


def test_slices_stand_in_the_order_in_which_people_count() -> None:
    rows = [sample(number, kind=f"level {number}") for number in (2, 10, 1)]
    assert [name for name in slices(rows) if name.startswith("kind=")] == [
        "kind=level 1",
        "kind=level 2",
        "kind=level 10",
    ]


def test_a_slice_that_holds_every_row_is_left_out() -> None:
    assert slices([sample(0, intent="card"), sample(1, intent="card")]) == {"all": [0, 1]}
    assert all(slice_of(sample(0)) in (None, "single-turn", "short") for slice_of in SLICES.values())
