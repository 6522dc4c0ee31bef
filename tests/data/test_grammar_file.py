"""Grammar files: what is wrong in one is refused with the file, the place and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.errors import DataError
from tuneloop.data.grammar_file import Grammar, load_grammar, read_grammar

GOOD = """
name: shop
language: en
common: {opening: Hello., closing: Bye.}
slots: {order: {pattern: "####", code: true}, town: {values: [Rome, Oslo]}}
intents:
  refund:
    slots: [order]
    wordings: ["Refund for {order}", "I want my money back for order {order}."]
    points: [{id: form, text: "Fill in the form for {order}."}]
    clarify:
      missing: order
      wordings: [Refund please, I want my money back.]
      ask: Which order is it?
      replies: ["{order}", "Order {order}"]
refusals:
  jokes: {wordings: [Tell a joke, Be funny], answer: We cannot do that.}
"""


def read(tmp_path: Path, text: str) -> Grammar:
    path = tmp_path / "shop.en.yaml"
    path.write_text(text, encoding="utf-8")
    return read_grammar(path)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    grammar = read(tmp_path, GOOD)
    assert (grammar.name, list(grammar.intents), list(grammar.refusals)) == ("shop", ["refund"], ["jokes"])


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("name: shop", "name: [", "data.grammar_invalid", "wrong at"),
        ("name: shop\n", "", "data.grammar_invalid", "name"),
        ("language: en", "language: fr", "data.grammar_invalid", "language"),
        ("opening: Hello.", "openning: Hello.", "data.grammar_invalid", "common.open"),
        ("Refund for {order}", "Refund for {number}", "data.grammar_slot_unknown", "{number}"),
        ("form for {order}.", "form for {town}.", "data.grammar_slot_unknown", "{town}"),
        ("[Refund please,", '["Refund {order} please",', "data.grammar_slot_unknown", "clarify.wordings"),
        ("missing: order", "missing: town", "data.grammar_slot_unknown", "clarify.missing"),
        ('"Order {order}"', '"Order"', "data.grammar_slot_missing", "clarify.replies"),
        ("Refund for {order}", "Refund[ for {order}|]", "data.grammar_slot_missing", "Refund[ for {order}|]"),
        ("[Tell a joke,", "[refund please,", "data.grammar_wording_twice", "refund.clarify.wordings"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, old: str, new: str, code: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(DataError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert caught.value.code == code
    assert says in caught.value.message("en")
    assert "shop.en.yaml" in caught.value.message("zh")
    assert caught.value.hint("en") != caught.value.hint("zh")


def test_a_file_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shop.en.yaml"
    path.write_bytes(b"name: \xff\xfe")
    with pytest.raises(DataError, match="wrong at"):
        read_grammar(path)


def test_an_unknown_grammar_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DataError) as caught:
        load_grammar("bakery", "en")
    assert caught.value.code == "data.grammar_missing"
    assert "bank-service.en" in caught.value.hint("en")
