"""`tuneloop recipe`: show, schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import typer

from tuneloop.cli.options import AcceptLicenseOption, RecipeArgument, SetOption, read_recipe
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import group, verb


def add_to(application: typer.Typer) -> None:
    recipe = group(application, "recipe")
    verb(recipe, "recipe.show")(show)
    verb(recipe, "recipe.schema")(schema)


def show(
    session: Session, recipe: RecipeArgument, set_: SetOption = None, accept_license: AcceptLicenseOption = None
) -> Reply:
    chosen = read_recipe(recipe, set_, accept_license)
    value = {"recipe": chosen.resolved(), "origins": chosen.origins}
    return Reply(value, plain="\n".join(_with_origins(chosen.resolved(), chosen.origins)))


def schema(session: Session) -> Reply:
    from tuneloop.recipe import Recipe

    value = Recipe.json_schema()
    return Reply(value, plain=json.dumps(value, ensure_ascii=False, indent=2))


def _with_origins(values: dict[str, Any], origins: dict[str, str]) -> Iterator[str]:
    """The recipe as YAML, with where each value came from as a comment: it can be piped into a file."""
    import yaml

    known = set(_leaves(values)) & origins.keys()
    lines = yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=10**6).splitlines()
    column = min(60, max(len(line) for line in lines))
    stack: list[tuple[int, str]] = []
    for line in lines:
        stripped = line.lstrip()
        indent = len(line) - len(stripped)
        key, colon, _ = stripped.partition(":")
        if not colon or stripped.startswith("- ") or not _is_whole(stripped):
            yield line
            continue
        while stack and stack[-1][0] >= indent:
            stack.pop()
        stack.append((indent, key))
        name = ".".join(part for _, part in stack)
        yield f"{line:<{column}}  # {origins[name]}" if name in known else line


def _is_whole(line: str) -> bool:
    """False for the first line of a text of several lines, in which a comment would become text."""
    import yaml

    try:
        yaml.safe_load(line)
    except yaml.YAMLError:
        return False
    return True


def _leaves(values: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of everything that is no section."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix
