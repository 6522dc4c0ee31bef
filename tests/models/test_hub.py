"""Downloads from hubs, played by a server on this machine."""

import hashlib
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tuneloop.core.errors import CorruptError, NotAllowedError, NotFoundError, TryAgainError
from tuneloop.core.progress import SILENT, Tracker
from tuneloop.models import hub

COMMIT = "c" * 40


class Counting:
    """Counts the bytes that are reported."""

    def __init__(self) -> None:
        self.bytes = 0.0

    @contextmanager
    def track(self, label: str, total: float | None, unit: str) -> Iterator[Tracker]:
        outer = self

        class Bar:
            def advance(self, amount: float = 1, **figures: float | str) -> None:
                outer.bytes += amount

        yield Bar()

    def note(self, text: str) -> None:
        """Say nothing."""


def serve(files: dict[str, bytes], gated: bool = False, wrong_hash: bool = False) -> type[BaseHTTPRequestHandler]:
    """A handler that speaks as much of the two hubs' protocols as a download needs."""

    class Handler(BaseHTTPRequestHandler):
        asked: ClassVar[list[str]] = []

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            url = urllib.parse.urlparse(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            self.asked.append(self.path)
            if url.path == "/":
                self.answer(b"")
            elif gated:
                self.answer(b"", 403, X_Error_Code="GatedRepo", X_Error_Message="ask first")
            elif "nobody/small" not in url.path:
                self.answer(b"", 404, X_Error_Code="RepoNotFound")
            elif url.path.endswith("/repo/files"):
                listed = [
                    {"Path": name, "Size": len(body), "Type": "blob", "Sha256": hashlib.sha256(body).hexdigest()}
                    for name, body in files.items()
                ]
                self.answer(json.dumps({"Code": 200, "Data": {"Files": listed}}).encode())
            elif url.path.endswith("/repo"):
                self.answer(files[query["FilePath"]] + (b"!" if wrong_hash else b""))
            elif "/tree/" in url.path:
                tree = [{"type": "file", "path": n, "size": len(b), "oid": f"{n:0>40}"} for n, b in files.items()]
                self.answer(json.dumps(tree).encode(), Content_Type="application/json")
            elif "/resolve/" in url.path:
                name = url.path.rsplit("/", 1)[1]
                self.answer(files[name], ETag=f'"{name}"', X_Repo_Commit=COMMIT)
            else:
                body = {"id": "nobody/small", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
                self.answer(json.dumps(body).encode(), Content_Type="application/json")

    return Handler


@pytest.fixture
def files(folder: Path) -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {**files, "pytorch_model.bin": b"pickle", "modeling_small.py": b"import os"}


@contextmanager
def running(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def test_modelscope_gives_what_a_model_is_made_of_and_no_code(files, monkeypatch, cache):
    progress = Counting()
    with running(serve(files)) as url:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", url)
        found = hub.from_modelscope("nobody/small", None, progress)
    names = {path.name for path in found.iterdir()}
    assert names == {*files, "manifest.json"} - {"pytorch_model.bin", "modeling_small.py"}
    assert all((found / name).read_bytes() == files[name] for name in names - {"manifest.json"})
    assert progress.bytes == sum(len(files[name]) for name in names - {"manifest.json"})
    assert hub.from_modelscope("nobody/small", None, SILENT) == found  # the server is gone


def test_modelscope_s_file_must_have_its_hash(files, monkeypatch, cache):
    with running(serve(files, wrong_hash=True)) as url:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", url)
        with pytest.raises(CorruptError):
            hub.from_modelscope("nobody/small", None, SILENT)
    assert not any(path.is_dir() for path in (cache / "models").iterdir())


def test_the_hub_gives_what_a_model_is_made_of_and_no_code(files, monkeypatch):
    progress = Counting()
    handler = serve(files)
    with running(handler) as url:
        monkeypatch.setenv("HF_ENDPOINT", url)
        found = hub.from_hub("nobody/small", None, None, progress)
    names = {path.name for path in found.iterdir()}
    assert names == {*files} - {"pytorch_model.bin", "modeling_small.py"}
    assert not any("modeling" in path or ".bin" in path for path in handler.asked)
    assert progress.bytes > len(files["model.safetensors"]) / 2
    assert hub.cached("nobody/small", None) == found  # the server is gone


def test_a_model_that_is_not_there(monkeypatch):
    with running(serve({})) as url:
        monkeypatch.setenv("HF_ENDPOINT", url)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", url)
        with pytest.raises(NotFoundError):
            hub.from_hub("nobody/else", None, None, SILENT)
        with pytest.raises(NotFoundError):
            hub.from_modelscope("nobody/else", None, SILENT)


def test_a_gated_model_says_where_to_ask(monkeypatch):
    with running(serve({}, gated=True)) as url:
        monkeypatch.setenv("HF_ENDPOINT", url)
        with pytest.raises(NotAllowedError) as caught:
            hub.from_hub("nobody/small", None, None, SILENT)
    assert f"{url}/nobody/small" in caught.value.hint("en")


def test_nobody_there_is_found_out_at_once(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(TryAgainError):
        hub.from_hub("nobody/small", None, None, SILENT)
    with pytest.raises(TryAgainError):
        hub.from_modelscope("nobody/small", None, SILENT)
    assert hub.cached("nobody/small", None) is None
