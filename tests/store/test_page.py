"""The offline page: complete, safe against what stands in texts, the same bytes each time."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneloop.store.page import Block, Callout, Pairs, Paragraph, Plot, Section, Table, Texts, render_page

FIGURE = json.dumps(
    {"data": [{"type": "bar", "x": ["a"], "y": [1]}], "layout": {"title": {"text": "T"}, "template": {}}}
)


class _Elements(HTMLParser):
    """Collects the elements of a page and the text outside of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += data


def _parse(page: str) -> _Elements:
    elements = _Elements()
    elements.feed(page)
    return elements


def _page(*blocks: Block) -> str:
    return render_page("Report", [Section("Part", blocks)], "en")


def test_every_block_shows_its_text() -> None:
    page = _parse(
        _page(
            Paragraph("a paragraph"),
            Table(("name", "count"), (("alpha", "1,234"),), caption="a caption"),
            Pairs((("label", "value"),)),
            Texts((("before", "long text"),)),
            Callout("bad", "a warning"),
        )
    )
    for text in ("a paragraph", "name", "alpha", "1,234", "a caption", "label", "value", "long text", "a warning"):
        assert text in page.text


def test_plotly_stands_in_the_page_once_and_only_where_there_is_a_plot() -> None:
    with_plots = render_page("R", [Section("P", (Plot(FIGURE, "one"), Plot(FIGURE, "two")))], "en")
    without = _page(Paragraph("nothing to plot"))
    assert with_plots.count("plotly.js v") == 1
    assert len(with_plots) > 1_000_000
    assert len(without) < 20_000
    assert _parse(with_plots).attributes.count(("aria-label", "one")) == 1


def test_nothing_is_fetched_from_anywhere() -> None:
    page = _page(Plot(FIGURE, "alt"), Paragraph("text"))
    elements = _parse(page)
    assert not {"link", "img", "iframe"} & set(elements.names)
    assert not [
        value for name, value in elements.attributes if name in ("src", "href") and not (value or "").startswith("#")
    ]
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "&lt;b&gt;"]
)
def test_texts_are_shown_and_never_run(text: str) -> None:
    page = _parse(
        _page(Paragraph(text), Table((text,), ((text,),), caption=text), Pairs(((text, text),)), Texts(((text, text),)))
    )
    assert page.text.count(text) >= 7
    assert "script" not in page.names
    assert "img" not in page.names


def test_text_in_a_plot_can_not_end_the_script() -> None:
    figure = json.dumps({"data": [{"name": "</script><img src=x>"}], "layout": {}})
    page = _parse(_page(Plot(figure, "</div><img>")))
    assert "img" not in page.names


def test_figures_are_set_right_and_words_left() -> None:
    page = _page(Table(("name", "n"), (("row 3", "12.5%"), ("b", "−3"))))
    assert re.findall(r'<td class="number">(.*?)</td>', page) == ["12.5%", "−3"]
    assert '<th scope="col" class="number">n</th>' in page


def test_an_empty_table_says_so() -> None:
    assert "nothing" in _parse(_page(Table(("a", "b"), ()))).text


def test_the_page_names_its_language() -> None:
    assert '<html lang="zh-CN">' in render_page("报告", [Section("一", (Paragraph("二"),))], "zh")
    assert '<html lang="en">' in _page(Paragraph("text"))


def test_links_to_the_parts_stand_above_when_there_are_several() -> None:
    sections = [Section(f"Part {n}", (Paragraph("text"),)) for n in range(3)]
    page = _parse(render_page("R", sections, "en"))
    targets = [value for name, value in page.attributes if name == "href"]
    anchors = [value for name, value in page.attributes if name == "id"]
    assert targets == [f"#{anchor}" for anchor in anchors]


@settings(max_examples=30)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_the_same_content_is_the_same_page(text: str) -> None:
    assert _page(Paragraph(text), Callout("good", text)) == _page(Paragraph(text), Callout("good", text))
