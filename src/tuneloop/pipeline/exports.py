"""An adapter for another program: written, read back, and refused when it no longer gives its stored answers."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tuneloop.core.errors import CorruptError, UsageError
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Message, Record
from tuneloop.serving.named import Named
from tuneloop.store.artifacts import manifest_hash, new_artifact, read_manifest, scratch_folder, verify

if TYPE_CHECKING:
    from tuneloop.adapters.replay import Agreement, Replay, Teller
    from tuneloop.models.load import LoadedModel
    from tuneloop.models.template import ChatTemplate

Form = Literal["merged", "peft", "gguf", "openvino"]
Weights = Literal["f32", "f16", "bf16", "q8_0"]

QUESTIONS = ("What can you do for me?", "  List 3 things,\n1001 of them: naïve, 50%.", "你好，请介绍一下你自己。")
"""Asked of adapters made before answers were kept; also, tokenizers that are read back must cut them alike."""
QUANTISED_BOUND = 0.9
"""Of the stored tokens, for weights of eight bits."""


class Exported(Record):
    """What an export wrote."""

    adapter: str
    form: Form
    path: Path
    files: dict[str, int]
    """Name and size in bytes."""
    stored: bool
    """Whether the adapter had stored answers; otherwise the merged model was asked a few questions before."""
    answers: int
    same: int
    """Answers that the files give token for token."""
    agreed: float
    """Share of the answers' tokens."""
    seconds: float


class Verified(Record):
    """An adapter that is what it was."""

    adapter: str
    path: Path
    files: int
    base_model: str
    stored: bool
    """Whether it has stored answers."""
    answers: int
    same: int
    agreed: float


@dataclass(frozen=True)
class _Job:
    """One export under way."""

    named: Named
    adapter: Path
    weights: Weights
    progress: Progress

    @property
    def stem(self) -> str:
        return re.sub(r"[^A-Za-z0-9._-]+", "-", Path(self.named.name).name).strip("-._") or "model"


@dataclass(frozen=True)
class _Back:
    """What was written, read again."""

    template: ChatTemplate
    tell: Teller


@dataclass(frozen=True)
class _Format:
    """How a format is written and read back."""

    dtype: str | None
    """Compute type to merge in; None: the model's own."""
    write: Callable[[_Job, LoadedModel, Path], None]
    """From the job and the merged model (its base, for `peft`) to files in a folder."""
    read: Callable[[_Job, Path, str], _Back]
    """From a finished folder and a compute type to what it holds."""
    weights: tuple[Weights, ...] = ()
    """How it can store matrices; nothing: as they are, whatever `weights` says."""


