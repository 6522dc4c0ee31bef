"""The renderer on the tiny model; what all templates must keep to is in tests/contracts/test_templates.py."""

import pytest
from tokenizers import AddedToken

from tuneloop.core.records import Message
from tuneloop.models.template import ChatTemplate
from tuneloop.models.tiny import build_byte_tokenizer

TEMPLATE = ChatTemplate(build_byte_tokenizer())


def user(content: str) -> Message:
    return Message(role="user", content=content)


def assistant(content: str) -> Message:
    return Message(role="assistant", content=content)


def test_the_supervised_tokens_are_the_answer_and_its_stop_token_but_not_the_newline_after_it():
    whole = TEMPLATE.render([user("hi"), assistant("yes")])
    said = [place for place, supervised in enumerate(whole.supervised) if supervised]
    assert said == list(range(len(whole.ids) - 5, len(whole.ids) - 1))
    assert whole.ids[said[-1]] == TEMPLATE.stop_ids[0]


def test_every_assistant_turn_is_supervised():
    whole = TEMPLATE.render([user("a"), assistant("one"), user("b"), assistant("two")])
    said = [token for token, supervised in zip(*whole, strict=True) if supervised]
    stop = said.index(TEMPLATE.stop_ids[0])
    assert TEMPLATE.decode(said[:stop]) == "one"
    assert TEMPLATE.decode(said[stop + 1 :]) == "two"


def test_a_conversation_without_an_answer_has_nothing_supervised():
    assert not any(TEMPLATE.render([user("a")]).supervised)


def test_decoding_stops_at_the_stop_token():
    ids = TEMPLATE.render([user("x")]).ids
    assert TEMPLATE.decode([*ids[6:7], TEMPLATE.stop_ids[0], *ids]) == "x"


def test_newlines_in_a_message_survive_where_the_template_writes_an_added_newline_token():
    tokenizer = build_byte_tokenizer()
    tokenizer.add_tokens([AddedToken("\n", normalized=False), AddedToken("\n\n", normalized=False)])
    template = ChatTemplate(tokenizer)
    whole = template.render([user("a"), assistant("one\ntwo\n\nthree")])
    said = [token for token, supervised in zip(*whole, strict=True) if supervised]
    assert tokenizer.convert_tokens_to_ids("\n") in said
    assert template.decode(said) == "one\ntwo\n\nthree"


def test_an_empty_batch_renders_to_nothing():
    assert TEMPLATE.render_many([]) == []
    assert TEMPLATE.prompt_many([]) == []


@pytest.mark.parametrize("change", [{"eos_token": "<pad>"}, {"chat_template": None}])
def test_the_hash_tells_templates_and_special_tokens_apart(change):
    other = build_byte_tokenizer()
    for name, value in change.items():
        setattr(other, name, value)
    assert ChatTemplate(build_byte_tokenizer()).sha256 == TEMPLATE.sha256
    assert ChatTemplate(other).sha256 != TEMPLATE.sha256
