"""`tuneloop rules`: check, schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import group, verb
from tuneloop.core.errors import STATUS, RefusedError
from tuneloop.core.messages import text

if TYPE_CHECKING:
    from tuneloop.evaluation.script_check import ScriptCheck


def add_to(application: typer.Typer) -> None:
    rules = group(application, "rules")
    verb(rules, "rules.check")(check)
    verb(rules, "rules.schema")(schema)


def check(
    session: Session,
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help=text("cli.option.script"))],
    data: Annotated[str, typer.Option("--data", metavar="FILE", help=text("cli.option.rules_data"))],
    rows: Annotated[int | None, typer.Option("--rows", min=1, help=text("cli.option.rules_rows"))] = None,
) -> Reply:
    from tuneloop import api

    checked = api.check_rules(script, data, rows=rows, progress=session.progress)
    shown = list(_shown(checked))
    value = {**checked.model_dump(mode="json"), "score": checked.score, "passed": checked.passed}
    if not checked.passed:
        if session.json:  # programs get every example, and the exit status of a refusal
            session.answer(Reply(value))
            raise typer.Exit(STATUS[RefusedError].exit)
        session.show(*shown)
        raise RefusedError(
            "cli.rules_refused",
            file=script,
            references=f"{checked.references_passed}/{checked.rows}",
            exact=f"{checked.exact}/{checked.broken}",
            paraphrases=checked.paraphrases_failed,
        )
    return Reply(value, shown)


def schema(session: Session) -> Reply:
    from tuneloop.evaluation.script_file import Script

    value = Script.model_json_schema()
    return Reply(value, plain=json.dumps(value, ensure_ascii=False, indent=2))


def _shown(checked: ScriptCheck) -> Iterator[Any]:
    from tuneloop.cli.tables import table

    columns = [text(f"cli.column.{name}") for name in ("rule", "kind", "broken", "exact", "missed", "references")]
    rows = [
        (rule.rule, rule.kind, str(rule.broken), str(rule.exact), str(rule.missed), str(rule.references_failed))
        for rule in checked.rules
    ]
    yield table(text("cli.rules", script=checked.script, rows=checked.rows), columns, rows)
    for example in checked.examples[:5]:
        yield text(
            "cli.rules_example",
            what=text(f"evaluation.done.{example.what}", detail=example.detail),
            rule=example.rule,
            failed=", ".join(example.failed) or text("cli.rules_no_rule"),
            reason=f": {example.fault.message()}" if example.fault else "",
        )
        yield example.answer[:600] + "\n"
    if checked.untested:
        yield text("cli.rules_untested", rules=", ".join(checked.untested))
    yield text(
        "cli.rules_score",
        passed=checked.references_passed,
        rows=checked.rows,
        exact=checked.exact,
        broken=checked.broken,
        score=f"{100 * checked.score:.1f}%",
        failed=checked.paraphrases_failed,
        paraphrases=checked.paraphrases,
    )
