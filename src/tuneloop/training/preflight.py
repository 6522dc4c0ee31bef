"""The pre-flight: will this run teach anything? A table of checks, each pass, warn or refuse, each with its fix."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuneloop.core.messages import text
from tuneloop.core.records import Finding, Plan, Sample
from tuneloop.models.template import ChatTemplate
from tuneloop.training.facts import MachineFacts, characters
from tuneloop.training.tokenise import Example


@dataclass(frozen=True, slots=True)
class Subject:
    """What the checks look at."""

    samples: Sequence[Sample]
    whole: Sequence[Example]
    """The samples before any cut."""
    cut: Sequence[Example]
    """The samples as they will be trained on."""
    template: ChatTemplate
    plan: Plan
    machine: MachineFacts
    folder: Path
    """Where checkpoints will be written."""


def preflight(subject: Subject) -> tuple[Finding, ...]:
    """Run every check."""
    return tuple(check(subject) for check in CHECKS.values())


def _finding(check: str, status: str, **values: object) -> Finding:
    fix = "" if status == "pass" else text(f"training.check.{check}.fix", None, **values)
    message = text(f"training.check.{check}", None, **values)
    return Finding.model_validate({"check": check, "status": status, "message": message, "fix": fix})


def stop_token(subject: Subject) -> Finding:
    """A model that never saw the stop token supervised never stops."""
    share = sum(e.ends_with_stop for e in subject.cut) / len(subject.cut)
    return _finding("stop_token", "pass" if share >= 0.99 else "warn" if share >= 0.9 else "refuse", share=share)


def labels(subject: Subject) -> Finding:
    """A sample without a supervised token costs time and teaches nothing."""
    empty = [e.id for e in subject.cut if e.targets == 0]
    status = "pass" if not empty else "warn" if len(empty) <= 0.01 * len(subject.cut) else "refuse"
    return _finding("labels", status, count=len(empty), first=empty[0] if empty else "–")


def truncation(subject: Subject) -> Finding:
    """Cut answers teach to stop in the middle."""
    cut = sum(len(a.ids) < len(b.ids) for a, b in zip(subject.cut, subject.whole, strict=True))
    share = cut / len(subject.cut)
    status = "pass" if share <= 0.01 else "warn" if share <= 0.1 else "refuse"
    longest = max(len(e.ids) for e in subject.whole)
    return _finding("truncation", status, share=share, length=subject.plan.value("max_length"), longest=longest)


def round_trip(subject: Subject) -> Finding:
    """What the template renders must read back as the answer that was put in."""
    bad = []
    for sample in subject.samples[:50]:
        tokens = subject.template.render(sample.messages)
        start = len(subject.template.prompt(sample.prompt))
        if subject.template.decode(tokens.ids[start:]).strip() != sample.answer.strip():
            bad.append(sample.id)
    return _finding("round_trip", "refuse" if bad else "pass", count=len(bad), first=bad[0] if bad else "–")


def readable(subject: Subject) -> Finding:
    """A model that needs more than a token for a character does not know the language (English needs about 0.25)."""
    rate = sum(len(e.ids) for e in subject.whole) / max(1, characters(subject.samples))
    return _finding("readable", "pass" if rate < 1.1 else "warn", rate=rate)


def memory(subject: Subject) -> Finding:
    """The predicted peak against what is free."""
    needed, free = subject.plan.figures["memory_bytes"], float(subject.machine.available_bytes)
    status = "pass" if needed < 0.8 * free else "warn" if needed < free else "refuse"
    return _finding("memory", status, needed=needed / 1e9, free=free / 1e9)


def time(subject: Subject) -> Finding:
    """The predicted time, so that nobody waits without knowing."""
    minutes = subject.plan.figures["seconds"] / 60
    return _finding(
        "time", "pass" if minutes < 240 else "warn", minutes=minutes, steps=int(subject.plan.figures["steps"])
    )


def disk(subject: Subject) -> Finding:
    """Room for the checkpoints that are kept, one being written, and the adapter."""
    needed = 5 * 16 * subject.plan.figures["trained_parameters"]
    folder = next(p for p in (subject.folder, *subject.folder.parents) if p.exists())
    free = float(shutil.disk_usage(folder).free)
    return _finding("disk", "pass" if needed < free else "refuse", needed=needed / 1e9, free=free / 1e9)


CHECKS: dict[str, Callable[[Subject], Finding]] = {
    "stop_token": stop_token,
    "labels": labels,
    "truncation": truncation,
    "round_trip": round_trip,
    "readable": readable,
    "memory": memory,
    "time": time,
    "disk": disk,
}
"""Name and function of every check, in the order of the table."""
