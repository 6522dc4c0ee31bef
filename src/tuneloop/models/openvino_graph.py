"""A model as an OpenVINO graph that keeps its keys and values itself.

Inputs and outputs are those that Intel's own exporter gives a language model, so that OpenVINO GenAI runs the folder too:
`input_ids`, `attention_mask` (past and new), `position_ids`, `beam_idx` (which rows of the past go on) → `logits`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer

from tuneloop.core.errors import CorruptError, IncompatibleError, NotFoundError
from tuneloop.core.hashing import hash_file, hash_value
from tuneloop.models.load import read_tokenizer
from tuneloop.models.loaded import LoadedModel, ModelText
from tuneloop.models.quiet import quiet_libraries
from tuneloop.models.template import ChatTemplate
from tuneloop.store.artifacts import MANIFEST, read_manifest

if TYPE_CHECKING:
    import openvino

FILE = "openvino_model.xml"
"""The graph; its weights lie beside it, in `openvino_model.bin`."""
INPUTS = ("input_ids", "attention_mask", "position_ids", "beam_idx")
LOWEST = torch.finfo(torch.float32).min
"""Added to what a token does not see. Not infinity: a padding token sees nothing at all, and must not become NaN."""


def load_openvino() -> Any:
    """The library; that it reports its use is switched off in `tuneloop/__init__.py`.

    Raises:
        NotFoundError: it is not installed (code `models.openvino_missing`).
    """
    try:
        import openvino
    except ImportError as error:
        raise NotFoundError("models.openvino_missing") from error
    return openvino


def convert(model: PreTrainedModel) -> openvino.Model:
    """Trace a model's forward into a graph, and move its cache into the graph's own state.

    Args:
        model: on the CPU, in float32.

    Raises:
        NotFoundError: OpenVINO is not installed (code `models.openvino_missing`).
        IncompatibleError: it has no operation for something in this architecture (code `models.openvino_unsupported`).
    """
    ov = load_openvino()
    layers, heads, size = _cache_shape(model)
    past = [torch.zeros(2, heads, 3, size) for _ in range(2 * layers)]
    ids, mask = torch.ones(2, 4, dtype=torch.int64), torch.ones(2, 7, dtype=torch.int64)
    example = (ids, mask, torch.arange(3, 7).expand(2, 4), torch.tensor([0, 1]), *past)
    try:
        with torch.no_grad(), quiet_libraries(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer warns of every shape that is asked for
            graph = ov.convert_model(_Traced(model), example_input=example)
    except Exception as error:  # OpenVINO's frontend raises nothing more specific
        name = type(model).__name__
        raise IncompatibleError("models.openvino_unsupported", architecture=name, problem=_last(error)) from error
    _name(ov, graph, layers, heads, size)
    _keep_state(ov, graph, layers, heads, size)
    return graph


def write_openvino(loaded: LoadedModel, folder: Path, *, half: bool) -> None:
    """Write a model's graph, settings and tokenizer into a folder.

    Args:
        loaded: on the CPU, in float32.
        folder: exists.
        half: store the weights in float16.

    Raises:
        NotFoundError, IncompatibleError: as `convert`.
    """
    graph = convert(loaded.model)
    load_openvino().save_model(graph, folder / FILE, compress_to_fp16=half)
    with quiet_libraries():
        loaded.model.config.save_pretrained(folder)
        if loaded.model.generation_config is not None:
            loaded.model.generation_config.save_pretrained(folder)
        loaded.tokenizer.save_pretrained(folder)


def read_openvino(folder: Path) -> openvino.Model:
    """Read a graph that `write_openvino` (or Intel's exporter) has written.

    Raises:
        NotFoundError: OpenVINO is not installed (code `models.openvino_missing`).
        IncompatibleError: the file is no such graph (code `models.openvino_unreadable`).
    """
    ov = load_openvino()
    try:
        graph = ov.Core().read_model(folder / FILE)
    except RuntimeError as error:
        raise IncompatibleError("models.openvino_unreadable", file=folder / FILE, problem=_last(error)) from error
    if {one.get_any_name() for one in graph.inputs} != set(INPUTS):
        raise IncompatibleError("models.openvino_unreadable", file=folder / FILE, problem=", ".join(INPUTS))
    return graph


def read_text(folder: Path) -> ModelText:
    """What the model in such a folder is, without its graph.

    Raises:
        CorruptError: a file is not what the folder's manifest says (code `models.weights_differ`).
        IncompatibleError: its tokenizer can't be read (code `models.tokenizer`, `models.no_stop_token`).
    """
    found = {path.name: hash_file(path) for path in (folder / FILE, (folder / FILE).with_suffix(".bin"))}
    if (folder / MANIFEST).is_file():
        expected = read_manifest(folder).files
        for name, digest in found.items():
            if expected.get(name) != digest:
                raise CorruptError("models.weights_differ", file=folder / name)
    return ModelText(str(folder), ChatTemplate(read_tokenizer(folder)), hash_value(found))


def compile_graph(graph: openvino.Model, *, precision: str) -> openvino.CompiledModel:
    """Make a graph ready to run on the CPU.

    Args:
        graph: of this module.
        precision: what it computes in: `f32` or `bf16`.
    """
    core = load_openvino().Core()
    hints = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY", "KV_CACHE_PRECISION": precision}
    return core.compile_model(graph, "CPU", hints)


def tell_with(compiled: openvino.CompiledModel) -> Callable[[Sequence[int], int], Sequence[int]]:
    """What a graph would say next after each of the last ids of a row, all read at once."""
    request = compiled.create_infer_request()

    def tell(ids: Sequence[int], count: int) -> Sequence[int]:
        request.reset_state()
        row = np.array([ids], dtype=np.int64)
        places = np.arange(len(ids), dtype=np.int64)[None]
        out = request.infer(dict(zip(INPUTS, (row, np.ones_like(row), places, np.zeros(1, np.int32)), strict=True)))
        said: list[int] = out["logits"][0, -count:].argmax(-1).tolist()
        return said

    return tell


def keep_last(graph: openvino.Model) -> None:
    """Let a graph give the logits of each row's last token alone: what generation needs, and a fraction of the work.

    The cut is put before the output head, the only product behind the last norm; where there is none in sight, before the
    result.
    """
    ov = load_openvino()
    ops = ov.opset13
    result = graph.output("logits").get_node()
    node = result
    while node.get_type_name() != "MatMul" and len(node.inputs()) and _leads_on(node):
        node = node.input_value(0).get_node()
    target = node if node.get_type_name() == "MatMul" else result
    last, end, one = (ops.constant([value]) for value in (-1, sys.maxsize, 1))
    target.input(0).replace_source_output(ops.slice(target.input_value(0), last, end, one, one).output(0))
    graph.validate_nodes_and_infer_types()


def _leads_on(node: Any) -> bool:
    """Whether a node works on each logit for itself: a result, a cast, a cap."""
    return node.get_type_name() in {"Result", "Convert", "Multiply", "Divide", "Tanh", "Add"}


class _Traced(torch.nn.Module):
    """A model's forward with its cache as arguments."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        types = set(getattr(model.config, "layer_types", None) or ())
        self.window = int(model.config.sliding_window) if "sliding_attention" in types else None

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, position_ids: Tensor, beam_idx: Tensor, *past: Tensor
    ) -> tuple[Tensor, ...]:
        """Logits [rows, new, vocabulary], and keys and values of every layer, [rows, heads, past + new, size].

        Args:
            input_ids: [rows, new].
            attention_mask: [rows, past + new]: 1 where a token is, 0 where padding is.
            position_ids: [rows, new].
            beam_idx: [rows]: the rows of the past that go on.
            past: keys and values by turns, [rows before, heads, past, size].
        """
        cache = DynamicCache()
        for keys, values in zip(past[::2], past[1::2], strict=True):
            layer = DynamicLayer()
            layer.keys, layer.values = (one.index_select(0, beam_idx) for one in (keys, values))
            layer.dtype, layer.device, layer.is_initialized = layer.keys.dtype, layer.keys.device, True
            cache.layers.append(layer)
        out = self.model(
            input_ids=input_ids,
            attention_mask=self._sees(input_ids, attention_mask),
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=True,
        )
        kept = (one for layer in cache.layers for one in (layer.keys, layer.values))
        return (out.logits, *kept)

    def _sees(self, ids: Tensor, mask: Tensor) -> Any:
        """What is added to attention, [rows, 1, new, past + new], in the form that the architecture takes it."""
        new, every = ids.shape[1], mask.shape[1]
        cells = torch.arange(every)[None, :]
        places = (torch.arange(new) + (every - new))[:, None]
        sees = (cells <= places)[None, None] & mask[:, None, None, :].bool()
        full = torch.zeros(sees.shape).masked_fill(~sees, LOWEST)
        if self.window is None:
            return full
        far = (cells <= places - self.window)[None, None]
        return {"full_attention": full, "sliding_attention": full.masked_fill(far, LOWEST)}


