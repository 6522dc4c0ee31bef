"""`tuneloop adapters`: list, show, promote, rollback, export, verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tuneloop.cli.options import AcceptLicenseOption, AdapterArgument
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import group, verb
from tuneloop.core.messages import text

if TYPE_CHECKING:
    from tuneloop.pipeline.exports import Exported, Verified


def add_to(application: typer.Typer) -> None:
    adapters = group(application, "adapters")
    verb(adapters, "adapters.list")(list_)
    verb(adapters, "adapters.show")(show)
    verb(adapters, "adapters.promote")(promote)
    verb(adapters, "adapters.rollback")(rollback)
    verb(adapters, "adapters.export")(export)
    verb(adapters, "adapters.verify")(verify)


def list_(session: Session) -> Reply:
    from tuneloop.cli.tables import table
    from tuneloop.registry.evaluations import evaluations_of
    from tuneloop.registry.versions import list_adapters

    found = list_adapters(session.workspace)
    if not found:
        return Reply([], [text("cli.none", place=session.workspace.root)])
    columns = [text(f"cli.column.{name}") for name in ("name", "aliases", "base", "verdict", "made_at")]
    rows = []
    for adapter in found:
        judged = evaluations_of(session.workspace, adapter.run_id)
        verdict = text(f"cli.verdict.{judged[-1].verdict}") if judged else ""
        rows.append((adapter.label, ", ".join(adapter.aliases), adapter.base_model, verdict, adapter.created_at))
    value = [{**adapter.model_dump(mode="json"), "label": adapter.label} for adapter in found]
    return Reply(value, [table(text("cli.adapters"), columns, rows)])


def show(session: Session, adapter: AdapterArgument) -> Reply:
    from tuneloop.cli.tables import result_tables, table
    from tuneloop.registry.evaluations import evaluations_of
    from tuneloop.registry.versions import resolve
    from tuneloop.store import artifacts

    found = resolve(session.workspace, adapter)
    artifacts.verify(found.path)
    judged = evaluations_of(session.workspace, found.run_id)
    shown = result_tables(found)
    if judged:
        columns = [text(f"cli.column.{name}") for name in ("id", "verdict", "made_at")]
        rows = [(j.evaluation_id, text(f"cli.verdict.{j.verdict}"), j.created_at) for j in judged]
        shown.append(table(text("cli.evaluations"), columns, rows))
    return Reply({**found.model_dump(mode="json"), "label": found.label, "evaluations": judged}, shown)


def promote(
    session: Session,
    adapter: AdapterArgument,
    evaluation: Annotated[str | None, typer.Option("--evaluation", help=text("cli.option.gate_evaluation"))] = None,
) -> Reply:
    from tuneloop import api

    moved, decision = api.promote(adapter, session.workspace, evaluation=evaluation)
    shown = [f"✓ {reason.text}" for reason in decision.reasons]
    shown.append(text("cli.promoted", label=moved.label, alias="production"))
    return Reply({**moved.model_dump(mode="json"), "label": moved.label, "decision": decision}, shown)


def rollback(
    session: Session, adapter: Annotated[str, typer.Argument(metavar="NAME", help=text("cli.option.adapter_name"))]
) -> Reply:
    from tuneloop import api

    moved = api.roll_back(adapter, session.workspace)
    return Reply(
        {**moved.model_dump(mode="json"), "label": moved.label},
        [text("cli.promoted", label=moved.label, alias="production")],
    )


def export(
    session: Session,
    adapter: AdapterArgument,
    out: Annotated[Path, typer.Option("--out", help=text("cli.option.out_folder"))],
    form: Annotated[
        Literal["merged", "peft", "gguf", "openvino"], typer.Option("--format", help=text("cli.option.form"))
    ] = "merged",
    weights: Annotated[
        Literal["f32", "f16", "bf16", "q8_0"], typer.Option("--weights", help=text("cli.option.gguf_weights"))
    ] = "f16",
    force: Annotated[bool, typer.Option("--force", help=text("cli.option.replace"))] = False,
    accept_license: AcceptLicenseOption = None,
) -> Reply:
    from tuneloop import api

    exported = api.export(
        adapter,
        out,
        session.workspace,
        form=form,
        weights=weights,
        accept_license=accept_license,
        force=force,
        progress=session.progress,
    )
    shown = text("cli.exported", label=exported.adapter, path=out, form=form)
    value = {**exported.model_dump(mode="json", exclude={"form"}), "format": form}
    return Reply(value, [shown, _replayed(exported)])


def verify(session: Session, adapter: AdapterArgument, accept_license: AcceptLicenseOption = None) -> Reply:
    from tuneloop import api

    found = api.verify(adapter, session.workspace, accept_license=accept_license, progress=session.progress)
    shown = text("cli.verified", label=found.adapter, files=found.files, base=found.base_model)
    return Reply(found, [shown, _replayed(found)])


def _replayed(found: Exported | Verified) -> str:
    """What came of the stored answers."""
    if not found.answers:
        return text("cli.nothing_replayed")
    code = "cli.replayed" if found.stored else "cli.replayed_asked"
    return text(code, same=found.same, answers=found.answers, share=f"{100 * found.agreed:.1f}")
