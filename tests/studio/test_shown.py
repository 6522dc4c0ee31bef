"""What a model says is shown, and never runs."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from tuneloop.evaluation.script import Violation
from tuneloop.studio.shown import answer, conversation
from tuneloop.studio.talk import Spoken, Turn


def violation(span: str, *, hard: bool = True) -> Violation:
    return Violation(rule="no_promise", hard=hard, code="evaluation.rule_forbidden", values={"text": "<b>"}, span=span)


class Tags(HTMLParser):
    """Collects the tags of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.add(tag)


@given(st.text(max_size=60), st.text(max_size=10))
def test_no_text_of_a_model_becomes_markup_or_ends_the_block(said: str, span: str) -> None:
    html = answer(Spoken("base", text=said, finish_reason="stop", judged=3, violations=(violation(span),)), "en")
    tags = Tags()
    tags.feed(html)
    assert tags.found <= {"div", "mark", "br", "ul", "li", "code"}
    assert "\n" not in html


def test_what_breaks_a_rule_is_marked_also_where_spans_overlap() -> None:
    broken = (violation("we guarantee"), violation("guarantee it"), violation("not there"))
    html = answer(Spoken("b", text="Yes, we guarantee it.", finish_reason="stop", judged=5, violations=broken), "en")
    assert "Yes, <mark>we guarantee it</mark>." in unescape(html)
    assert "Breaks 1 of 5 rules" in html
    assert "tl-bad" in html
    assert "forbidden words: “&lt;b&gt;”" in html


def test_a_soft_rule_is_a_warning_and_a_clean_answer_is_praised() -> None:
    soft = Spoken("b", text="Hi", finish_reason="stop", judged=5, violations=(violation("", hard=False),))
    assert "tl-soft" in answer(soft, "en")
    assert "Follows the script: 5 rules judged" in answer(Spoken("b", text="Hi", finish_reason="stop", judged=5), "en")
    assert "tl-rules" not in answer(Spoken("b", text="Hi", finish_reason="stop"), "en")


def test_the_figures_stand_below_the_answer_in_both_languages() -> None:
    said = Spoken("bank@v0001", text="Hi", finish_reason="length", first_token_seconds=0.043, seconds=1.043, tokens=51)
    english, chinese = answer(said, "en"), answer(said, "zh")
    for told in ("bank@v0001", "first token 43 ms", "51 tokens", "50 tokens/s", "cut at the limit"):
        assert told in english
    for told in ("bank@v0001", "首词元 43 毫秒", "每秒 50 个词元"):
        assert told in chinese


def test_an_error_stands_where_the_answer_would() -> None:
    said = Spoken("bank@v0001", finish_reason="error", error="There is <no> adapter.")
    assert answer(said, "en") == '<div class="tl-rules tl-bad">There is &lt;no&gt; adapter.</div>'
    turns = (Turn("a\n\nb", (said, said)),)
    assert [message["role"] for message in conversation(turns, 0, "en")] == ["user", "assistant"]
    assert "a<br><br>b" in conversation(turns, 0, "en")[0]["content"]
