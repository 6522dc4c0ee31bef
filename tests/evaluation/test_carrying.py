"""What customers said turns ago is counted where the reference repeats it, and only there."""

from __future__ import annotations

from collections.abc import Sequence

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.carrying import carried_table
from tuneloop.evaluation.rows import as_rows, units_of
from tuneloop.evaluation.scoring import Rows, score_arm

TURNS = (
    "Please send money.",
    "To whom?",
    "To Maria.",
    "How much to Maria?",
    "$1,180.",
    "So $1,180 to Maria, fee 5?",
)


def answer(said: str) -> Answer:
    return Answer(key=said, text=said, tokens=3, finish_reason="stop", first_token_seconds=0.1, seconds=0.2)


def rows_of(count: int, turns: Sequence[str] = TURNS) -> Rows:
    messages = tuple(Message(role="assistant" if n % 2 else "user", content=said) for n, said in enumerate(turns))
    samples = [Sample(id=f"c{n}", messages=messages, meta=Meta(source="t", row=n)) for n in range(count)]
    cut = as_rows(samples, "all")
    return Rows(samples=cut, units=units_of(cut, "all"), metrics=(), script=None, language="en", seed=1)


def test_values_are_counted_by_turn_and_by_distance_and_compared() -> None:
    rows = rows_of(12)
    arms = {
        "base": score_arm(rows, [answer("Sure.") for _ in rows.samples]),
        "tuned": score_arm(rows, [answer(row.answer.replace("1,180", "1,18")) for row in rows.samples]),
    }
    found = carried_table(rows, arms)
    # turn 2: Maria; turn 3: Maria, said one turn back, and 1180, said now; the fee was nobody's
    assert {name: one.arms["tuned"].n for name, one in found.items()} == {
        "turn=2": 12,
        "turn=3": 24,
        "ago=0": 24,
        "ago=1": 12,
    }
    assert (found["turn=2"].arms["base"].value, found["turn=2"].arms["tuned"].value) == (0.0, 1.0)
    assert found["turn=3"].arms["tuned"].value == 0.5
    (compared,) = found["ago=1"].comparisons
    assert (compared.a, compared.b, compared.difference) == ("base", "tuned", 1.0)
    assert 0.0 < compared.low < compared.high <= 1.0
    assert compared.p < 0.01


def test_values_of_one_conversation_are_no_independent_evidence() -> None:
    few, many = rows_of(2), rows_of(12)
    wide, narrow = (
        carried_table(rows, {"base": score_arm(rows, [answer(row.answer) for row in rows.samples])})["ago=0"].arms[
            "base"
        ]
        for rows in (few, many)
    )
    assert wide.low is not None
    assert narrow.low is not None
    assert wide.low < narrow.low


def test_single_questions_have_no_such_table() -> None:
    rows = rows_of(3, TURNS[-2:])
    assert carried_table(rows, {"base": score_arm(rows, [answer("$1,180") for _ in rows.samples])}) == {}


def test_a_slot_of_the_tags_counts_as_it_was_given() -> None:
    rows = rows_of(1)
    tagged = [
        row.model_copy(update={"meta": row.meta.model_copy(update={"tags": {"slot.to": "Maria"}})})
        for row in rows.samples
    ]
    one = Rows(samples=tagged, units=rows.units, metrics=(), script=None, language="en", seed=1)
    said = score_arm(one, [answer("to maria") for _ in tagged])
    table = carried_table(one, {"base": said})
    # the name is found whatever its case, the slot only to the letter
    assert table["turn=2"].arms["base"].value == 0.5
