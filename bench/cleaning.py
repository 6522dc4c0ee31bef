"""Time of the cleaning rules, each by itself and all together, on rows of the built-in grammar with damage put in.

    python bench/cleaning.py [--rows 100000]

CPU seconds of one process, on one core. Every tenth row is damaged, so that the searches before the rules can't settle everything.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice

from tuneloop.data.clean import active_rules, clean_turns
from tuneloop.data.cleaning.config import AnswerFormat, CleanConfig
from tuneloop.data.grammar import make_samples
from tuneloop.data.turns import Turn

DAMAGE = (
    "<p>{}</p>&nbsp;",
    "schÃ¶n {}!!!!",
    "{}\u200b  \r\n\r\n\r\n ok",
    "{} ＶＩＳＡ，餘額",
    "{} {{{{name}}}} ######",
    "{} 加微信：abc12345 领取！",
)
ALL = CleanConfig(
    width=True,
    chinese_variant="simplified",
    advertising="cut",
    masks="cut",
    answer_format=AnswerFormat(quotes="curly", opening="Hello.", closing="Bye."),
)


def rows(count: int, language: str) -> Iterator[list[Turn]]:
    """Rows of one language; every tenth one is damaged."""
    made = [sample for sample, _ in make_samples("bank-service", "zh" if language == "zh" else "en", 3000, 42)]
    damage = cycle(DAMAGE)
    for number, sample in enumerate(islice(cycle(made), count)):
        wrap = next(damage) if number % 10 == 0 else "{}"
        yield [(message.role, wrap.format(message.content)) for message in sample.messages]


def seconds(config: CleanConfig, language: str, turns: Sequence[list[Turn]]) -> float:
    """CPU seconds that the rules of a recipe take for all rows."""
    rules = active_rules(config, language)
    started = time.process_time()
    for row in turns:
        clean_turns(row, rules)
    return time.process_time() - started


def main() -> None:
    """Print the figures of both languages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    arguments = parser.parse_args()
    fields = {name: field.annotation for name, field in CleanConfig.model_fields.items()}
    off = {
        name: False if kind is bool else None for name, kind in fields.items() if kind not in (int, fields["custom"])
    }
    for language in ("en", "zh"):
        turns = list(rows(arguments.rows, language))
        print(f"{language}, {len(turns):,} rows: default {seconds(CleanConfig(), language, turns):.1f} s", end="")
        print(f", everything on {seconds(ALL, language, turns):.1f} s")
        for name in off:
            one = CleanConfig.model_validate({**off, name: getattr(ALL, name) or getattr(CleanConfig(), name)})
            print(f"  {name:22} {seconds(one, language, turns):.2f} s")


if __name__ == "__main__":
    main()
