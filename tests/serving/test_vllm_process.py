"""A vLLM process of the server's own: started, waited for, ended. The program is a stand-in that says what it was given."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path

import pytest

from tuneloop.core.errors import ResourceError, UsageError
from tuneloop.core.progress import SILENT
from tuneloop.models.config import ModelConfig
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.engines import ENGINES
from tuneloop.serving.vllm_process import Process
from tuneloop.store.workspace import Workspace

PROGRAM = """#!{python}
import http.server, json, os, sys

class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        environment = {{name: os.environ.get(name) for name in ("VLLM_ALLOW_RUNTIME_LORA_UPDATING", "PYTHONPATH")}}
        said = {{"data": [{{"id": "base", "max_model_len": 99}}], "arguments": sys.argv[1:], "environment": environment}}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, *said):
        pass

port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Answers).serve_forever()
"""


def program(tmp_path: Path, text: str = PROGRAM) -> str:
    path = tmp_path / "vllm"
    path.write_text(text.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_process_is_started_with_adapters_allowed_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    process = Process(program(tmp_path), tmp_path / "model", tmp_path / "logs" / "vllm.log")
    try:
        process.wait_ready(30)
        said = json.loads(urllib.request.urlopen(f"{process.url}/health").read())
    finally:
        process.end()
    assert said["arguments"][:2] == ["serve", str(tmp_path / "model")]
    assert "--enable-lora" in said["arguments"]
    assert said["environment"] == {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True", "PYTHONPATH": None}
    assert not process.alive


def test_a_program_that_is_not_there_or_ends_at_once_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as missing:
        Process(str(tmp_path / "nothing"), tmp_path, tmp_path / "log")
    assert missing.value.code == "serving.engine_missing"
    ends = program(tmp_path, "#!/bin/sh\necho no such device\nexit 3\n")
    process = Process(ends, tmp_path, tmp_path / "log")
    with pytest.raises(ResourceError, match="no such device") as ended:
        process.wait_ready(30)
    assert (ended.value.code, ended.value.values["status"]) == ("serving.engine_ended", 3)


def test_a_program_that_never_answers_is_ended(tmp_path: Path) -> None:
    process = Process(program(tmp_path, "#!/bin/sh\nexec sleep 60\n"), tmp_path, tmp_path / "log")
    with pytest.raises(ResourceError) as slow:
        process.wait_ready(0.1)
    assert slow.value.code == "serving.engine_slow"
    assert not process.alive


def test_the_engine_of_a_server_is_chosen_by_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneloop.serving.engines.locate", lambda model, progress: _Folder())
    config = ServingConfig(engine="vllm", engine_program=program(tmp_path))
    workspace = Workspace(tmp_path / "w").ensure()
    _, backend = ENGINES[config.engine](config, ModelConfig(name_or_path="tiny"), workspace, SILENT)
    assert backend.context == 99
    assert backend.alive
    assert backend.drain(5)
    assert not backend.alive
    with pytest.raises(UsageError):
        ENGINES["torch"](ServingConfig(engine_url="http://127.0.0.1:1"), ModelConfig(), workspace, SILENT)


class _Folder:
    folder = Path("model")
