"""A vLLM process: started, waited for, and ended."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from tuneloop.core.errors import ResourceError, UsageError

MOST_RANK = 64
"""Largest rank of an adapter that the process makes room for."""

IN_BATCH = 8
"""Adapters that one of its batches may mix."""

END_SECONDS = 10.0
"""So long it may take to end before it is killed."""

LOOK_SECONDS = 0.1


class Process:
    """vLLM's server, in an environment of its own.

    Args:
        program: vLLM's command, by name or path.
        model: folder of the base model.
        log_file: where it writes.
    """

    def __init__(self, program: str, model: Path, log_file: Path) -> None:
        found = shutil.which(program)
        if found is None:
            raise UsageError("serving.engine_missing", program=program)
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log_file = log_file
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
            "HF_HUB_OFFLINE": "1",
        }
        environment.pop("PYTHONPATH", None)  # another environment than ours
        command = [
            *(found, "serve", str(model), "--served-model-name", "base", "--host", "127.0.0.1", "--port", str(port)),
            *("--enable-lora", "--max-loras", str(IN_BATCH), "--max-lora-rank", str(MOST_RANK)),
        ]
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
            )

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def wait_ready(self, seconds: float) -> None:
        """Wait until it answers, `seconds` at most.

        Raises:
            ResourceError: it ended, or took too long (codes `serving.engine_ended`, `serving.engine_slow`).
        """
        end = time.monotonic() + seconds
        while not self._answers():
            if not self.alive:
                code = self._process.returncode
                raise ResourceError("serving.engine_ended", status=code, log=self.log_file, said=self._last_line())
            if time.monotonic() > end:
                self.end()
                raise ResourceError("serving.engine_slow", seconds=f"{seconds:.0f}", log=self.log_file)
            time.sleep(LOOK_SECONDS)

    def end(self) -> None:
        """End it; what does not follow is killed."""
        if self.alive:
            self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as response:
                return bool(response.status == 200)
        except OSError:  # not yet
            return False

    def _last_line(self) -> str:
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
