"""A small dataset, the tiny model, and an adapter for it that changes something."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from tuneloop.adapters.folder import save_adapter
from tuneloop.adapters.lora import attach_lora
from tuneloop.adapters.replay import Replay, record_answers
from tuneloop.core.records import Evaluation, Message, Meta, Sample
from tuneloop.engine.config import GenerationConfig
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.run import run
from tuneloop.evaluation.subject import Subject
from tuneloop.models.load import LoadedModel
from tuneloop.models.tiny import build_tiny
from tuneloop.store.artifacts import new_artifact
from tuneloop.store.samples import write_samples
from tuneloop.store.workspace import Workspace

OTHER = Sample(
    id="other",
    messages=(Message(role="user", content="Another one?"), Message(role="assistant", content="Hello, yes.")),
    meta=Meta(source="made.csv", row=900),
)
SCRIPT = """
name: house
language: en
rules:
  - {id: opening, kind: starts_with, text: "Hello"}
  - {id: short, kind: length, max_words: 30, hard: false}
"""


class Server(BaseHTTPRequestHandler):
    """A chat completion API; the model's name says how it behaves."""

    asked: ClassVar[list[Any]] = []
    says: ClassVar[Callable[[Any], str]] = staticmethod(lambda body: "A")
    """What the model `judge` answers to a request."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Server.asked.append((body, self.headers.get("Authorization")))
        status = {"locked": 401, "busy": 503, "bad": 404}.get(body["model"], 200)
        said = Server.says(body) if body["model"] == "judge" else "Here."
        choice = {"message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        known = body["model"] in ("bank", "judge")
        answer = {"choices": [choice], "usage": {"completion_tokens": 2}} if known else {"no": 1}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    Server.asked.clear()
    running = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/v1"
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def write_dataset(tmp_path: Path) -> Callable[..., Path]:
    """Write a finished dataset folder with these test rows."""

    def write(test: Sequence[Sample], train: Sequence[Sample] = ()) -> Path:
        folder = tmp_path / "datasets" / "made" / f"d{len(list(tmp_path.glob('datasets/made/*')))}"
        with new_artifact(folder, kind="dataset", config={}) as temporary:
            write_samples(temporary / "train.jsonl", train or [OTHER])
            write_samples(temporary / "validation.jsonl", [])
            write_samples(temporary / "test.jsonl", test)
        return folder

    return write


@pytest.fixture(scope="session")
def loaded() -> LoadedModel:
    return build_tiny()


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter as a training leaves it, in a run's folder with its log."""
    return write_adapter(tmp_path_factory.mktemp("run") / "adapter", change=0.5)


@pytest.fixture(scope="session")
def untrained_adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter whose B is still zero."""
    return write_adapter(tmp_path_factory.mktemp("untrained") / "adapter", change=0.0)


@pytest.fixture
def script(tmp_path: Path) -> str:
    (tmp_path / "house.yaml").write_text(SCRIPT, encoding="utf-8")
    return "house.yaml"


@pytest.fixture
def evaluate(
    loaded: LoadedModel, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Evaluation]:
    monkeypatch.setenv("TUNELOOP_LANGUAGE", "en")

    def call(dataset: Path, config: EvaluationConfig | None = None, **changes: Any) -> Evaluation:
        arguments: dict[str, Any] = {
            "name": "bank",
            "language": "en",
            "seed": 1,
            "dataset": dataset,
            "loaded": loaded,
            "adapter": adapter,
            "folder": tmp_path,
            "workspace": Workspace(tmp_path),
        }
        how = {name: changes.pop(name) for name in ("force", "progress") if name in changes}
        return run(config or EvaluationConfig(), GenerationConfig(), Subject(**(arguments | changes)), **how)

    return call


def write_adapter(folder: Path, change: float, *, said: Callable[[Replay], Replay] | None = None) -> Path:
    """Write an adapter; `said` makes the greedy answers that it keeps out of those that it gives."""
    base = build_tiny()
    model = attach_lora(base.model, r=4, lora_alpha=8, target_modules="all-linear", dropout=0.0, seed=0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.copy_(change * torch.randn(weight.shape, generator=generator))
    card = {
        "name": "made",
        "steps": 1,
        "best_step": 1,
        "validation_loss": 1.0,
        "dataset": "d",
        "trained": 1,
        "share": 1.0,
    }
    replay = None
    if said is not None:
        prompts = [base.template.prompt((Message(role="user", content=f"Question {n}?"),)) for n in range(3)]
        shown = {"stop_ids": base.template.stop_ids, "template_sha256": base.template.sha256}
        replay = said(record_answers(model.eval(), prompts, **shown))  # type: ignore[arg-type]
    save_adapter(folder, model, build_tiny(), card=card, inputs={}, seed=0, replay=replay)
    (folder.parent / "metrics.jsonl").write_text(
        '{"step": 1, "loss": 3.0}\n{"step": 2, "loss": 2.0, "validation_loss": 2.5}\n{"step": 3, "lo', encoding="utf-8"
    )
    return folder
