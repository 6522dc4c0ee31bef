"""How the page looks: a quiet theme with the fonts that a machine has, and nothing that is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

FONTS = ("system-ui", "-apple-system", "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif")

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
        button_primary_background_fill="#2458b5",
        button_primary_background_fill_hover="#1c4791",
        button_primary_text_color="white",
        color_accent="#2458b5",
    )
