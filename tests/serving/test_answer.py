"""What answers: prompts as in training, whole characters, and clear words about what can't be answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tuneloop.core.errors import UsageError
from tuneloop.core.records import Message
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import Sampling
from tuneloop.models.tiny import build_tiny
from tuneloop.serving.answer import Answerer, as_messages

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def answerer() -> Answerer:
    loaded = build_tiny()
    return Answerer(loaded, Engine(loaded.model), name="base:tiny", sampling=Sampling(max_new_tokens=8))


class Says:
    """An engine that says fixed tokens."""

    def __init__(self, ids: list[int]) -> None:
        self._ids = ids

    def stream(self, request: Any) -> Iterator[int]:
        yield from self._ids


def test_streaming_gives_the_same_text_as_answering(answerer: Answerer) -> None:
    assert "".join(answerer.stream(HELLO)) == answerer.answer(HELLO)


def test_records_and_mappings_are_the_same_conversation(answerer: Answerer) -> None:
    assert answerer.answer([Message(role="user", content="Hello")]) == answerer.answer(HELLO)


def test_answers_come_in_the_order_of_the_questions_and_equal_ones_once(answerer: Answerer) -> None:
    conversations = [[{"role": "user", "content": text}] for text in ("a", "b", "a", "c")]
    answers = answerer.answer_many(conversations)
    assert [answer.text for answer in answers] == [answerer.answer(conversation) for conversation in conversations]
    assert answers[0] is answers[2]
    assert answerer.answer_many([]) == []


def test_a_character_of_several_tokens_is_never_cut(answerer: Answerer, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "é中😀!"
    ids = list(answerer.template.render([Message(role="user", content=text)]).ids)
    said = [token for token in ids if answerer.template.decode([token])]
    inside = said[said.index(ids[ids.index(said[0])]) :]
    monkeypatch.setattr(answerer, "_engine", Says(inside))
    pieces = list(answerer.stream(HELLO))
    assert "\ufffd" not in "".join(pieces[:-1])
    assert text in "".join(pieces)


def test_the_system_message_of_the_training_is_put_before_what_has_none() -> None:
    loaded = build_tiny()
    engine = Engine(loaded.model)
    plain, briefed = Answerer(loaded, engine, name="a"), Answerer(loaded, engine, name="b", system="Be brief.")
    asked = as_messages(HELLO)
    with_system = (Message(role="system", content="Be brief."), *asked)
    assert briefed._request(HELLO).ids == plain._request(with_system).ids == briefed._request(with_system).ids
    assert briefed._request(HELLO).ids != plain._request(HELLO).ids


def test_an_answer_never_passes_the_models_context(answerer: Answerer) -> None:
    room = 2048 - len(answerer._request(HELLO).ids)
    long = [{"role": "user", "content": "Hello" + "x" * (room - 3)}]
    assert answerer._request(long).sampling.max_new_tokens == 3
    with pytest.raises(UsageError) as caught:
        answerer.answer([{"role": "user", "content": "x" * 4000}])
    assert caught.value.code == "serving.prompt_too_long"


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], "serving.no_question"),
        ([{"role": "user", "content": "  "}], "serving.no_question"),
        ([{"role": "assistant", "content": "Hi"}], "serving.no_question"),
        ([{"role": "boss", "content": "Hi"}], "serving.message_invalid"),
        ([{"content": "Hi"}], "serving.message_invalid"),
        (["Hi"], "serving.message_invalid"),
        ("Hi", "serving.message_invalid"),
    ],
)
def test_what_cannot_be_answered_is_told(messages: Any, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        as_messages(messages)
    assert caught.value.code == code
    assert caught.value.message("zh")
    assert caught.value.hint("zh")
