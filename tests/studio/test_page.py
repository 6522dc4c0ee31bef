"""The page in a real browser: what a person does, in both languages, with no way out to the net."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from tuneloop.serving.app import make_app
from tuneloop.serving.served import ServedModels
from tuneloop.store.access import create_key
from tuneloop.store.feedback import list_feedback
from tuneloop.store.workspace import Workspace
from tuneloop.studio.desk import Desk
from tuneloop.studio.page import mount

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
PATIENCE = 60_000
"""Milliseconds; machines that run tests are busy."""

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
"""Gradio's and playwright's own."""


@pytest.fixture(scope="module")
def address(desk: Desk) -> Iterator[str]:
    """Where the application with the page listens."""
    app = make_app(desk.models, desk.backend, desk.config)
    app.router.lifespan_context = _idle  # the desk's worker goes on for other tests
    mount(app)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless browser."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed (Debian: apt install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """One visitor's page, and what it asked the net for."""

    def __init__(self, browser: Any, address: str, locale: str) -> None:
        self.context = browser.new_context(locale=locale, viewport={"width": 1360, "height": 1000})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.goto(f"{address}/studio")
        self.page.wait_for_selector("#tl-question textarea")

    def ask(self, question: str) -> None:
        """Ask, and wait until both have answered."""
        before = self.page.locator(".tl-figures").count()
        self.page.fill("#tl-question textarea", question)
        self.page.keyboard.press("Enter")
        self.page.wait_for_function(f"document.querySelectorAll('.tl-figures').length == {before + 2}")
        self.page.wait_for_selector("#tl-send", state="visible")

    def kept(self, words: str) -> None:
        """Wait for the sentence that confirms."""
        self.page.wait_for_function(f"document.querySelector('#tl-kept').innerText.includes({words!r})")


@pytest.fixture(scope="module")
def english(browser: Any, address: str) -> Iterator[Visit]:
    visit = Visit(browser, address, "en-US")
    yield visit
    visit.context.close()


def test_two_arms_answer_and_what_one_thinks_of_them_is_kept(english: Visit, desk: Desk) -> None:
    page = english.page
    english.ask("Hello")
    english.ask("And then?")
    assert page.locator("#tl-chat-left .tl-figures").count() == page.locator("#tl-chat-right .tl-figures").count() == 2
    assert "first token" in page.inner_text("#tl-chat-right .tl-figures >> nth=1")
    page.click("#tl-vote-right")
    english.kept("right is better")
    page.locator("#tl-chat-left button[title='Like'], #tl-chat-left button[aria-label='Like']").first.click()
    english.kept("good")
    page.click("#tl-correct button")
    page.wait_for_selector("#tl-corrected textarea")
    page.wait_for_function("document.querySelector('#tl-corrected textarea').value.length > 0")
    page.fill("#tl-corrected textarea", "As it should be.")
    page.click("#tl-correct-save")
    english.kept("corrected")
    choice, thumb, correction = list_feedback(desk.workspace)
    assert (choice.kind, choice.value, choice.model) == ("choice", "right", "base")
    assert choice.other_model == correction.model == page.input_value("#tl-arm-right input").split()[0]
    assert [message.role for message in choice.messages] == ["user", "assistant", "user"]
    assert (thumb.kind, thumb.value, thumb.model, len(thumb.messages)) == ("thumbs", "up", "base", 1)
    assert correction.corrected == "As it should be."
    assert english.wrong == []


def test_a_turn_is_taken_back_and_a_conversation_begun_anew(english: Visit) -> None:
    page = english.page
    page.click("#tl-clear")
    page.wait_for_function("document.querySelectorAll('.tl-figures').length == 0")
    english.ask("One")
    english.ask("Two")
    page.click("#tl-undo")
    page.wait_for_function("document.querySelectorAll('.tl-figures').length == 2")
    assert page.input_value("#tl-question textarea") == "Two"


def test_the_page_is_chinese_for_who_reads_chinese_and_nothing_comes_from_elsewhere(
    english: Visit, browser: Any, address: str
) -> None:
    visit = Visit(browser, address, "zh-CN")
    visit.ask("你好")
    assert visit.page.url.endswith("/studio/zh/")
    assert visit.page.title() == "tuneloop 工作台"
    assert "首词元" in visit.page.inner_text("#tl-chat-left .tl-figures")
    visit.page.click("#tl-vote-tie")
    visit.kept("不分上下")
    asked = [*english.asked, *visit.asked]
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert visit.wrong == []
    visit.context.close()


def test_the_entrance_goes_to_the_readers_language(desk: Desk) -> None:
    app = make_app(desk.models, desk.backend, desk.config)
    mount(app)
    client = TestClient(app, follow_redirects=False)
    for given, language in (("zh-CN,en", "zh"), ("en", "en"), ("fr", "en"), ("", "en")):
        for path in ("/", "/studio", "/studio/"):
            assert client.get(path, headers={"accept-language": given}).headers["location"] == f"/studio/{language}/"
    policy = client.get("/studio/en/").headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "http" not in policy


def test_where_there_are_keys_only_one_without_limits_opens_the_page(desk: Desk, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).ensure()
    models = ServedModels(desk.models.loaded, "tiny", workspace)
    app = make_app(models, desk.backend, desk.config, keys_required=True)
    mount(app)
    client = TestClient(app)
    _, secret = create_key(workspace, role="admin")
    _, limited = create_key(workspace, role="admin", adapters=("bank",))
    assert client.get("/studio/en/").status_code == 401
    assert client.get("/studio/en/").headers["www-authenticate"].startswith("Basic")
    assert client.post("/studio/en/gradio_api/queue/join", json={}).status_code == 401
    assert client.get("/studio/en/", auth=("me", "tl_wrong")).status_code == 401
    assert client.get("/studio/en/", auth=("me", limited)).status_code == 401
    assert client.get("/studio/en/", auth=("me", secret)).status_code == 200
    assert client.get("/health").status_code == 200


def _idle(app: Any) -> Any:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def lifespan(app: Any) -> Any:
        yield

    return lifespan(app)
