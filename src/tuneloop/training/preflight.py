"""The pre-flight: will this run teach anything? A table of checks, each pass, warn or refuse, each with its fix.

What a run needs (rows, memory, time, disk, steps) is checked in `preflight_needs.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tuneloop.core.messages import text
from tuneloop.core.records import Finding, Message
from tuneloop.training import preflight_needs as needs
from tuneloop.training.facts import characters
from tuneloop.training.subject import Subject, finding

SHOWN = 3
"""Examples that a finding names."""


def preflight(subject: Subject) -> tuple[Finding, ...]:
    """Run every check."""
    return tuple(check(subject) for check in CHECKS.values())


def stop_token(subject: Subject) -> Finding:
    """A model that never saw the stop token supervised never stops."""
    share = sum(e.ends_with_stop for e in subject.cut) / len(subject.cut)
    return finding("stop_token", "pass" if share >= 0.99 else "warn" if share >= 0.9 else "refuse", share=share)


def padding(subject: Subject) -> Finding:
    """A padding token in the labels is learnt as an answer; one that is the stop token is masked by other tools."""
    pad = subject.tokens.pad
    is_stop = pad in subject.template.stop_ids
    taught = sum(
        any(counts and token == pad for token, counts in zip(e.ids, e.supervised, strict=True)) for e in subject.cut
    )
    status = "pass" if pad is None or not (is_stop or taught) else "warn" if is_stop else "refuse"
    return finding("padding", status, count=taught, outcome="is_stop" if is_stop else "")


def labels(subject: Subject) -> Finding:
    """A sample without a supervised token costs time and teaches nothing."""
    empty = [e.id for e in subject.cut if e.targets == 0]
    status = "pass" if not empty else "warn" if len(empty) <= 0.01 * len(subject.cut) else "refuse"
    return finding("labels", status, count=len(empty), first=first_of(empty))


def truncation(subject: Subject) -> Finding:
    """Cut answers teach to stop in the middle."""
    cut = sum(len(a.ids) < len(b.ids) for a, b in zip(subject.cut, subject.whole, strict=True))
    share = cut / len(subject.cut)
    status = "pass" if share <= 0.01 else "warn" if share <= 0.1 else "refuse"
    longest = max(len(e.ids) for e in subject.whole)
    return finding("truncation", status, share=share, length=subject.plan.value("max_length"), longest=longest)


def round_trip(subject: Subject) -> Finding:
    """What the template renders must read back as the answer that was put in."""
    looked_at, bad = subject.samples[:50], []
    for sample in looked_at:
        tokens = subject.template.render(sample.messages)
        start = len(subject.template.prompt(sample.prompt))
        if subject.template.decode(tokens.ids[start:]).strip() != sample.answer.strip():
            bad.append(sample.id)
    status = "pass" if not bad else "warn" if len(bad) <= 0.02 * len(looked_at) else "refuse"
    return finding("round_trip", status, count=len(bad), first=first_of(bad))


def control_tokens(subject: Subject) -> Finding:
    """Control tokens in what people wrote stay harmless characters; in many rows they say that the rows were rendered
    by a chat template before, and the model would learn to type them."""
    marks = subject.tokens.control
    found = [s.id for s in subject.samples if any(mark in m.content for m in s.messages for mark in marks)]
    status = "pass" if not found else "warn" if len(found) <= 0.05 * len(subject.samples) else "refuse"
    return finding("control_tokens", status, count=len(found), first=first_of(found))


def duplicates(subject: Subject) -> Finding:
    """Rows that say the same are learnt by heart; what cleaning found already stands in the dataset's report."""
    unique = len({_words(s.messages) for s in subject.samples})
    share = 1 - unique / len(subject.samples)
    removed = sum(
        rule.get("removed", 0) for name, rule in subject.report.get("rules", {}).items() if "duplicate" in name
    )
    status = "pass" if share <= 0.02 else "warn" if share <= 0.5 else "refuse"
    return finding("duplicates", status, share=share, removed=removed)


def leaks(subject: Subject) -> Finding:
    """An evaluation on rows that were trained on proves nothing."""
    known = {_words(s.prompt) for s in subject.samples}
    leaked = [s.id for s in subject.held_out if _words(s.prompt) in known]
    removed = sum(subject.report.get("leaks", {}).values())
    few = len(leaked) <= 0.01 * len(subject.held_out) and removed <= 0.1 * len(subject.samples)
    status = "pass" if few and not leaked else "warn" if len(leaked) <= 0.05 * len(subject.held_out) else "refuse"
    return finding("leaks", status, count=len(leaked), removed=removed, first=first_of(leaked))


def turn_tokens(subject: Subject) -> Finding:
    """A base model may have names for turns that it was never trained on; frozen embeddings stay as they are."""
    untrained, stops = subject.tokens.untrained, subject.template.stop_ids
    used = set().union(*(e.ids for e in subject.whole)) & set(untrained)
    status = "pass" if not used else "refuse" if stops[0] in used else "warn"
    return finding(
        "turn_tokens", status, tokens=", ".join(sorted(untrained[i] for i in used)) or text("general.no_rows")
    )


def readable(subject: Subject) -> Finding:
    """A model that needs more than a token for a character does not know the language (English needs about 0.25); what
    becomes the unknown token is lost."""
    total = sum(len(e.ids) for e in subject.whole)
    rate = total / max(1, characters(subject.samples))
    unknown = sum(e.ids.count(subject.tokens.unknown) for e in subject.whole if subject.tokens.unknown is not None)
    status = "refuse" if unknown > 0.01 * total else "warn" if unknown or rate >= 1.1 else "pass"
    return finding("readable", status, rate=rate, unknown=unknown / max(1, total))


def embeddings(subject: Subject) -> Finding:
    """Embedding and head stay frozen: tokens that were added to the vocabulary keep what they were born with."""
    targets = subject.plan.value("target_modules")
    named = [] if isinstance(targets, str) else [name for name in targets if name in subject.tokens.embedding_layers]
    used = set().union(*(e.ids for e in subject.whole))
    added = sorted(token for token in used if token in subject.tokens.added)
    status = "refuse" if named else "warn" if added else "pass"
    shown = ", ".join([*named, *(subject.tokens.added[i] for i in added)][:SHOWN]) or text("general.no_rows")
    return finding("embeddings", status, names=shown, outcome="targets" if named else "")


def first_of(names: Sequence[str]) -> str:
    """The first samples that a finding is about, in brackets; nothing where there are none."""
    return text("training.check.first", names=", ".join(names[:SHOWN])) if names else ""


def _words(messages: tuple[Message, ...]) -> tuple[tuple[str, str], ...]:
    """What a conversation says, spacing and case apart."""
    return tuple((m.role, " ".join(m.content.casefold().split())) for m in messages)


CHECKS: dict[str, Callable[[Subject], Finding]] = {
    "rows": needs.rows,
    "stop_token": stop_token,
    "padding": padding,
    "labels": labels,
    "truncation": truncation,
    "round_trip": round_trip,
    "control_tokens": control_tokens,
    "duplicates": duplicates,
    "leaks": leaks,
    "turn_tokens": turn_tokens,
    "readable": readable,
    "embeddings": embeddings,
    "warm_up": needs.warm_up,
    "memory": needs.memory,
    "disk": needs.disk,
    "time": needs.time,
}
"""Name and function of every check, in the order of the table."""
