"""Rules about a whole sample."""

from __future__ import annotations

import pytest

from tuneloop.data.cleaning.config import CleanConfig
from tuneloop.data.cleaning.judgements import too_long, too_short, wrong_language


@pytest.mark.parametrize(("answer", "found"), [("...", "..."), ("是", None), ("👍", None), ("5", None)])
def test_an_answer_of_punctuation_alone_is_too_short(answer: str, found: str | None) -> None:
    assert too_short(CleanConfig())([("user", "Is it open?"), ("assistant", answer)]) == found


def test_the_shortest_length_can_be_set() -> None:
    find = too_short(CleanConfig(min_answer=10))
    assert find([("user", "Hi"), ("assistant", "Yes, it is.")]) == "Yes, it is."
    assert find([("user", "Hi"), ("assistant", "Yes, it really is.")]) is None


def test_a_question_or_an_answer_can_be_too_long() -> None:
    find = too_long(CleanConfig(max_question=3, max_answer=5))
    assert find([("user", "abcd"), ("assistant", "a")]) == "abcd"
    assert find([("user", "abc"), ("assistant", "abcdef")]) == "abcdef"
    assert find([("user", "abc"), ("assistant", "abcde")]) is None


@pytest.mark.parametrize(
    ("language", "answer", "found"),
    [
        ("zh", "Please open the app and tap Cards.", True),
        ("zh", "请打开 App 的 Cards 页面，然后点击 Block。", False),
        ("zh", "lost_card", False),
        ("en", "请打开手机银行，点击“卡片管理”，然后选择“挂失”并确认操作。", True),
        ("en", "Please open the app and tap Cards.", False),
        ("en", "Bitte öffnen Sie die App und tippen Sie auf Karten.", True),
        ("en", "Пожалуйста, откройте приложение банка.", True),
    ],
)
def test_an_answer_in_another_language_is_found(language: str, answer: str, found: bool) -> None:
    assert (wrong_language(language)([("user", "?"), ("assistant", answer)]) is not None) == found
