"""`tuneloop rules`: a script is tried out on a file and on a grammar; one that does not hold is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Call = Callable[..., Any]


def test_a_built_in_script_is_checked_on_its_grammar(call: Call, here: Path) -> None:
    called = call("rules", "check", "bank-service", "--data", "grammar:bank-service", "--rows", 20, "--json")
    assert (called.status, called.value["passed"], called.value["rows"]) == (0, True, 20)
    assert list(here.iterdir()) == []
    shown = call("rules", "check", "bank-service.zh", "--data", "grammar:bank-service", "--rows", 10)
    assert (shown.status, shown.out) == (0, "")
    assert "references pass" in shown.err


def test_a_script_that_does_not_hold_is_refused_with_examples(call: Call, here: Path) -> None:
    with (here / "faq.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [("question", "answer"), *((f"Where is page {n}?", f"Hello, page {n} is here.") for n in "abcdefgh")]
        csv.writer(file).writerows(rows)
    (here / "mine.yaml").write_text("name: mine\nrules: [{id: hi, kind: starts_with, text: Bye}]\n", encoding="utf-8")
    called = call("rules", "check", "mine.yaml", "--data", "faq.csv")
    assert called.status == 4
    assert "hi" in called.err
    again = call("rules", "check", "mine.yaml", "--data", "faq.csv", "--json")
    assert again.status == 4
    value = again.value
    assert value["passed"] is False
    assert value["rules"][0]["references_failed"] == 8


def test_the_schema_is_printed(call: Call) -> None:
    assert json.loads(call("rules", "schema").out)["title"] == "Script"
