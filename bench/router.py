"""How well `model: auto` tells domains apart within one language, and turns away what belongs to none.

    TUNELOOP_DATA=… python bench/router.py [--rows 2000] [--out bench/results/router.json]

Domains: English: bank questions, bank dialogues, and the largest categories of customer support; Chinese: legal advice,
questions about articles of law, and four kinds of finance. Foreign questions: the alpaca samples. Test questions that
equal a training question are left out. `accuracy_kin_as_one`: what is confused within bank, support, legal or finance
counts as right, since such domains ask the same things.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tuneloop.serving.general import general_questions
from tuneloop.serving.router import fit_router

TEST_ROWS = 200


def english(data: Path) -> dict[str, list[str]]:
    bank = [
        json.loads(line)["instruction"] for line in (data / "bank_en/questions_answers.jsonl").open(encoding="utf-8")
    ]
    dialogues = [
        next(turn["content"] for turn in json.loads(line)["messages"] if turn["role"] == "user")
        for line in (data / "bank_dialogues_en/dialogues.jsonl").open(encoding="utf-8")
    ]
    with (data / "support_en/questions_answers.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["category"], row["instruction"]) for row in csv.DictReader(file)]
    largest = [category for category, _ in Counter(category for category, _ in rows).most_common(6)]
    support = {f"support: {name}": [text for category, text in rows if category == name] for name in largest}
    return {"bank questions": bank, "bank dialogues": dialogues, **support}


def chinese(data: Path) -> dict[str, list[str]]:
    def read(name: str) -> Any:
        return json.loads((data / name).read_text(encoding="utf-8"))

    advice = [row["instruction"] for conversation in read("legal_zh/legal_advice.json") for row in conversation[:1]]
    articles = [row["query"] for row in read("legal_zh/multi_turn.json")]
    finance = {
        f"finance: {kind}": [row["instruction"] for row in read(f"finance_zh/{kind}.json")]
        for kind in ("computing", "consulting", "retrieval", "task")
    }
    return {"legal advice": advice, "legal articles": articles, **finance}


def foreign(data: Path, language: str) -> list[str]:
    rows = json.loads((data / f"formats/alpaca_{language}_demo.json").read_text(encoding="utf-8"))
    return [f"{row['instruction']}\n{row.get('input', '')}".strip() for row in rows]


def kin(name: str) -> str:
    """The field of a domain: its first word."""
    return name.split()[0].strip(":") if name else ""


def measure(domains: dict[str, list[str]], strange: list[str], rows: int) -> dict[str, Any]:
    shuffle = random.Random(0)
    train: dict[str, list[str]] = {}
    test: list[tuple[str, str]] = []
    for name, texts in domains.items():
        texts = sorted({text.strip() for text in texts if text and text.strip()})
        shuffle.shuffle(texts)
        held = min(TEST_ROWS, len(texts) // 5)
        test += [(name, text) for text in texts[:held]]
        train[name] = texts[held : held + rows]
    start = time.perf_counter()
    router = fit_router(train, general_questions())
    fit_seconds = time.perf_counter() - start
    start = time.perf_counter()
    routes = [(name, router.choose(text, router.names)) for name, text in test]
    decision_ms = (time.perf_counter() - start) / len(routes) * 1000
    kept = [(name, route) for name, route in routes if route.name is not None]
    shuffle.shuffle(strange)
    turned_away = [router.choose(text, router.names).name is None for text in strange[:500]]
    return {
        "domains": {name: len(texts) for name, texts in train.items()},
        "test_rows": len(test),
        "own_held_out_accuracy": round(router.accuracy, 4),
        "accuracy": round(sum(name == route.name for name, route in routes) / len(routes), 4),
        "accuracy_kin_as_one": round(
            sum(kin(name) == kin(route.name or "") for name, route in routes) / len(routes), 4
        ),
        "turned_away": round(1 - len(kept) / len(routes), 4),
        "accuracy_of_what_is_routed": round(sum(name == route.name for name, route in kept) / max(1, len(kept)), 4),
        "foreign_rows": len(turned_away),
        "foreign_turned_away": round(sum(turned_away) / len(turned_away), 4),
        "confused": Counter(f"{name} → {route.name}" for name, route in kept if name != route.name).most_common(6),
        "fit_seconds": round(fit_seconds, 2),
        "decision_ms": round(decision_ms, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000, help="training questions of a domain at most")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    data = Path(os.environ["TUNELOOP_DATA"])
    found = {
        language: measure(read(data), foreign(data, language), arguments.rows)
        for language, read in (("en", english), ("zh", chinese))
    }
    text = json.dumps(found, ensure_ascii=False, indent=1)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
