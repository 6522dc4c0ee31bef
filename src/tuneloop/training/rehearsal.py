"""The pre-flight's two checks that try instead of reckoning: one real step of the largest micro-batch, and the disk."""

from __future__ import annotations

import errno
import gc
import os
from pathlib import Path

import torch
from peft import PeftModel

from tuneloop.core.errors import ResourceError
from tuneloop.core.records import Finding, Plan
from tuneloop.store.artifacts import scratch_folder
from tuneloop.training.batches import collate
from tuneloop.training.fast_path import fast_path, release_memory, supervised_loss
from tuneloop.training.identity import Inputs
from tuneloop.training.memory import Room, is_out_of_memory, resident_bytes
from tuneloop.training.noise import noisy_embeddings
from tuneloop.training.preflight_needs import disk_bytes
from tuneloop.training.prepare import Prepared, attached, make_budget, steps_of
from tuneloop.training.state import trained_parameters
from tuneloop.training.subject import finding
from tuneloop.training.tokenise import Example


def rehearse(inputs: Inputs, prepared: Prepared, folder: Path) -> Plan:
    """Try one step and the room for the checkpoints; model and disk are as before afterwards.

    Returns:
        The plan with the findings `rehearsal` and `room` added. Out of memory warns where the loop will halve the
        micro-batch, and refuses at a single sample.
    """
    batch = largest_batch(prepared, inputs.seed)
    findings = [_rehearsal(inputs, prepared.plan, batch)] if batch else []
    findings += _room(folder, disk_bytes(prepared.plan, inputs.training.save_total_limit))
    return prepared.plan.model_copy(update={"findings": (*prepared.plan.findings, *findings)})


def largest_batch(prepared: Prepared, seed: int) -> list[Example]:
    """The micro-batch of the schedule with the most tokens; of several, the one with the longest sample."""
    train = prepared.train
    micro_batches = {micro for step in steps_of(prepared, seed) for micro in step.micro_batches}

    def size(micro: tuple[int, ...]) -> tuple[int, int]:
        lengths = [len(train[i].ids) for i in micro]
        return sum(lengths), max(lengths)

    return [train[i] for i in max(micro_batches, key=size)] if micro_batches else []


def _rehearsal(inputs: Inputs, plan: Plan, batch: list[Example]) -> Finding:
    """Forward, backward and optimiser of one micro-batch."""
    free = torch.cuda.mem_get_info(inputs.loaded.device)[0] if inputs.loaded.device.type == "cuda" else Room().left()
    tokens, before, most = sum(len(e.ids) for e in batch), _held(inputs.loaded.device), 0
    full = False
    try:
        budget = make_budget(inputs, plan)
        if budget is not None:
            budget.check([len(e.ids) for e in batch])
        with (
            attached(inputs, plan) as model,
            fast_path(model),
            noisy_embeddings(model, inputs.training.neftune_noise_alpha),
        ):
            most = _one_step(model, batch, inputs)
    except (MemoryError, RuntimeError, ResourceError) as error:
        if not is_out_of_memory(error):
            raise
        full = True
    if full:
        gc.collect()  # outside the except block: the exception's frames hold the activations
    release_memory()
    if full:
        outcome, status = ("full", "warn") if len(batch) > 1 else ("too_long", "refuse")
        return finding("rehearsal", status, outcome=outcome, tokens=tokens, free=free / 1e9)
    added = max(0, most - before)
    status = "pass" if added < 0.8 * free else "warn"
    planned = plan.figures["memory_bytes"] / 1e9
    return finding("rehearsal", status, tokens=tokens, measured=most / 1e9, planned=planned, free=free / 1e9)


def _one_step(model: PeftModel, batch: list[Example], inputs: Inputs) -> int:
    """Bytes that are held at the most, looked at after forward, backward and optimiser."""
    device = inputs.loaded.device
    optimizer = torch.optim.AdamW(trained_parameters(model).values(), lr=0.0)
    model.train()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        loss = supervised_loss(model, collate(batch, device), inputs.training.label_smoothing_factor)
        held = [_held(device)]
        loss.backward()  # type: ignore[no-untyped-call]
        held.append(_held(device))
        optimizer.step()
    return max(*held, _held(device))


def _held(device: torch.device) -> int:
    """Bytes that are in use: of the card at the most so far, or resident now."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else resident_bytes()


def _room(folder: Path, needed: int) -> list[Finding]:
    """Reserve what all checkpoints will take and give it back: quotas and small disks show themselves now.

    A system that can't reserve says nothing.
    """
    if not hasattr(os, "posix_fallocate"):
        return []
    try:
        with scratch_folder(folder) as scratch, (scratch / "room").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, needed))
    except ResourceError:
        return [finding("room", "refuse", outcome="full", needed=needed / 1e9, folder=folder.parent)]
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise
        return []
    return [finding("room", "pass", needed=needed / 1e9, folder=folder.parent)]
