"""`tuneloop doctor` and `tuneloop version`: is this machine ready?"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated, Any

import typer

from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import verb
from tuneloop.core.errors import IncompatibleError
from tuneloop.core.messages import text

LIBRARIES = ("torch", "transformers", "peft", "accelerate", "polars", "sqlalchemy", "pydantic", "typer")
Facts = dict[str, Any]


def add_to(application: typer.Typer) -> None:
    verb(application, "doctor")(doctor)
    verb(application, "version")(version)


def version(session: Session) -> Reply:
    from tuneloop import __version__

    return Reply({"version": __version__}, plain=f"tuneloop {__version__}")


BuildOption = Annotated[bool, typer.Option("--build-kernels", help=text("cli.option.build_kernels"))]


def doctor(session: Session, build_kernels: BuildOption = False) -> Reply:
    from rich.text import Text

    from tuneloop.cli.tables import table

    facts: Facts = {}
    problems: list[str] = []
    if build_kernels:
        _build_kernels()
    for look in LOOKS.values():
        look(session, facts, problems)
    columns = [text("cli.column.check"), text("cli.column.finding")]
    rows = [(text(f"cli.doctor.{name}"), _shown(value)) for name, value in facts.items()]
    shown: list[Any] = [table("tuneloop doctor", columns, rows)]
    shown += [Text(f"! {problem}", style="yellow") for problem in problems]
    shown += [] if problems else [Text(text("cli.doctor.ready"), style="green")]
    return Reply({**facts, "problems": problems}, shown)


def _look_at_python(session: Session, facts: Facts, problems: list[str]) -> None:
    facts["python"] = f"{platform.python_version()} ({sys.executable})"
    facts["system"] = f"{platform.system()} {platform.release()} {platform.machine()}"


def _look_at_torch(session: Session, facts: Facts, problems: list[str]) -> None:
    """Which build, what the processor can do, and whether bfloat16 is really faster here."""
    import torch

    from tuneloop.models.precision import choose_device, choose_precision

    device = choose_device("auto")
    precision = choose_precision("auto", device)
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU"
    facts["torch"] = f"{torch.__version__} ({build})"
    facts["device"] = torch.cuda.get_device_name(0) if device.type == "cuda" else str(device)
    facts["instructions"] = torch.backends.cpu.get_cpu_capability()
    facts["dtype"] = f"{str(precision.dtype).removeprefix('torch.')}: {precision.reason}"
    if torch.version.cuda and device.type == "cpu":
        problems.append(text("cli.doctor.cuda_unused"))


def _build_kernels() -> None:
    from tuneloop.kernels import native

    if not native.can_build():
        raise IncompatibleError("cli.doctor.kernels_impossible")
    if problem := native.build():
        raise IncompatibleError("cli.doctor.kernels_failed", problem=problem)


def _look_at_kernels(session: Session, facts: Facts, problems: list[str]) -> None:
    """Whether the C++ kernels run, or why not."""
    from tuneloop.kernels import native

    if native.library() is not None:
        facts["kernels"] = text("cli.doctor.kernels_native", path=native.built_path())
    elif native.can_build():
        facts["kernels"] = text("cli.doctor.kernels_unbuilt")
    elif native.wanted():
        facts["kernels"] = text("cli.doctor.kernels_no_compiler")
    else:
        facts["kernels"] = "torch"


def _look_at_memory(session: Session, facts: Facts, problems: list[str]) -> None:
    import psutil

    from tuneloop.core.show import show_bytes

    memory = psutil.virtual_memory()
    limit = _memory_limit()
    facts["cores"] = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts["memory"] = text("cli.doctor.free_of", free=show_bytes(memory.available), total=show_bytes(memory.total))
    if limit is not None and limit < memory.total:
        facts["memory_limit"] = show_bytes(limit)
    if min(memory.available, limit or memory.available) < 4e9:
        problems.append(text("cli.doctor.little_memory"))


def _memory_limit() -> int | None:
    """The limit of the container, if there is one: the kernel ends whoever passes it."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if Path(path).is_file() and (value := Path(path).read_text().strip()).isdigit():
            return int(value)
    return None


def _look_at_disk(session: Session, facts: Facts, problems: list[str]) -> None:
    from tuneloop.core.show import show_bytes
    from tuneloop.store.cache import cache_folder

    for name, folder in (("cache", cache_folder()), ("workspace", session.workspace.root)):
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(existing).free
        facts[name] = text("cli.doctor.folder", path=folder, free=show_bytes(free))
        if not os.access(existing, os.W_OK):
            problems.append(text("cli.doctor.not_writable", path=existing))
        if free < 2e9:
            problems.append(text("cli.doctor.little_disk", path=existing))


def _look_at_libraries(session: Session, facts: Facts, problems: list[str]) -> None:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = package_version(name)
        except PackageNotFoundError:
            problems.append(text("cli.doctor.library_missing", name=name))
    facts["libraries"] = found


def _shown(value: Any) -> str:
    return ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else str(value)


LOOKS: dict[str, Callable[[Session, Facts, list[str]], None]] = {
    "python": _look_at_python,
    "torch": _look_at_torch,
    "kernels": _look_at_kernels,
    "memory": _look_at_memory,
    "disk": _look_at_disk,
    "libraries": _look_at_libraries,
}
"""Each adds facts, and problems with what to do about them."""
