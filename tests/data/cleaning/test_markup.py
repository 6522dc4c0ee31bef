"""The rule about HTML."""

from __future__ import annotations

import pytest

from tuneloop.data.cleaning.markup import html


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("a<br/>b<BR>c", "a\nb\nc"),
        ("<ol><li>free</li><li>safe</li></ol>", "- free\n- safe"),
        ('<a href="/js/app.html">Cards</a> &gt; <b>Limits</b>', "Cards > Limits"),
        ("x<script type='text/javascript'>if (a < b) alert('<p>')</script>y<style>p {}</style>", "xy"),
        ("a<!-- hidden <b> -->b", "ab"),
        ("Fees&nbsp;&amp;&nbsp;limits &#8212; &#x4f60;好", "Fees\xa0&\xa0limits — 你好"),
        ("zero&#8203;width", "zerowidth"),
        ("<font color=red>急</font>", "急"),
    ],
)
def test_html_becomes_plain_text(before: str, after: str) -> None:
    assert html(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "a < b, c > d, x <y> z",
        "Use `<div>` and ```\n<p>&amp;</p>\n```",
        "How do I centre a <div> in CSS?",
        "<!DOCTYPE html><html><body><p>Hi</p></body></html>",
        "&unknown; &;, AT&T, R&D;",
        "Press <Enter>, then mv <source> <target>, or <name>.",
        "<script>never closed",
        "i <b> j",
    ],
)
def test_what_is_no_markup_or_about_it_stays(text: str) -> None:
    assert html(text) == text
