"""Who may generate a server's answers: `--engine`."""

from __future__ import annotations

from collections.abc import Callable

from tuneloop.core.errors import UsageError
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import load_model, load_text
from tuneloop.models.locate import locate
from tuneloop.serving.backend import Backend
from tuneloop.serving.config import EngineName, ServingConfig
from tuneloop.serving.graphs import start_graphs
from tuneloop.serving.served import ServedModels, make_engine
from tuneloop.serving.vllm import Vllm
from tuneloop.serving.vllm_process import Process
from tuneloop.serving.worker import Worker
from tuneloop.store.workspace import Workspace

Started = tuple[ServedModels, Backend]
Start = Callable[[ServingConfig, ModelConfig, Workspace, Progress], Started]


def start_torch(config: ServingConfig, model: ModelConfig, workspace: Workspace, progress: Progress) -> Started:
    """Our engine, in a thread of this process."""
    if config.engine_url is not None:
        raise UsageError("serving.engine_url", engine=config.engine)
    loaded = load_model(model, progress=progress)
    models = ServedModels(loaded, model.name_or_path, workspace)
    engine = make_engine(models, loaded.model, batch_size=config.batch_size, adapter_bytes=config.adapter_bytes)
    return models, Worker(engine, queue_limit=config.queue_limit)


def start_openvino(config: ServingConfig, model: ModelConfig, workspace: Workspace, progress: Progress) -> Started:
    """Merged models as OpenVINO graphs, in a thread of this process: for a CPU, and no more than a few adapters."""
    if config.engine_url is not None:
        raise UsageError("serving.engine_url", engine=config.engine)
    models, engine = start_graphs(
        model, workspace, batch_size=config.batch_size, adapter_bytes=config.adapter_bytes, progress=progress
    )
    return models, Worker(engine, queue_limit=config.queue_limit)


def start_vllm(config: ServingConfig, model: ModelConfig, workspace: Workspace, progress: Progress) -> Started:
    """A vLLM process: the one at `engine_url`, or one that is started for this server and ends with it."""
    models = ServedModels(load_text(model, progress=progress), model.name_or_path, workspace)
    if config.engine_url is not None:
        return models, Vllm(config.engine_url, models.folder, queue_limit=config.queue_limit)
    process = Process(config.engine_program, locate(model, progress).folder, workspace.root / "logs" / "vllm.log")
    try:
        progress.note(text("serving.engine_starting", program=config.engine_program, log=process.log_file))
        process.wait_ready(config.engine_start_seconds)
        return models, Vllm(process.url, models.folder, queue_limit=config.queue_limit, process=process)
    except BaseException:
        process.end()
        raise


ENGINES: dict[EngineName, Start] = {"torch": start_torch, "vllm": start_vllm, "openvino": start_openvino}
"""Each makes what is served and who answers; `tests/contracts/test_backends.py` holds the latter to `Backend`."""
