"""Before the training: will the evaluation that follows it be able to prove anything?"""

from __future__ import annotations

from tuneloop.core.evidence import rows_needed
from tuneloop.core.messages import text
from tuneloop.core.records import Finding
from tuneloop.evaluation.arms import Need, arms_for
from tuneloop.evaluation.config import EvaluationConfig


def evidence(config: EvaluationConfig, test_rows: int) -> Finding:
    """A finding of the pre-flight: the test rows against those that any proof takes with the recipe's arms.

    Args:
        config: the recipe's `evaluation:`.
        test_rows: of the dataset.

    >>> evidence(EvaluationConfig(), 5).status, evidence(EvaluationConfig(), 6).status
    ('warn', 'pass')
    >>> evidence(EvaluationConfig(script="bank-service"), 6).status
    'warn'
    """
    from tuneloop.evaluation.comparison import pairs_of  # both bring scipy
    from tuneloop.evaluation.tasks import TASKS

    rows = min(test_rows, config.max_rows or test_rows)
    shown: dict[Need, bool] = {
        "script": config.script is not None,
        "labels": TASKS[config.task].labelled,
        "schema": TASKS[config.task].records and config.json_schema is not None,
        "nearest": True,
    }
    arms = arms_for([need for need, there in shown.items() if there], adapted=True, chosen=config.arms)
    needed = rows_needed(len(pairs_of(list(arms))) + len(config.against))
    enough = rows >= needed
    return Finding(
        check="evidence",
        status="pass" if enough else "warn",
        message=text(
            "evaluation.check.evidence" if enough else "evaluation.check.evidence_short", rows=rows, needed=needed
        ),
        fix="" if enough else text("evaluation.check.evidence.fix", needed=needed),
    )
