"""The server as a process of its own: clients that leave, signals, and a kill."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest

from tuneloop.store.workspace import Workspace

pytestmark = pytest.mark.timeout(90)

PROGRAM = [
    sys.executable,
    "-c",
    "from tuneloop.cli.main import main; main()",
    "serve",
    "--model",
    "tiny",
    "--port",
    "0",
]
LONG = {"model": "bank", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 500, "n": 8}


class Running:
    """A server that takes requests."""

    def __init__(self, workspace: Workspace) -> None:
        environment = {**os.environ, "TUNELOOP_LANGUAGE": "en", "OMP_NUM_THREADS": "1"}
        command = [*PROGRAM, "--workspace", str(workspace.root)]
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        self.url = self._url()
        self.client = httpx2.Client(base_url=self.url, timeout=30)
        while True:
            try:
                assert self.client.get("/ready").status_code == 200
                break
            except httpx2.TransportError:
                time.sleep(0.02)
        self.seconds = time.monotonic() - self.started

    def _url(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"http://[\d.:]+", line):
                return found.group()
        raise AssertionError("no address")

    def count(self, name: str) -> float:
        """One of the metrics; 0 when it is not there yet."""
        lines = self.client.get("/metrics").text.splitlines()
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(f"{name} "))

    def end(self, number: int) -> tuple[int, str]:
        """Exit status, and what it said."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=40)
        return self.process.returncode, err

    def close(self) -> None:
        """Nothing is left of it."""
        self.client.close()
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def server(workspace: Workspace) -> Iterator[Running]:
    """One for all tests; the last one ends it."""
    running = Running(workspace)
    yield running
    running.close()


@pytest.fixture
def another(workspace: Workspace) -> Iterator[Running]:
    running = Running(workspace)
    yield running
    running.close()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> float:
    """Seconds until a function says True."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds
        time.sleep(0.01)
    return time.monotonic() - start


@pytest.mark.parametrize("stream", [False, True])
def test_when_the_client_leaves_its_answer_ends(server: Running, stream: bool) -> None:
    body = json.dumps({**LONG, "stream": stream}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    with socket.create_connection(("127.0.0.1", httpx2.URL(server.url).port or 0)) as leaving:
        leaving.sendall(f"{head}\r\n\r\n".encode() + body)
        until(lambda: server.count("tuneloop_requests_running") > 0)
    until(lambda: server.count("tuneloop_requests_running") == 0)
    left = server.count('tuneloop_requests_total{model="bank@v0001",outcome="broken off"}')
    assert left == (2 if stream else 1)


def answers_after(server: Running, number: int, status: int) -> list[httpx2.Response]:
    """What requests get that were accepted before a signal; most still wait for a place in the batch."""
    answers: list[httpx2.Response] = []

    def ask(seed: int) -> None:
        body = {**LONG, "seed": seed, "stream": seed % 2 == 0}
        answers.append(httpx2.post(f"{server.url}/v1/chat/completions", json=body, timeout=60))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(5)]
    for thread in threads:
        thread.start()
    until(lambda: server.count("tuneloop_requests_running") + server.count("tuneloop_requests_waiting") == 40)
    returncode, err = server.end(number)
    for thread in threads:
        thread.join()
    assert returncode == status
    assert "Traceback" not in err
    return answers


@pytest.mark.slow
def test_after_a_kill_the_server_is_ready_soon_with_the_same_versions(workspace: Workspace, another: Running) -> None:
    before = another.client.get("/v1/models").json()
    another.process.kill()
    again = Running(workspace)
    try:
        assert again.client.get("/v1/models").json() == before
        assert again.seconds < 10
    finally:
        again.close()


@pytest.mark.slow
def test_ctrl_c_lets_what_was_accepted_be_answered(another: Running) -> None:
    answers = answers_after(another, signal.SIGINT, 130)
    assert [answer.status_code for answer in answers] == [200] * 5


def test_sigterm_lets_what_was_accepted_be_answered(server: Running) -> None:
    answers = answers_after(server, signal.SIGTERM, 143)
    assert [answer.status_code for answer in answers] == [200] * 5
    assert all("[DONE]" in answer.text or answer.json()["usage"]["completion_tokens"] for answer in answers)
