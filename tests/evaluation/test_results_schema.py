"""The format that programs read is written down, and the page is the code's."""

from __future__ import annotations

import json
from pathlib import Path

from tuneloop.evaluation.results import Results

SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "results.schema.json"


def test_the_schema_of_results_is_what_the_code_writes() -> None:
    # python -c "import json; from tuneloop.evaluation.results import Results as R;
    #   print(json.dumps(R.model_json_schema(), indent=1, ensure_ascii=False))" > docs/schema/results.schema.json
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == Results.model_json_schema()
