"""Which evaluations judged which training: the link that a version's page and the gate follow."""

from __future__ import annotations

from pathlib import Path

from tuneloop.core.records import Evaluation, Record
from tuneloop.store.database import EVALUATIONS, database_exists, now, open_database
from tuneloop.store.workspace import Workspace


class Judgement(Record):
    """One evaluation of a run's adapter."""

    evaluation_id: str
    run_id: str
    verdict: str
    path: Path
    created_at: str


def record_evaluation(workspace: Workspace, evaluation: Evaluation, *, run_id: str) -> None:
    """Note that `evaluation` judged the adapter of run `run_id`; a second call changes nothing."""
    row = {
        "id": evaluation.id,
        "name": evaluation.name,
        "run_id": run_id,
        "verdict": evaluation.verdict.status,
        "path": _relative(workspace, evaluation.path),
        "created_at": now(),
    }
    with open_database(workspace) as database, database.write() as connection:
        here = EVALUATIONS.c.id == evaluation.id
        if connection.execute(EVALUATIONS.update().where(here).values(verdict=row["verdict"])).rowcount == 0:
            connection.execute(EVALUATIONS.insert().values(row))


def evaluations_of(workspace: Workspace, run_id: str) -> list[Judgement]:
    """The evaluations of a run's adapter, oldest first."""
    if not database_exists(workspace):
        return []
    query = EVALUATIONS.select().where(EVALUATIONS.c.run_id == run_id).order_by(EVALUATIONS.c.created_at)
    with open_database(workspace) as database, database.read() as connection:
        rows = connection.execute(query).all()
    return [
        Judgement(
            evaluation_id=row.id,
            run_id=row.run_id,
            verdict=row.verdict,
            path=workspace.root / row.path,
            created_at=row.created_at,
        )
        for row in rows
    ]


def _relative(workspace: Workspace, path: Path) -> str:
    """Paths are kept relative to the workspace, so that it can move."""
    return path.resolve().relative_to(workspace.root.resolve()).as_posix()
