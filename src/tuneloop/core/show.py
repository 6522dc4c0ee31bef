"""How results show themselves: as tables of text, from which a terminal, a notebook and `print` each make their own.

Standard library only. The command line draws the same tables with rich.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tuneloop.core.messages import Language, text


class Grid(NamedTuple):
    """A table of text."""

    title: str
    columns: tuple[str, ...]
    """Heads of the columns; empty texts when there is nothing to say above them."""
    rows: tuple[tuple[str, ...], ...]


def grids(record: Any, language: Language | None = None) -> tuple[Grid, ...]:
    """The tables of a result.

    Raises:
        KeyError: there is no table for this kind of record.
    """
    return _TABLES[type(record).__name__](record, language)


def as_text(tables: Iterable[Grid]) -> str:
    """Tables as plain text, aligned for a fixed-width font in which a Chinese character is two columns wide.

    >>> print(as_text([Grid("Pets", ("name", "legs"), (("cat", "4"), ("鸟", "2")))]))
    Pets
      name  legs
      cat   4
      鸟    2
    """
    return "\n".join(line for table in tables for line in _lines(table))


def as_html(tables: Iterable[Grid]) -> str:
    """Tables as HTML for a notebook; every text is escaped.

    >>> as_html([Grid("A <b>", ("x",), (("1",),))])
    '<table><caption>A &lt;b&gt;</caption><tr><th>x</th></tr><tr><td>1</td></tr></table>'
    """
    return "".join(_html(table) for table in tables)


def show_bytes(count: float) -> str:
    """
    >>> show_bytes(512), show_bytes(3_400_000_000)
    ('512 B', '3.4 GB')
    """
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} B"


def show_duration(seconds: float) -> str:
    """
    >>> show_duration(8.26), show_duration(75), show_duration(3725)
    ('8.3 s', '1 min 15 s', '1 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def width(line: str) -> int:
    """Columns of a fixed-width font that a text fills.

    >>> width("abc"), width("中文")
    (3, 4)
    """
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


def _lines(table: Grid) -> list[str]:
    rows = [table.columns, *table.rows] if any(table.columns) else list(table.rows)
    widths = [max(width(row[place]) for row in rows) for place in range(len(table.columns))] if rows else []
    return [table.title, *(f"  {_aligned(row, widths)}".rstrip() for row in rows)]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True))


def _html(table: Grid) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.columns)
    rows = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    head = f"<tr>{head}</tr>" if any(table.columns) else ""
    return f"<table><caption>{html.escape(table.title)}</caption>{head}{rows}</table>"


def facts(title: str, values: Mapping[str, str], language: Language | None = None) -> Grid:
    """A table of two columns: what, and how much. Keys are names in the catalogue; empty values are left out."""
    rows = tuple((text(f"general.{key}", language), value) for key, value in values.items() if value)
    return Grid(title, ("", ""), rows)


def _dataset(record: Any, language: Language | None) -> tuple[Grid, ...]:
    values = {f"split.{split}": f"{count:,}" for split, count in record.rows.items()}
    values["quarantined"] = f"{record.report.get('rows_quarantined', 0):,}"
    values |= {"folder": str(record.path)}
    return (facts(_title("dataset", f"{record.name}/{record.id}", record.reused, language), values, language),)


def _plan(record: Any, language: Language | None) -> tuple[Grid, ...]:
    columns = tuple(text(f"general.{name}", language) for name in ("setting", "value", "reason"))
    choices = tuple((choice.name, show_value(choice.value), choice.reason) for choice in record.choices)
    tables = [Grid(text("general.plan", language), columns, choices)]
    if record.findings:
        columns = tuple(text(f"general.{name}", language) for name in ("check", "outcome", "finding"))
        findings = tuple(
            (f.check, text(f"general.status.{f.status}", language), " → ".join(filter(None, (f.message, f.fix))))
            for f in record.findings
        )
        tables.append(Grid(text("general.findings", language), columns, findings))
    return tuple(tables)


def _run(record: Any, language: Language | None) -> tuple[Grid, ...]:
    loss = record.best_validation_loss
    values = {
        "steps": f"{record.steps:,}",
        "best_step": f"{record.best_step:,}",
        "best_validation_loss": "" if loss is None else f"{loss:.4f}",
        "time": show_duration(record.seconds),
        "speed": text("general.tokens_per_second", language, count=f"{record.tokens_per_second:,.0f}"),
        "memory_used": show_bytes(record.memory_bytes),
        "state": text("general.finished" if record.finished else "general.unfinished", language),
        "folder": str(record.path),
    }
    return (facts(_title("run", record.id, record.reused, language), values, language),)


def _evaluation(record: Any, language: Language | None) -> tuple[Grid, ...]:
    arms = list(record.arms)
    metrics = list(dict.fromkeys(metric for figures in record.arms.values() for metric in figures))
    rows = tuple((metric, *(_figure(record.arms[arm].get(metric)) for arm in arms)) for metric in metrics)
    table = Grid(_title("evaluation", record.id, record.reused, language), ("", *arms), rows)
    values = {"verdict": record.verdict.text, "folder": str(record.path)}
    return (table, facts(text("general.verdict", language), values, language))


def _adapter(record: Any, language: Language | None) -> tuple[Grid, ...]:
    values = {
        "base_model": record.base_model,
        "run": record.run_id,
        "aliases": ", ".join(record.aliases),
        "created_at": record.created_at,
        "folder": str(record.path),
    }
    return (facts(_title("adapter", record.label, False, language), values, language),)


def _title(kind: str, name: str, reused: bool, language: Language | None) -> str:
    note = f" ({text('general.reused', language)})" if reused else ""
    return f"{text(f'general.{kind}', language)} {name}{note}"


def _figure(figure: Any) -> str:
    if figure is None:
        return "–"
    interval = "" if figure.low is None or figure.high is None else f" ({figure.low:.3f}–{figure.high:.3f})"
    return f"{figure.value:.3f}{interval}"


def show_value(value: Any) -> str:
    """A planned value as a person writes it.

    >>> show_value(0.00131234), show_value(("q_proj", "v_proj")), show_value(16)
    ('0.00131', 'q_proj, v_proj', '16')
    >>> show_value(None)
    '–'
    """
    if isinstance(value, float):
        return f"{value:.3g}"
    if value is None:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


_TABLES: dict[str, Callable[[Any, Language | None], tuple[Grid, ...]]] = {
    "Dataset": _dataset,
    "Plan": _plan,
    "Run": _run,
    "Evaluation": _evaluation,
    "Adapter": _adapter,
}
"""By the record's name and not its class: records.py shows itself through this file."""
