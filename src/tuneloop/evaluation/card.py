"""The evaluation's card: a short page in Markdown about what was evaluated, what came out, and what it does not say.

It stands beside `results.json` as `README.md`, begins with the metadata that model hubs read, and can be copied into the
adapter's own card. Everything in it comes from the results.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import yaml

from tuneloop.core.messages import Language, text
from tuneloop.core.records import Figure
from tuneloop.evaluation.comparison import reading
from tuneloop.evaluation.results import Results
from tuneloop.evaluation.wording import arm_label, metric_label, show_bound, show_difference, show_figure

MOST_DIGITS = 12
"""Of a hash that is shown."""


def render_card(results: Results, language: Language | None = None) -> str:
    """The card as Markdown.

    Args:
        results: a finished evaluation's.
        language: the interface language by default.
    """
    parts = [
        _metadata(results),
        f"# {text('evaluation.report.title', language, name=results.name)}",
        f"**{results.verdict_in(language)}**",
        *(f"> {warning.message(language)}" for warning in results.warnings),
        *_facts(results, language),
        *_metrics(results, language),
        *_comparisons(results, language),
        *_probes(results, language),
        *_limits(results, language),
    ]
    return "\n\n".join(parts) + "\n"


def _metadata(results: Results) -> str:
    """The head that model hubs read."""
    arm = list(results.arms)[-1]
    metrics = [
        {"type": name, "name": metric_label(name, "en"), "value": figure.value}
        for name, figure in results.arms[arm].items()
    ]
    dataset = {"name": results.made_of["dataset"], "type": results.name, "split": "test"}
    found = [{"task": {"type": "text-generation"}, "dataset": dataset, "metrics": metrics}]
    head = {
        "base_model": results.made_of["model"],
        "tags": ["tuneloop", "evaluation"],
        "model-index": [{"name": results.name, "results": found}],
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---"


def _facts(results: Results, language: Language | None) -> Iterator[str]:
    """Model and data: what was evaluated on what."""
    made_of = results.made_of
    names = ("model", "dataset", "adapter_sha256", "model_sha256", "template_sha256", "script", "schema", "seed")
    lines = [
        f"- {text(f'evaluation.report.origin.{name}', language)}: `{_short(name, made_of[name])}`"
        for name in names
        if name in made_of
    ]
    scored, all_rows = made_of["rows"]
    lines.append(f"- {text('evaluation.report.origin.rows', language)}: {scored} / {all_rows}")
    versions = ", ".join(f"{package} {number}" for package, number in made_of["versions"].items())
    lines.append(f"- {text('evaluation.report.origin.versions', language)}: {versions}")
    yield f"## {text('evaluation.card.facts', language)}"
    yield "\n".join(lines)


def _metrics(results: Results, language: Language | None) -> Iterator[str]:
    arms = list(results.arms)
    head = (text("evaluation.table.metric", language), *(arm_label(arm, language) for arm in arms))
    rows = [
        (metric_label(metric, language), *(show_figure(metric, results.arms[arm][metric]) for arm in arms))
        for metric in results.arms[arms[0]]
    ]
    yield f"## {text('evaluation.report.arms', language)}"
    yield _table(head, rows)
    yield text("evaluation.report.arms_caption", language)


def _comparisons(results: Results, language: Language | None) -> Iterator[str]:
    """What the headline proves, arm by arm."""
    metric = results.headline.metric
    lines = [
        f"- {text('evaluation.table.versus', language, a=arm_label(one.a, language), b=arm_label(one.b, language))}: "
        f"{show_difference(metric, one.difference, language)} "
        f"({show_bound(metric, one.low)} … {show_bound(metric, one.high)}), "
        + text(f"evaluation.reading.{reading(one).replace(' ', '_')}", language)
        for one in results.comparisons
        if one.metric == metric
    ]
    if lines:
        yield f"**{metric_label(metric, language)}**"
        yield "\n".join(lines)


def _probes(results: Results, language: Language | None) -> Iterator[str]:
    """What was examined beside the test rows, and the loss that the gate looks at."""
    rows = [(_title(name, language), _loss(probe.loss, language)) for name, probe in results.probes.items()]
    if rows:
        yield f"## {text('evaluation.card.probes', language)}"
        yield _table((text("evaluation.card.probe", language), text("evaluation.card.loss", language)), rows)


def _limits(results: Results, language: Language | None) -> Iterator[str]:
    """What the figures do not say."""
    metric = results.headline.metric
    lines = [text("evaluation.card.limit_rows", language, rows=results.rows, data=results.made_of["dataset"])]
    lines += [
        text(
            "evaluation.card.limit_effect",
            language,
            arm=arm_label(arm, language),
            effect=show_difference(metric, effect, language, sign=False),
        )
        for arm, effect in results.headline.detectable.items()
    ]
    known = ("robustness", "safety", "forgetting", "privacy")
    missing = [_title(name, language) for name in known if name not in results.probes]
    if missing:
        lines.append(text("evaluation.card.limit_unmeasured", language, names=", ".join(missing)))
    yield f"## {text('evaluation.card.limits', language)}"
    yield "\n".join(f"- {line}" for line in lines)


def _title(probe: str, language: Language | None) -> str:
    """What the report calls an examination."""
    return text(f"evaluation.probe.{probe}_title", language)


def _loss(figure: Figure | None, language: Language | None) -> str:
    if figure is None:
        return text("evaluation.card.no_loss", language)
    bounds = "" if figure.low is None or figure.high is None else f" ({figure.low:.3f} … {figure.high:.3f})"
    return f"{figure.value:.3f}{bounds}"


def _short(name: str, value: object) -> str:
    return str(value)[:MOST_DIGITS] if name.endswith("_sha256") else str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
