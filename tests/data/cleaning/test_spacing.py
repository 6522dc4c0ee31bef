"""Rules about spaces and repeated marks."""

from __future__ import annotations

import pytest

from tuneloop.data.cleaning.spacing import repeated_punctuation, whitespace


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  a  b  ", "a b"),
        ("a\u3000\u3000b", "a b"),
        ("a\xa0b", "a b"),
        ("\u3000\u3000段落", "段落"),
        ("a  \nb", "a\nb"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("a\r\n\r\n\r\nb", "a\n\nb"),
        ("x\n    indented  twice", "x\n    indented twice"),
    ],
)
def test_spaces_are_tidied(before: str, after: str) -> None:
    assert whitespace(before) == after


def test_code_blocks_keep_their_spaces() -> None:
    code = "Do:\n```\na   =  1\n\n\n\nb = 2\n```\nend"
    assert whitespace(code) == code


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Help!!!!", "Help!"),
        ("what??", "what??"),
        ("在吗？？？？", "在吗？"),
        ("好的。。", "好的。"),
        ("好的。。。。", "好的……"),
        ("wait.......", "wait..."),
        ("…………", "……"),
        ("a,,,b", "a,,,b"),
        ("use `a!!!!` now!!!", "use `a!!!!` now!"),
        ("---\n***\n===", "---\n***\n==="),
    ],
)
def test_repeated_marks_are_reduced(before: str, after: str) -> None:
    assert repeated_punctuation(before) == after
