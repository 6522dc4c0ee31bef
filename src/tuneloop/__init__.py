"""tuneloop: from a spreadsheet of questions and answers to a proven, served and improving fine-tuned model."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tuneloop.core.version import __version__

# No library below us may phone home or download what was not asked for. Set here, before any of them is imported.
for _switch, _value in {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "RAY_USAGE_STATS_ENABLED": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
}.items():
    os.environ.setdefault(_switch, _value)
# OpenVINO's converter reports each use, and no variable says no; without this package it falls back to a stand-in of its own.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

if TYPE_CHECKING:
    from tuneloop.api import check, evaluate, load, predict, prepare, register, run, train
    from tuneloop.recipe import Recipe

__all__ = ["Recipe", "__version__", "check", "evaluate", "load", "predict", "prepare", "register", "run", "train"]


def __getattr__(name: str) -> Any:
    """Import the verbs on first use, so that `import tuneloop` stays quick and free of torch."""
    if name == "Recipe":
        return import_module("tuneloop.recipe").Recipe
    if name in __all__:
        return getattr(import_module("tuneloop.api"), name)
    raise AttributeError(f"module 'tuneloop' has no attribute {name!r}")