def _cache_shape(model: PreTrainedModel) -> tuple[int, int, int]:
    """Layers, key-value heads and head size."""
    config: Any = model.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return config.num_hidden_layers, heads, size


def _name(ov: Any, graph: Any, layers: int, heads: int, size: int) -> None:
    """Give inputs and outputs their names and open shapes."""
    whole, past = ov.Type.i64, ov.PartialShape([-1, heads, -1, size])
    for place, name in enumerate(INPUTS):
        node = graph.inputs[place].get_node()
        node.set_partial_shape(ov.PartialShape([-1] if name == "beam_idx" else [-1, -1]))
        node.set_element_type(ov.Type.i32 if name == "beam_idx" else whole)
        graph.inputs[place].get_tensor().set_names({name})
    graph.outputs[0].get_tensor().set_names({"logits"})
    for place, (before, after) in enumerate(_state_names(layers)):
        node = graph.inputs[len(INPUTS) + place].get_node()
        node.set_partial_shape(past)
        node.set_element_type(ov.Type.f32)
        graph.inputs[len(INPUTS) + place].get_tensor().set_names({before})
        graph.outputs[1 + place].get_tensor().set_names({after})
    graph.validate_nodes_and_infer_types()


def _keep_state(ov: Any, graph: Any, layers: int, heads: int, size: int) -> None:
    """Move the cache from inputs and outputs into the graph's state, which begins empty with as many rows as are asked."""
    from openvino._offline_transformations import apply_make_stateful_transformation

    apply_make_stateful_transformation(graph, dict(_state_names(layers)))
    ops = ov.opset13
    shape_of = ops.shape_of(graph.input("input_ids"), output_type="i64")
    rows = ops.gather(shape_of, ops.constant([0]), ops.constant(0))
    for node in graph.get_ops():
        if node.get_type_name() == "ReadValue":
            shape = ops.concat([rows, *(ops.constant([size_]) for size_ in (heads, 0, size))], axis=0)
            nothing = ops.constant(0.0, dtype=node.get_output_element_type(0))
            node.set_arguments([ops.broadcast(nothing, shape)])
    graph.validate_nodes_and_infer_types()


def _state_names(layers: int) -> Sequence[tuple[str, str]]:
    return [
        (f"past_key_values.{layer}.{kind}", f"present.{layer}.{kind}")
        for layer in range(layers)
        for kind in ("key", "value")
    ]


def _last(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[-1]
