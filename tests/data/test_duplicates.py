"""Which samples are the same, and which ask the same question."""

from __future__ import annotations

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.data.duplicates import contradictions, find_duplicates, group_samples, prompt_key, sample_key


def _sample(*texts: str, **tags: str) -> Sample:
    roles = ("user", "assistant")
    messages = tuple(Message(role=roles[n % 2], content=text) for n, text in enumerate(texts))
    return Sample(id="x", messages=messages, meta=Meta(source="s", row=1, tags=tags))


def test_case_and_spacing_make_no_other_sample() -> None:
    assert sample_key(_sample("Hi  there", "Hello")) == sample_key(_sample("hi there", "HELLO"))
    assert sample_key(_sample("Hi", "Hello")) != sample_key(_sample("Hi", "Hello!"))


def test_text_that_moves_between_turns_makes_another_sample() -> None:
    assert sample_key(_sample("ab", "c")) != sample_key(_sample("a", "bc"))


def test_the_copy_on_the_test_side_stays() -> None:
    assert find_duplicates(["k", "k", "k"], ["train", "test", None]) == {0: 1, 2: 1}
    assert find_duplicates(["k", "k"], [None, None]) == {1: 0}


def test_a_dialogue_is_grouped_with_its_first_question() -> None:
    groups = group_samples([_sample("Lost card", "Which?", "This", "Done"), _sample("lost card!", "Call us")])
    assert groups[0] == groups[1]


def test_a_greeting_that_opens_many_dialogues_joins_none() -> None:
    samples = [_sample("Hi", "How can I help?", f"question {n}", f"answer {n}") for n in range(40)]
    assert len(set(group_samples(samples))) == 40


def test_a_question_of_many_single_turn_samples_stays_one_group() -> None:
    samples = [_sample("What is it?", f"answer {n}") for n in range(40)]
    assert len(set(group_samples(samples))) == 1


def test_a_tag_and_a_question_join_groups() -> None:
    samples = [_sample("a", "1", c="x"), _sample("b", "2", c="x"), _sample("b", "3", c="y"), _sample("d", "4")]
    first, second, third, fourth = group_samples(samples, "c")
    assert first == second == third != fourth


def test_a_system_message_makes_no_other_question() -> None:
    plain = _sample("q", "a")
    with_system = plain.model_copy(update={"messages": (Message(role="system", content="s"), *plain.messages)})
    assert prompt_key(plain) == prompt_key(with_system)


def test_different_answers_to_one_question_are_found() -> None:
    samples = [_sample("q?", "a"), _sample("Q", "b"), _sample("r", "c"), _sample("r", "C")]
    assert contradictions(samples) == [[0, 1]]
