"""One offline HTML file from headings and blocks: every report of tuneloop is a list of sections.

Nothing is fetched when the file is opened: styles stand inside, plotly.js is put in once and only where there is a plot,
and a content-security policy keeps the page from reaching out. What stands in texts is shown, never run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from jinja2 import Environment, Template
from markupsafe import Markup

from tuneloop.core.messages import Language, text

Status = Literal["good", "bad", "neutral"]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of plain text; line ends stay."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table; cells that read as numbers are set right-aligned."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """A plotly figure as JSON (`figure.to_json()`), and what it shows in words."""

    figure_json: str
    alt: str
    heights: tuple[float, ...] = ()
    """Of its bars, where one line of a terminal can show them."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Labels with a short value each: the figures of a headline."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """A text in pieces, each of which is marked or not."""

    pieces: tuple[tuple[str, bool], ...]
    note: str = ""
    """Remarks on the text, below it: they stay in sight where a long text scrolls."""

    def __str__(self) -> str:
        return "".join(piece for piece, _ in self.pieces)


@dataclass(frozen=True, slots=True)
class Texts:
    """Labels with a long text each, side by side where there is room."""

    items: tuple[tuple[str, str | Marked], ...]


@dataclass(frozen=True, slots=True)
class Callout:
    """A sentence that must not be missed."""

    status: Status
    text: str


Block = Paragraph | Table | Plot | Pairs | Texts | Callout


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    blocks: tuple[Block, ...]


def render_page(title: str, sections: Sequence[Section], language: Language) -> str:
    """Render a report as one HTML file that opens without a network and prints well.

    Args:
        title: heading of the page.
        sections: its parts, in order; with three or more, links to them stand above.
        language: language of the page, for fonts, hyphenation and screen readers.
    """
    has_plot = any(isinstance(block, Plot) for section in sections for block in section.blocks)
    return _template().render(
        title=title,
        sections=sections,
        language="zh-CN" if language == "zh" else "en",
        contents=text("general.contents", language),
        no_rows=text("general.no_rows", language),
        plotly=_plotly() if has_plot else None,
    )


def _template() -> Template:
    return _environment().from_string(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(kind=_kind, numeric=_is_numeric, figures_under=_figures_under, figure=_figure)
    return environment


def _kind(block: Block) -> str:
    return type(block).__name__


def _is_numeric(cell: str) -> bool:
    """Say whether a cell reads as a figure.

    >>> [_is_numeric(cell) for cell in ("1,234", "12.5%", "−3.2", "0.62 [0.58, 0.66]", "–", "row 3", "+4.5 points")]
    [True, True, True, True, True, False, True]
    """
    bare = cell.strip()
    if bare[:1] in ("+", "-", "−") and bare[1:2].isdigit():  # a difference, whatever its unit
        return True
    return bool(bare) and not any(letter.isalpha() for letter in bare) and (bare[0] in "+-−–—<~≈" or bare[0].isdigit())


def _figures_under(table: Table, position: int) -> bool:
    """Say whether a column holds figures only, so that its heading is set like them."""
    return bool(table.rows) and all(_is_numeric(row[position]) for row in table.rows if position < len(row))


def _figure(figure_json: str) -> Markup:
    """A figure as a JavaScript literal inside a script element, which no text in it can end.

    The same figure always gives the same text. Colours and fonts come from the page.
    """
    figure = json.loads(figure_json)
    kept = {"data": figure.get("data", []), "layout": figure.get("layout", {})}
    encoded = json.dumps(kept, ensure_ascii=True, separators=(",", ":"))
    return Markup(encoded.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


@lru_cache(maxsize=1)
def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())
