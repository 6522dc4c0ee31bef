"""Times of the engine and of a server: every stream counts, the bar is kept or not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tuneloop.core.errors import DataError, TryAgainError, UsageError
from tuneloop.core.records import Message
from tuneloop.engine.engine import Engine
from tuneloop.evaluation.config import LatencyConfig
from tuneloop.evaluation.latency import Timed, measure_engine, summary
from tuneloop.evaluation.latency_http import measure_server
from tuneloop.models.load import LoadedModel

CONFIG = LatencyConfig(streams=(1, 3), requests=4, max_new_tokens=5)
ASKED = [(Message(role="user", content="Hi"),)]


def test_a_summary_counts_waits_and_tokens() -> None:
    figures = summary([Timed((0.1, 0.2, 0.4)), Timed((0.3, 0.4))], 0.5)
    assert figures["first_token_ms_p95"] == 300.0
    assert figures["between_tokens_ms_p50"] == pytest.approx(100.0)
    assert figures["tokens_per_second"] == 10.0
    assert summary([], 1.0)["first_token_ms_p50"] == 0.0


def test_every_arm_is_measured_with_every_number_of_streams(loaded: LoadedModel) -> None:
    prompts = loaded.template.prompt_many([(Message(role="user", content=f"Question {n}"),) for n in range(3)])
    found = measure_engine(Engine(loaded.model), {"base": None}, prompts, CONFIG)
    streams = found["arms"]["base"]["streams"]
    assert list(streams) == ["1", "3"]
    assert streams["1"]["answers"] == 4
    assert streams["3"]["answers"] == 6
    assert all(figures["first_token_ms_p50"] > 0 for figures in streams.values())
    assert found["arms"]["base"]["passed"] is True
    strict = measure_engine(
        Engine(loaded.model), {"base": None}, prompts, LatencyConfig(first_token_ms=1e-6, requests=2)
    )
    assert strict["arms"]["base"]["passed"] is False


class _Server(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["model"] == "unknown":
            self.send_error(404, "no such model")
            return
        if asked["model"] in ("odd", "silent"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"data: []\n\n" if asked["model"] == "odd" else b"data: [DONE]\n\n")
            return
        self.send_response(200)
        self.end_headers()
        for word in ["a"] * asked["max_tokens"]:
            self.wfile.write(f"data: {json.dumps({'choices': [{'delta': {'content': word}}]})}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *values: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}/v1"
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_server_is_measured_as_a_client_sees_it(server: str) -> None:
    found = measure_server(f"{server}#base", ASKED, CONFIG)
    assert found["streams"]["1"]["answers"] == 4
    assert found["streams"]["3"]["tokens_per_second"] > 0
    assert found["passed"] is True


@pytest.mark.parametrize("model", ["unknown", "odd", "silent"])
def test_a_server_that_refuses_or_sends_something_else_is_named(server: str, model: str) -> None:
    with pytest.raises(DataError) as wrong:
        measure_server(f"{server}#{model}", ASKED, CONFIG)
    assert wrong.value.code == "evaluation.url_answer"


def test_a_server_that_is_away_or_no_address_is_named() -> None:
    with pytest.raises(TryAgainError, match=r"127\.0\.0\.1:9"):
        measure_server("http://127.0.0.1:9/v1#base", ASKED, CONFIG)
    with pytest.raises(UsageError, match="ftp"):
        measure_server("ftp://x#base", ASKED, CONFIG)