def export_adapter(
    named: Named,
    out: Path,
    *,
    form: Form,
    weights: Weights = "f16",
    force: bool = False,
    progress: Progress = SILENT,
) -> Exported:
    """Write an adapter into a folder, merged into its base model or alone; read it back and replay its answers.

    Args:
        named: the adapter.
        out: the folder.
        form: `merged`, `peft`, `gguf` or `openvino`.
        weights: how a GGUF file or an OpenVINO graph stores matrices.
        force: write into a folder that holds something.
        progress: where to report.

    Raises:
        UsageError: there is no adapter to export (code `serving.export_base`), or the folder holds something and
            `force` is not given (`serving.folder_not_empty`); or the format has no such weights (`adapters.export_weights`).
        NotFoundError: the format's library is not installed (code `models.openvino_missing`).
        IncompatibleError: what was written answers otherwise (code `adapters.replay_differs`), or can't be written in
            this format (`models.gguf_…`, `models.openvino_unsupported`); nothing is kept.
    """
    from tuneloop.adapters.replay import BOUND, check_answers, read_replay

    start = time.perf_counter()
    if named.folder is None:
        raise UsageError("serving.export_base", name=named.name)
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not force):
        raise UsageError("serving.folder_not_empty", file=out)
    format_ = FORMATS[form]
    if format_.weights and weights not in format_.weights:
        allowed = ", ".join(format_.weights)
        raise UsageError("adapters.export_weights", form=form, weights=weights, allowed=allowed)
    manifest = verify(named.folder)
    job = _Job(named, named.folder, weights, progress)
    staged = out.absolute().with_name(f".{out.name}.{secrets.token_hex(4)}.new")
    try:
        merged = _merge(job, named.folder, format_.dtype)
        stored = read_replay(named.folder)
        replay = stored or _ask(merged)
        inputs = {"adapter": manifest_hash(named.folder)}
        with new_artifact(staged, kind=form, config=manifest.config, inputs=inputs) as folder:
            format_.write(job, merged, folder)
        back = format_.read(job, staged, replay.dtype)
        _check_tokens(merged, back, out)
        bound = QUANTISED_BOUND if form == "gguf" and weights == "q8_0" else BOUND
        found = check_answers(back.tell, replay, place=out, bound=bound)
        _move_into(staged, out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Exported(
        adapter=named.name,
        form=form,
        path=out.absolute(),
        files={path.name: path.stat().st_size for path in sorted(out.iterdir()) if path.is_file()},
        stored=stored is not None,
        seconds=round(time.perf_counter() - start, 3),
        **_counted(found),
    )


def verify_adapter(named: Named, *, progress: Progress = SILENT) -> Verified:
    """Check an adapter's files, its base, its template, and that it still gives its stored answers.

    Raises:
        UsageError: this is a base model (code `serving.export_base`).
        CorruptError: a file differs from the manifest (code `store.file_differs`).
        IncompatibleError: another base (code `adapters.base_differs`), template (`adapters.template_differs`) or other
            answers (`adapters.replay_differs`).
    """
    from tuneloop.adapters.folder import check_adapter
    from tuneloop.adapters.merge import merge
    from tuneloop.adapters.replay import Agreement, check_answers, read_replay, teller_of
    from tuneloop.models.load import load_model

    if named.folder is None:
        raise UsageError("serving.export_base", name=named.name)
    manifest = verify(named.folder)
    stored = read_replay(named.folder)
    model = named.model if stored is None else named.model.model_copy(update={"dtype": stored.dtype})
    loaded = load_model(model, progress=progress)
    check_adapter(named.folder, loaded)
    found = Agreement(answers=0, same=0, tokens=0, agreed=0)
    if stored is not None:
        found = check_answers(teller_of(merge(loaded, named.folder)), stored, place=named.folder)
    return Verified(
        adapter=named.name,
        path=named.folder,
        files=len(manifest.files),
        base_model=loaded.name,
        stored=stored is not None,
        **_counted(found),
    )


def _counted(found: Agreement) -> dict[str, Any]:
    return {"answers": found.answers, "same": found.same, "agreed": round(found.share, 4)}


def _merge(job: _Job, adapter: Path, dtype: str | None) -> LoadedModel:
    """The base model with an adapter merged."""
    from tuneloop.adapters.merge import merge
    from tuneloop.models.load import load_model

    config = job.named.model if dtype is None else job.named.model.model_copy(update={"dtype": dtype})
    loaded = load_model(config, progress=job.progress)
    return replace(loaded, model=merge(loaded, adapter))


def _ask(merged: LoadedModel) -> Replay:
    """Greedy answers of the merged model, for adapters that have none stored."""
    from tuneloop.adapters.replay import record_answers

    template = merged.template
    prompts = [template.prompt([Message(role="user", content=question)]) for question in QUESTIONS]
    return record_answers(merged.model, prompts, stop_ids=template.stop_ids, template_sha256=template.sha256)


def _check_tokens(merged: LoadedModel, back: _Back, out: Path) -> None:
    """Refuse a tokenizer or a template that cuts the same conversation otherwise.

    Raises:
        CorruptError: code `adapters.export_differs`.
    """
    for question in QUESTIONS:
        turns = [Message(role="user", content=question), Message(role="assistant", content="A 1.")]
        for messages in (turns[:1], [*turns, turns[0]]):
            if merged.template.prompt(messages) != back.template.prompt(messages):
                raise CorruptError("adapters.export_differs", file=out, found=repr(question))


# ---- the formats -----------------------------------------------------------------------------------------------------


def _write_merged(job: _Job, merged: LoadedModel, folder: Path) -> None:
    from tuneloop.models.load import save_model

    save_model(merged, folder)


def _read_merged(job: _Job, folder: Path, dtype: str) -> _Back:
    from tuneloop.models.load import load_model

    update = {"name_or_path": str(folder), "dtype": dtype}
    return _back(load_model(job.named.model.model_copy(update=update), progress=job.progress))


def _back(loaded: LoadedModel) -> _Back:
    from tuneloop.adapters.replay import teller_of

    return _Back(loaded.template, teller_of(loaded.model))


def _write_peft(job: _Job, merged: LoadedModel, folder: Path) -> None:
    for name in read_manifest(job.adapter).files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(job.adapter / name, folder / name)


def _read_peft(job: _Job, folder: Path, dtype: str) -> _Back:
    return _back(_merge(job, folder, dtype))


def _write_gguf(job: _Job, merged: LoadedModel, folder: Path) -> None:
    from tuneloop.adapters.gguf import write_lora_gguf
    from tuneloop.models.gguf_write import write_gguf
    from tuneloop.models.modelfile import modelfile

    model_file, lora_file = f"{job.stem}-{job.weights}.gguf", f"{job.stem}-lora.gguf"
    write_gguf(merged, folder / model_file, weights=job.weights, name=job.named.name, progress=job.progress)
    write_lora_gguf(job.adapter, merged.model, folder / lora_file, name=job.named.name)
    text = modelfile(merged, model_file=model_file, lora_file=lora_file, system=job.named.system)
    (folder / "Modelfile").write_text(text, encoding="utf-8")


def _read_gguf(job: _Job, folder: Path, dtype: str) -> _Back:
    """Read the file back as any user of tuneloop would, but not into the cache."""
    from tuneloop.models.gguf import convert

    with scratch_folder(folder) as scratch:
        convert(folder / f"{job.stem}-{job.weights}.gguf", scratch / "model", progress=job.progress)
        return _read_merged(job, scratch / "model", dtype)


def _write_openvino(job: _Job, merged: LoadedModel, folder: Path) -> None:
    from tuneloop.models.openvino_graph import write_openvino

    write_openvino(merged, folder, half=job.weights == "f16")


def _read_openvino(job: _Job, folder: Path, dtype: str) -> _Back:
    """Run the graph itself, in float32: what it stores is judged, not what this processor makes of it."""
    from tuneloop.models.openvino_graph import compile_graph, read_openvino, read_text, tell_with

    return _Back(read_text(folder).template, tell_with(compile_graph(read_openvino(folder), precision="f32")))


FORMATS: dict[Form, _Format] = {
    "merged": _Format(None, _write_merged, _read_merged),
    "peft": _Format(None, _write_peft, _read_peft),
    "gguf": _Format("float32", _write_gguf, _read_gguf, ("f32", "f16", "bf16", "q8_0")),
    "openvino": _Format("float32", _write_openvino, _read_openvino, ("f32", "f16")),
}
"""What an adapter can be exported as."""


def _move_into(staged: Path, out: Path) -> None:
    """Put a finished folder in its place; in a folder that exists, over files of the same name."""
    if not out.exists():
        staged.rename(out)
        return
    for path in sorted(staged.rglob("*")):
        target = out / path.relative_to(staged)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            path.replace(target)
