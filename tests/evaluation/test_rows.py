"""Which rows are scored: a fair share of the test split, cut to turns, and never what was trained on."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.evaluation.rows import as_rows, choose, leaked, units_of


def sample(name: str, *turns: str, system: str = "", **tags: str) -> Sample:
    roles = ("user", "assistant") * len(turns)
    said = [Message(role=role, content=turn) for role, turn in zip(roles, turns, strict=False)]  # type: ignore[arg-type]
    first = [Message(role="system", content=system)] if system else []
    return Sample(id=name, messages=(*first, *said), meta=Meta(source="made", row=1, tags=tags))


def many(count: int) -> list[Sample]:
    return [
        sample(f"s{n}", f"question {n}", "answer", seen="no" if n % 5 == 0 else "yes", intent=f"intent {n % 4}")
        for n in range(count)
    ]


def test_all_rows_are_taken_when_they_are_few() -> None:
    assert choose(many(5), None, 1) == choose(many(5), 9, 1) == many(5)


@given(st.integers(1, 100), st.integers(1, 60), st.integers(0, 5))
def test_a_share_has_the_asked_size_order_and_no_row_twice(count: int, wanted: int, seed: int) -> None:
    rows = many(count)
    chosen = choose(rows, wanted, seed)
    assert len(chosen) == min(count, wanted)
    places = [rows.index(row) for row in chosen]
    assert places == sorted(set(places))


@given(st.integers(0, 20))
def test_a_share_keeps_unseen_rows_and_intents_in_proportion(seed: int) -> None:
    rows = many(200)
    chosen = choose(rows, 50, seed)
    assert abs(sum(row.meta.tags["seen"] == "no" for row in chosen) - 10) <= 1
    intents = Counter((row.meta.tags["seen"], row.meta.tags["intent"]) for row in chosen)
    expected = Counter((row.meta.tags["seen"], row.meta.tags["intent"]) for row in rows)
    assert all(abs(intents[group] - count / 4) <= 1 for group, count in expected.items())


def test_another_seed_chooses_other_rows() -> None:
    assert choose(many(100), 20, 1) == choose(many(100), 20, 1) != choose(many(100), 20, 2)


def test_a_question_is_found_in_the_training_split_whatever_its_form() -> None:
    train = [sample("t", "How do I BLOCK my card?", "Call us.")]
    test = [sample("a", "how do I block  my card", "Other words."), sample("b", "How do I unblock it?", "x")]
    assert [row.id for row in leaked(test, train)] == ["a"]


def test_the_same_last_turn_in_another_conversation_is_no_leak() -> None:
    train = [sample("t", "Transfer 5", "To whom?", "yes please", "Done")]
    test = [
        sample("a", "Transfer 9", "To whom?", "yes please", "Done"),
        sample("b", "Transfer 5", "To whom?", "Yes please!", "x"),
    ]
    assert [row.id for row in leaked(test, train)] == ["b"]


def test_a_system_message_does_not_hide_a_leak() -> None:
    assert leaked([sample("a", "Hi there", "x", system="Be kind.")], [sample("t", "Hi there", "y")])


def test_each_answer_becomes_a_row_with_what_was_said_before() -> None:
    talk = sample("talk", "Hi", "Hello, which card?", "The blue one", "Done.", system="Be kind.")
    rows = as_rows([talk], "all")
    assert [row.id for row in rows] == ["talk#1", "talk#2"]
    assert [row.answer for row in rows] == ["Hello, which card?", "Done."]
    assert [len(row.prompt) for row in rows] == [2, 4]
    assert rows[1].messages == talk.messages
    assert units_of(rows, "all") == ["talk", "talk"]


def test_only_the_last_answer_is_a_row_by_default_and_ids_stay() -> None:
    talk = sample("faq#3", "Hi", "Hello")
    assert as_rows([talk], "last") == [talk]
    assert units_of([talk], "last") == ["faq#3"]
