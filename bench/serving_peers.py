"""Peers of `serving.py` that need more than a call: OpenVINO GenAI on a converted model, `transformers serve` over HTTP.

OpenVINO GenAI gets our own export of the base model in float16 (`tuneloop adapters export --format openvino` writes the same
graph), made once below `bench/.peers/`; its own defaults choose what it computes in. One merged model answers whatever
adapters the others mix: that is what it is compared with. More than one row: its continuous batching.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parent / ".peers"
START_SECONDS = 120
CACHE_GIGABYTES = 2


def run_genai(name: str, prompts: Sequence[Sequence[int]], answer: int) -> dict[str, float]:
    """Answer prompts of ids with OpenVINO GenAI; the conversion is not measured."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # it would report the use
    import numpy as np
    import openvino as ov
    import openvino_genai as genai

    folder = converted(name)
    asked = [ov.Tensor(np.array([ids])) for ids in prompts]

    def settings(tokens: int) -> Any:
        config = genai.GenerationConfig()
        config.max_new_tokens = config.min_new_tokens = tokens
        config.ignore_eos, config.do_sample = True, False
        return config

    if len(prompts) == 1:
        single = genai.LLMPipeline(str(folder), "CPU")

        def generate(tokens: int) -> list[list[int]]:
            return list(single.generate(asked[0], settings(tokens)).tokens)
    else:
        scheduler = genai.SchedulerConfig()
        scheduler.cache_size, scheduler.enable_prefix_caching = CACHE_GIGABYTES, False
        scheduler.max_num_seqs, scheduler.max_num_batched_tokens = 64, 4096
        together = genai.ContinuousBatchingPipeline(str(folder), scheduler, "CPU")

        def generate(tokens: int) -> list[list[int]]:
            found = together.generate(asked, [settings(tokens)] * len(asked))
            return [one.m_generation_ids[0] for one in found]

    def measure(tokens: int) -> float:
        begin = time.perf_counter()
        said = generate(tokens)
        seconds = time.perf_counter() - begin
        assert [len(ids) for ids in said] == [tokens] * len(prompts)
        return seconds

    measure(4)
    first = measure(1)
    return {"seconds": measure(answer), "first_token_seconds": first}


def converted(name: str) -> Path:
    """The base model as OpenVINO GenAI reads it: graph, tokenizer and detokenizer; made on the first call."""
    folder = PLACE / "openvino" / name
    if folder.exists():
        return folder
    import openvino as ov
    from openvino_tokenizers import convert_tokenizer

    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model
    from tuneloop.models.openvino_graph import write_openvino

    loaded = load_model(ModelConfig(name_or_path=name, dtype="float32"))
    staged = folder.with_name(f"{name}.new")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    write_openvino(loaded, staged, half=True)
    for graph, file in zip(
        convert_tokenizer(loaded.tokenizer, with_detokenizer=True), ("tokenizer", "detokenizer"), strict=True
    ):
        ov.save_model(graph, staged / f"openvino_{file}.xml")
    staged.rename(folder)
    return folder


def run_transformers_serve(name: str, prompts: Sequence[Sequence[int]], answer: int) -> dict[str, float]:
    """Answer over HTTP, all prompts at the same time, with its continuous batching where there is more than one.

    It takes text alone: a prompt is as many words of one token each as the others get ids, and what it counts is what counts.
    """
    from tuneloop.core.progress import SILENT
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.locate import locate

    folder = str(locate(ModelConfig(name_or_path=name), SILENT).folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("transformers")
    batching = "--continuous-batching" if len(prompts) > 1 else "--no-continuous-batching"
    command = [str(program), "serve", folder, "--dtype", "bfloat16", "--device", "cpu", "--port", str(port), batching]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, env={**os.environ, "HF_HUB_OFFLINE": "1"}, **quiet)
    try:
        _wait(f"http://127.0.0.1:{port}/health")

        def ask(number: int, tokens: int) -> int:
            text = " the" * (len(prompts[number]) - 1) + f" {number}"
            body = json.dumps({"model": folder, "prompt": text, "max_tokens": tokens, "temperature": 0}).encode()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/v1/completions", body, {"content-type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=600) as response:
                usage: dict[str, int] = json.load(response)["usage"]
            return usage["total_tokens"]

        def measure(tokens: int) -> float:
            """Seconds, as if every answer had its full length."""
            begin = time.perf_counter()
            with ThreadPoolExecutor(len(prompts)) as pool:
                counted = sum(pool.map(lambda number: ask(number, tokens), range(len(prompts))))
            seconds = time.perf_counter() - begin
            return seconds * len(prompts) * (len(prompts[0]) + tokens) / counted

        measure(4)
        first = measure(1)
        return {"seconds": measure(answer), "first_token_seconds": first}
    finally:
        server.terminate()
        server.wait(30)


def _wait(address: str) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:  # it is not up yet
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
