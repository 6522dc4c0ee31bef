"""Paraphrase and back-translation by a server that speaks OpenAI's chat API: a real one, on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tuneloop.core.errors import DataError, NotAllowedError, TryAgainError
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.data.augment import endpoint as module
from tuneloop.data.augment.config import AugmentConfig, EndpointConfig
from tuneloop.data.augment.endpoint import ask, first_line
from tuneloop.data.augment.run import Made, augment

Reply = Callable[[dict[str, Any]], tuple[int, str]]


class Server:
    """Answers as the test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.reply: Reply = lambda body: (200, said("ok"))
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(body)
                outer.keys.append(self.headers.get("Authorization"))
                status, text = outer.reply(body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.config = EndpointConfig(base_url=f"http://127.0.0.1:{self.http.server_port}/v1/", model="m", timeout=5)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(module, "WAIT", 0.01)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server = Server()
    thread = Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


def said(content: str) -> str:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]})


def zh_samples(count: int) -> list[Sample]:
    return [
        Sample(
            id=f"{n}",
            messages=(
                Message(role="user", content=f"请问尾号{4000 + n}的VISA信用卡怎么挂失？"),
                Message(role="assistant", content="请先挂失。"),
            ),
            meta=Meta(source="faq.csv", row=n),
        )
        for n in range(count)
    ]


def test_chinese_is_translated_there_and_back_with_its_values(server: Server) -> None:
    def translate(body: dict[str, Any]) -> tuple[int, str]:
        asked = body["messages"][1]["content"]
        marks = re.findall(r"ZQ\d", asked)
        if "from Chinese to English" in body["messages"][0]["content"]:
            assert "4000" not in asked  # values do not leave the machine by way of a translation
            return 200, said(f"How do I report the {marks[1]} credit card ending in {marks[0]} lost?")
        return 200, said(f"尾号{marks[1]}的{marks[0]}信用卡丢了，如何挂失？")

    server.reply = translate
    translator = {"backend": "openai", "endpoint": server.config}
    config = AugmentConfig.model_validate({"back_translation": 1.0, "translator": translator})
    made = list(augment(zh_samples(3), config, language="zh", seed=1))
    assert [one.question for one in made] == [f"尾号{4000 + n}的VISA信用卡丢了，如何挂失？" for n in range(3)]
    assert {one.meta.tags["augmented"] for one in made} == {"back_translation"}


def test_a_paraphrase_that_lost_a_value_is_dropped_and_counted(server: Server) -> None:
    server.reply = lambda body: (200, said("信用卡丢了怎么办？"))
    made: dict[str, Made] = {}
    config = AugmentConfig(paraphrase=1.0, paraphraser=server.config)
    assert list(augment(zh_samples(4), config, language="zh", seed=1, made=made)) == []
    assert made["paraphrase"].dropped == {"nothing": 4}


def test_a_paraphrase_is_made(server: Server) -> None:
    server.reply = lambda body: (200, said("<think>…</think>改写：“我的ZQ1信用卡，尾号ZQ0，要怎么挂失呢？”"))
    config = AugmentConfig(paraphrase=1.0, paraphraser=server.config)
    (made,) = augment(zh_samples(1), config, language="zh", seed=1)
    assert made.question == "我的VISA信用卡，尾号4000，要怎么挂失呢？"
    assert server.asked[0]["model"] == "m"
    assert server.keys == [None]


def test_the_key_comes_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k-1")
    assert ask(server.config, ("s", "u"), 1) == "ok"
    assert server.keys == ["Bearer k-1"]


def test_a_busy_server_is_asked_again(server: Server) -> None:
    server.reply = lambda body: (503, "busy") if len(server.asked) < 3 else (200, said("done"))
    assert ask(server.config, ("s", "u"), 1) == "done"
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "text", "kind", "code"),
    [
        (503, "busy", TryAgainError, "data.endpoint_away"),
        (401, "no", NotAllowedError, "data.endpoint_refused"),
        (404, "no model", DataError, "data.endpoint_answer"),
        (200, "<html>", DataError, "data.endpoint_answer"),
        (200, '{"choices": []}', DataError, "data.endpoint_answer"),
    ],
)
def test_what_goes_wrong_is_said(server: Server, status: int, text: str, kind: type[Exception], code: str) -> None:
    server.reply = lambda body: (status, text)
    with pytest.raises(kind) as caught:
        ask(server.config, ("s", "u"), 1)
    assert getattr(caught.value, "code", "") == code
    assert str(caught.value)


def test_a_server_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT", 0.0)
    with pytest.raises(TryAgainError, match="base_url"):
        ask(EndpointConfig(base_url="http://127.0.0.1:9/v1", model="m", timeout=2), ("s", "u"), 1)


@pytest.mark.parametrize(
    ("answer", "line"),
    [("- Where is it?", "Where is it?"), ("“在哪？”", "在哪？"), ("", ""), ("Label: x", "x"), ("a: b", "a: b")],
)
def test_only_the_text_is_taken_from_an_answer(answer: str, line: str) -> None:
    assert first_line(answer, ["Label"]) == line
