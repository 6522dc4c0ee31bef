"""Many adapters of one server: more than memory holds, a thousand registered, the way in and out, the start.

    python bench/many_adapters.py [--model smollm2-135m] [--adapters 64] [--resident 8] [--registered 1000] [--rounds 3]

`bench/serving.py` runs it as its last part. Adapters are random, of rank 16 on the query and value projections, registered
in a workspace that is thrown away, and read from it as a server reads them: every file's hash, base and template checked.

- even traffic: as many requests as there are adapters, twice, each adapter's in turn, 8 rows at a time, 54 tokens asked and
  64 answered; once with all in memory, once with room for 8 (a fresh engine each, alternating).
- swap: from an adapter that is not in memory to one that is.
- listing: `/v1/models` and the registry alone, with 1,000 adapters of one version and one alias.
- start: from the command to `/ready`, as a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROMPT, ANSWER, RANK, ROWS = 54, 64, 16, 8
QV = ["q_proj", "v_proj"]
CARD = {"name": "", "steps": 1, "best_step": 1, "validation_loss": "1.0", "dataset": "d/1", "trained": 1, "share": 1.0}


def make_adapters(workspace: Any, loaded: Any, names: list[str], *, versions: int = 1) -> None:
    """Register random adapters that change every answer."""
    import torch
    from safetensors.torch import load_file, save_file

    from tuneloop.adapters.folder import save_adapter
    from tuneloop.adapters.lora import attach_lora
    from tuneloop.registry.versions import register
    from tuneloop.store.artifacts import new_artifact, read_manifest

    first = workspace.runs / "first" / "adapter"
    first.parent.mkdir(parents=True)
    model = attach_lora(loaded.model, r=RANK, lora_alpha=32, target_modules=QV, dropout=0.0, seed=0)
    save_adapter(first, model, loaded, card=CARD, inputs={}, seed=0)
    model.unload()
    made, tensors = read_manifest(first), load_file(first / "adapter_model.safetensors")
    for number, (name, version) in enumerate((name, version) for name in names for version in range(versions)):
        run = workspace.runs / f"{name}-{version}"
        generator = torch.Generator().manual_seed(number)
        drawn = {
            key: torch.randn(value.shape, generator=generator) * 0.3 if "lora_B" in key else value
            for key, value in tensors.items()
        }
        with new_artifact(run / "adapter", kind=made.kind, config=made.config, seeds={"training": number}) as folder:
            for file in made.files:
                shutil.copyfile(first / file, folder / file)
            save_file(drawn, folder / "adapter_model.safetensors")
        alias = "production" if version == 0 else "candidate"
        register(workspace, name=name, run_folder=run, base_model=loaded.name, run_id=run.name, alias=alias)


def even_traffic(loaded: Any, workspace: Any, names: list[str], resident: int, rounds: int) -> dict[str, float]:
    """Tokens per second with all adapters in memory, and with room for a few."""
    from tuneloop.engine.request import Request, Sampling
    from tuneloop.serving.served import ServedModels, make_engine

    models = ServedModels(loaded, loaded.name, workspace)
    draw = random.Random(0)
    vocabulary = loaded.model.config.vocab_size
    asked = [
        Request(
            tuple(draw.randrange(vocabulary // 4, vocabulary - 8) for _ in range(PROMPT)),
            f"{name}@v0001",
            Sampling(max_new_tokens=ANSWER),
        )
        for name in names * 2
    ]
    one = make_engine(models, loaded.model, batch_size=ROWS, adapter_bytes=2**40)
    one.fetch(f"{names[0]}@v0001")
    limits = {"all in memory": 2**40, f"{resident} in memory": resident * one.pool.bytes + 1}
    found: dict[str, list[float]] = {name: [] for name in limits}
    loads: dict[str, int] = {}
    for _ in range(rounds):
        for name, limit in limits.items():
            engine = make_engine(models, loaded.model, batch_size=ROWS, adapter_bytes=limit)
            list(engine.generate(asked[: len(names)]))  # everybody was there once
            before, start = engine.pool.loads, time.perf_counter()
            list(engine.generate(asked))
            found[name].append(len(asked) * (PROMPT + ANSWER) / (time.perf_counter() - start))
            loads[name] = engine.pool.loads - before
    rates = {name: statistics.median(values) for name, values in found.items()}
    whole, few = rates.values()
    return {
        **{f"{name}: tokens_per_second": rate for name, rate in rates.items()},
        **{f"{name}: loads": float(count) for name, count in loads.items()},
        "share": few / whole,
    }


def swaps(loaded: Any, workspace: Any, names: list[str]) -> dict[str, float]:
    """Milliseconds from an adapter that is not in memory to one that is."""
    from tuneloop.serving.served import ServedModels, make_engine

    models = ServedModels(loaded, loaded.name, workspace)
    engine = make_engine(models, loaded.model, batch_size=ROWS, adapter_bytes=2**40)
    engine.fetch(f"{names[0]}@v0001")
    milliseconds = []
    for name in names[1:]:
        start = time.perf_counter()
        engine.fetch(f"{name}@v0001")
        milliseconds.append(1000 * (time.perf_counter() - start))
    milliseconds.sort()
    return {"median_ms": statistics.median(milliseconds), "p95_ms": milliseconds[int(0.95 * (len(milliseconds) - 1))]}


def listing(workspace: Any, loaded: Any, count: int) -> dict[str, float]:
    """Milliseconds to list many registered adapters: rows as `register` writes them, that share one folder."""
    from starlette.testclient import TestClient

    from tuneloop.registry.versions import list_adapters
    from tuneloop.serving.app import make_app
    from tuneloop.serving.config import ServingConfig
    from tuneloop.serving.served import ServedModels, make_engine
    from tuneloop.serving.worker import Worker
    from tuneloop.store.database import ADAPTERS, ALIASES, now, open_database

    some = list_adapters(workspace)[0]
    path = some.path.relative_to(workspace.root).as_posix()
    with open_database(workspace) as database, database.write() as connection:
        for number in range(count - len(list_adapters(workspace))):
            name = f"many-{number:04d}"
            row = {"name": name, "version": 1, "path": path, "run_id": name, "base_model": some.base_model}
            row |= {"manifest_sha256": f"{number:064x}", "created_at": now()}
            connection.execute(ADAPTERS.insert().values(row))
            connection.execute(ALIASES.insert().values(name=name, alias="candidate", version=1, updated_at=now()))
    models = ServedModels(loaded, loaded.name, workspace)
    worker = Worker(make_engine(models, loaded.model, batch_size=1, adapter_bytes=2**30), queue_limit=1)
    with TestClient(make_app(models, worker, ServingConfig())) as client:
        client.get("/health")

        def fresh() -> int:
            models._seen = (-1e9, [])  # as if a second had passed
            return len(client.get("/v1/models").json()["data"])

        assert fresh() >= 3 * count
        found = {"registry_ms": _median_ms(lambda: list_adapters(workspace)), "models_ms": _median_ms(fresh)}
    return {"adapters": float(len(list_adapters(workspace))), **found}


def _median_ms(work: Any) -> float:
    work()
    times = []
    for _ in range(7):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


@contextmanager
def served(workspace: Any, model: str, *settings: str) -> Iterator[tuple[str, subprocess.Popen[str], float]]:
    """A server as a process: its address, itself, and the seconds until it was ready."""
    program = [sys.executable, "-c", "from tuneloop.cli.main import main; main()", "serve", "--port", "0"]
    command = [*program, "--model", model, "--workspace", str(workspace.root), *settings]
    start = time.monotonic()
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "TUNELOOP_LANGUAGE": "en"}
    )
    try:
        assert process.stderr is not None
        url = next(match.group() for line in process.stderr if (match := re.search(r"http://[\d.:]+\d", line)))
        while True:
            try:
                urllib.request.urlopen(f"{url}/ready", timeout=5).read()
                break
            except urllib.error.URLError:
                time.sleep(0.02)
        yield url, process, time.monotonic() - start
    finally:
        process.terminate()
        process.communicate(timeout=60)


def measure(model: str, *, adapters: int, resident: int, registered: int, rounds: int) -> dict[str, dict[str, float]]:
    """All of it."""
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model
    from tuneloop.store.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder)).ensure()
        loaded = load_model(ModelConfig(name_or_path=model, dtype="bfloat16" if model != "tiny" else "auto"))
        names = [f"adapter-{number:02d}" for number in range(adapters)]
        make_adapters(workspace, loaded, names)
        found = {
            f"{adapters} adapters, {resident} in memory": even_traffic(loaded, workspace, names, resident, rounds),
            "swap": swaps(loaded, workspace, names),
        }
        starts = []
        for _ in range(rounds):
            with served(workspace, model) as (_, _, seconds):
                starts.append(seconds)
        found["start"] = {"ready_seconds": statistics.median(starts)}
        found[f"{registered} registered"] = listing(workspace, loaded, registered)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--adapters", type=int, default=64)
    parser.add_argument("--resident", type=int, default=8)
    parser.add_argument("--registered", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = vars(parser.parse_args())
    print(json.dumps(measure(options.pop("model"), **options), indent=1))


if __name__ == "__main__":
    main()
