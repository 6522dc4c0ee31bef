"""The studio's page: a tab for every file in the table, in two languages, on an application that serves."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any, get_args

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from tuneloop.core.messages import Language, current_language, text
from tuneloop.studio import chat
from tuneloop.studio.desk import Desk
from tuneloop.studio.door import Door
from tuneloop.studio.look import CSS, ICON, RING, theme

PATH = "/studio"

Tab = Callable[[Any, Desk, Language], None]
"""Fills a tab: the page (for what happens when it is opened), what there is to work with, the language."""

TABS: dict[str, Tab] = {"chat": chat.build}
"""In their order; `studio.tab.<name>` is what stands on it."""

NAMES: dict[Language, str] = {"en": "English", "zh": "中文"}


def mount(app: FastAPI) -> None:
    """Put the page on an application: `/studio/en`, `/studio/zh`, and `/studio`, which goes to the reader's language.

    Args:
        app: the server's, as `make_app` makes it.
    """
    desk = Desk(app.state.server)
    usual = current_language()

    app.add_middleware(Door, keys=app.state.server.keys, path=PATH)

    @app.get("/", include_in_schema=False)
    @app.get(PATH, include_in_schema=False)
    @app.get(f"{PATH}/", include_in_schema=False)
    async def entrance(request: Request) -> RedirectResponse:
        wanted = request.headers.get("accept-language", "")[:2].lower()
        language = wanted if wanted in NAMES else usual
        return RedirectResponse(f"{PATH}/{language}/")

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        return Response(RING, media_type="image/svg+xml")

    for language in get_args(Language):
        page = make_page(desk, language)
        gr.mount_gradio_app(
            app,
            page,
            f"{PATH}/{language}",
            footer_links=[],
            run_history=False,
            max_file_size="1mb",
            ssr_mode=False,
            enable_monitoring=False,
            mcp_server=False,
            theme=theme(),
            css_paths=[CSS],
            head=ICON,
        )


def make_page(desk: Desk, language: Language) -> Any:
    """The page in one language."""
    with gr.Blocks(title=text("studio.title", language), analytics_enabled=False) as page:
        gr.HTML(_head(desk, language))
        with gr.Tabs():
            for name, build in TABS.items():
                with gr.Tab(text(f"studio.tab.{name}", language), id=name):
                    build(page, desk, language)
        page.queue(default_concurrency_limit=None, api_open=False)
    return page


def _head(desk: Desk, language: Language) -> str:
    place = text("studio.place", language, base=desk.models.base_name, workspace=desk.workspace.root.name)
    links = "".join(
        f'<a href="{PATH}/{code}/" lang="{code}"{" aria-current=page" if code == language else ""}>{name}</a>'
        for code, name in NAMES.items()
    )
    return f'<div class="tl-head"><b>tune<i>loop</i></b><span>{escape(place)}</span><nav>{links}</nav></div>'
