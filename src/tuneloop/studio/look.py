"""How the page looks: a quiet theme with the fonts that a machine has, and nothing that is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

FONTS = ("system-ui", "-apple-system", "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif")

RING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<circle cx="16" cy="16" r="11" fill="none" stroke="#2458b5" stroke-width="6"/></svg>'
)
"""The icon: the loop."""

ICON = f'<link rel="icon" href="data:image/svg+xml,{quote(RING)}">'
"""As the page names it; browsers that ask for /favicon.ico all the same get it too."""

CSS = Path(__file__).with_name("page.css")


def theme() -> Any:
    """The theme of every page."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=list(FONTS),
        font_mono=["ui-monospace", "Consolas", "monospace"],
    ).set(
        body_background_fill="#f7f8fa",
        body_background_fill_dark="*neutral_950",
        block_shadow="none",
        block_label_background_fill="transparent",
        body_text_color_subdued="#5b6675",
        button_secondary_background_fill="white",
        button_secondary_background_fill_hover="#eef3fb",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="#d5dbe4",
        button_secondary_border_color_dark="*neutral_700",
        button_secondary_text_color="#1c2430",
        button_secondary_text_color_dark="*neutral_100",
        button_border_width="1px",
        button_primary_background_fill="#2458b5",
        button_primary_background_fill_hover="#1c4791",
        button_primary_text_color="white",
        color_accent="#2458b5",
    )
