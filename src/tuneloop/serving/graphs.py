"""Merged models on the CPU through OpenVINO: `--engine openvino`."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import PreTrainedModel

from tuneloop.adapters.merge import merge
from tuneloop.core.progress import Progress
from tuneloop.engine.compiled import CompiledEngine, Graph
from tuneloop.engine.weights import context_of
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import LoadedModel, load_model, load_skeleton
from tuneloop.models.openvino_graph import (
    FILE,
    compile_graph,
    convert,
    keep_last,
    load_openvino,
    read_openvino,
    read_text,
)
from tuneloop.models.precision import choose_device, choose_precision
from tuneloop.serving.served import ServedModels
from tuneloop.store.workspace import Workspace

PRECISIONS = {torch.float32: "f32", torch.bfloat16: "bf16"}


def start_graphs(
    model: ModelConfig, workspace: Workspace, *, batch_size: int, adapter_bytes: int, progress: Progress
) -> tuple[ServedModels, CompiledEngine]:
    """The base model and its adapters, each adapter merged on its first use; or one exported graph, which has none.

    Args:
        model: the base model, or a folder of `tuneloop adapters export --format openvino`.
        workspace: whose adapters are served.
        batch_size: rows that are generated at one time.
        adapter_bytes: memory for the adapters' graphs.
        progress: where loading is reported.

    Raises:
        NotFoundError: OpenVINO is not installed (code `models.openvino_missing`).
        IncompatibleError: the folder or the architecture is not for OpenVINO (codes `models.openvino_…`).
        TuneloopError: everything that loading a model raises.
    """
    load_openvino()
    model = model.model_copy(update={"device": "cpu"})
    dtype = choose_precision(model.dtype, choose_device("cpu")).dtype
    folder = Path(model.name_or_path).expanduser()
    if (folder / FILE).is_file():
        return _start_exported(folder, model, workspace, dtype=dtype, batch_size=batch_size)
    loaded = load_model(model.model_copy(update={"dtype": "float32"}), progress=progress)
    models = ServedModels(loaded, model.name_or_path, workspace)
    engine = make_graphs(models, loaded, dtype=dtype, batch_size=batch_size, adapter_bytes=adapter_bytes)
    return models, engine


def make_graphs(
    models: ServedModels, loaded: LoadedModel, *, dtype: torch.dtype, batch_size: int, adapter_bytes: int
) -> CompiledEngine:
    """An engine of graphs that merges the registry's adapters on their first use.

    Args:
        models: what is served.
        loaded: the base model, in float32.
        dtype: what the graphs compute in.
        batch_size: rows that are generated at one time.
        adapter_bytes: memory for the adapters' graphs.
    """

    def make(label: str) -> Graph:
        return make_graph(merge(loaded, models.folder(label)), label, dtype)

    return CompiledEngine(
        make_graph(loaded.model, "", dtype),
        vocabulary=loaded.model.get_input_embeddings().weight.shape[0],
        context=context_of(loaded.model),
        make=make,
        batch_size=batch_size,
        max_bytes=adapter_bytes,
    )


def make_graph(weights: PreTrainedModel, label: str, dtype: torch.dtype) -> Graph:
    """Convert and compile a merged model; empty label: the base model.

    Raises:
        NotFoundError, IncompatibleError: as `convert`.
    """
    graph = convert(weights)
    keep_last(graph)
    compiled = compile_graph(graph, precision=PRECISIONS[dtype])
    size = dtype.itemsize * sum(parameter.numel() for parameter in weights.parameters())
    return Graph(label, label.rpartition("@")[2] or None, compiled, size)


def _start_exported(
    folder: Path, model: ModelConfig, workspace: Workspace, *, dtype: torch.dtype, batch_size: int
) -> tuple[ServedModels, CompiledEngine]:
    models = ServedModels(read_text(folder), model.name_or_path, workspace)
    shapes = load_skeleton(model, torch.float32).model
    graph = read_openvino(folder)
    keep_last(graph)
    base = Graph("", None, compile_graph(graph, precision=PRECISIONS[dtype]), 0)
    vocabulary = shapes.get_input_embeddings().weight.shape[0]
    engine = CompiledEngine(
        base, vocabulary=vocabulary, context=context_of(shapes), make=None, batch_size=batch_size, max_bytes=1
    )
    return models, engine
