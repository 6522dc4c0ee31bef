"""Which samples are the same, and which ask the same question."""

from __future__ import annotations

import numpy as np

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.data.duplicates import contradictions, find_duplicates, group_names
from tuneloop.data.keys import NOWHERE, TEST, TRAIN, sample_key, table_of

NO_PAIRS = np.empty((0, 2), dtype=np.int64)


def _sample(*texts: str, **tags: str) -> Sample:
    roles = ("user", "assistant")
    messages = tuple(Message(role=roles[n % 2], content=text) for n, text in enumerate(texts))
    return Sample(id="x", messages=messages, meta=Meta(source="s", row=1, tags=tags))


def _groups(samples: list[Sample], group_by: str | None = None, near: list[tuple[int, int]] | None = None) -> list[int]:
    pairs = np.array(near, dtype=np.int64) if near else NO_PAIRS
    return group_names(table_of(samples, group_by), pairs).tolist()


def _contradictions(samples: list[Sample]) -> list[list[int]]:
    return contradictions(table_of(samples), np.ones(len(samples), dtype=bool))


def test_case_and_spacing_make_no_other_sample() -> None:
    assert sample_key(_sample("Hi  there", "Hello")) == sample_key(_sample("hi there", "HELLO"))
    assert sample_key(_sample("Hi", "Hello")) != sample_key(_sample("Hi", "Hello!"))


def test_text_that_moves_between_turns_makes_another_sample() -> None:
    assert sample_key(_sample("ab", "c")) != sample_key(_sample("a", "bc"))


def test_the_copy_on_the_test_side_stays() -> None:
    same = np.array([7, 7, 7], dtype=np.uint64)
    assert find_duplicates(same, np.array([TRAIN, TEST, NOWHERE], dtype=np.int8)) == {0: 1, 2: 1}
    assert find_duplicates(same[:2], np.array([NOWHERE, NOWHERE], dtype=np.int8)) == {1: 0}
    assert find_duplicates(same[:0], np.array([], dtype=np.int8)) == {}


def test_a_dialogue_is_grouped_with_its_first_question() -> None:
    groups = _groups([_sample("Lost card", "Which?", "This", "Done"), _sample("lost card!", "Call us")])
    assert groups[0] == groups[1]


def test_a_greeting_that_opens_many_dialogues_joins_none() -> None:
    samples = [_sample("Hi", "How can I help?", f"question {n}", f"answer {n}") for n in range(40)]
    assert len(set(_groups(samples))) == 40


def test_a_question_of_many_single_turn_samples_stays_one_group() -> None:
    samples = [_sample("What is it?", f"answer {n}") for n in range(40)]
    assert len(set(_groups(samples))) == 1


def test_a_tag_and_a_question_join_groups() -> None:
    samples = [_sample("a", "1", c="x"), _sample("b", "2", c="x"), _sample("b", "3", c="y"), _sample("d", "4")]
    first, second, third, fourth = _groups(samples, "c")
    assert first == second == third != fourth


def test_a_system_message_makes_no_other_question() -> None:
    plain = _sample("q", "a")
    with_system = plain.model_copy(update={"messages": (Message(role="system", content="s"), *plain.messages)})
    table = table_of([plain, with_system])
    assert table.prompt[0] == table.prompt[1]


def test_different_answers_to_one_question_are_found() -> None:
    samples = [_sample("q?", "a"), _sample("Q", "b"), _sample("r", "c"), _sample("r", "C")]
    assert _contradictions(samples) == [[0, 1]]


def test_nearly_equal_questions_join_groups() -> None:
    samples = [_sample("a", "1"), _sample("b", "2"), _sample("c", "3")]
    first, second, third = _groups(samples, near=[(0, 2)])
    assert first == third != second


def test_a_template_joins_no_further_than_a_twentieth() -> None:
    samples = [_sample(f"q{n}", "a") for n in range(1000)]
    chain = [(n, n + 1) for n in range(999)]
    _, sizes = np.unique(_groups(samples, near=chain), return_counts=True)
    assert sizes.max() == 50
