"""The checks of what a run needs: rows, steps, memory, disk, time."""

from __future__ import annotations

import shutil

from tuneloop.core.records import Finding, Plan
from tuneloop.training.estimate import OPTIMISER_BYTES
from tuneloop.training.subject import Subject, finding

LONG_HOURS, ENDLESS_HOURS = 4, 7 * 24
"""A run that takes longer than this is pointed out, and refused."""


FEW, TOO_FEW = 50, 4
"""Training rows below which hardly more than a form is learnt, and below which only those rows are."""


def rows(subject: Subject) -> Finding:
    """A handful of answers is learnt by heart, and nothing else."""
    count = len(subject.samples)
    return finding("rows", "pass" if count >= FEW else "warn" if count >= TOO_FEW else "refuse", count=count)


def warm_up(subject: Subject) -> Finding:
    """A rate that is still rising when the run ends taught nothing at its full height."""
    steps, warmup = subject.plan.value("steps"), subject.plan.value("warmup_steps")
    status = "pass" if warmup <= 0.2 * steps or steps < 5 else "warn" if warmup < steps else "refuse"
    return finding("warm_up", status, steps=steps, warmup=warmup, fitting=max(1, steps // 20))


def memory(subject: Subject) -> Finding:
    """The predicted peak against what is free."""
    needed, free = subject.plan.figures["memory_bytes"], float(subject.machine.available_bytes)
    status = "pass" if needed < 0.8 * free else "warn" if needed < free else "refuse"
    return finding("memory", status, needed=needed / 1e9, free=free / 1e9)


def disk(subject: Subject) -> Finding:
    """Room for every checkpoint that is kept (the last ones, the best, the one that a rollback may want), for the one
    being written, and for the adapter."""
    needed = disk_bytes(subject.plan, subject.save_total_limit)
    folder = next(p for p in (subject.folder, *subject.folder.parents) if p.exists())
    free = float(shutil.disk_usage(folder).free)
    status = "pass" if needed < 0.5 * free else "warn" if needed < free else "refuse"
    return finding("disk", status, needed=needed / 1e9, free=free / 1e9)


def disk_bytes(plan: Plan, save_total_limit: int) -> int:
    """What all checkpoints that can stand side by side take, and the adapter."""
    parameters = int(plan.figures["trained_parameters"])
    return (save_total_limit + 3) * OPTIMISER_BYTES * parameters + 4 * parameters


def time(subject: Subject) -> Finding:
    """The predicted time, so that nobody waits without knowing."""
    hours = subject.plan.figures["seconds"] / 3600
    status = "pass" if hours < LONG_HOURS else "warn" if hours < ENDLESS_HOURS else "refuse"
    return finding("time", status, minutes=60 * hours, steps=int(subject.plan.figures["steps"]))
