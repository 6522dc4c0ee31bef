"""Plots of the report: their colours, and plotly figures as JSON."""

from __future__ import annotations

import json
from typing import Any

COLOURS = ("#9aa5b1", "#5b8def", "#1f9d6b", "#c98a1b", "#8e5bd0")


def colours(count: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(count)]


def figure(traces: list[dict[str, Any]], **layout: Any) -> str:
    """A plotly figure as JSON."""
    margins = {"l": 60, "r": 20, "t": 20, "b": 50}
    frame = {"template": "none", "margin": margins, "height": 360, "legend": {"orientation": "h", "y": 1.12}}
    return json.dumps({"data": traces, "layout": {**frame, **layout}}, ensure_ascii=False)
