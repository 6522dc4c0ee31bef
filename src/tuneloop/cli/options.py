"""Arguments and options that several verbs share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tuneloop.core.messages import text

if TYPE_CHECKING:
    from tuneloop.recipe import Recipe

RecipeArgument = Annotated[Path, typer.Argument(metavar="RECIPE", help=text("cli.option.recipe"))]
SetOption = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=text("cli.option.set"))]
ForceOption = Annotated[bool, typer.Option("--force", help=text("cli.option.force"))]
AcceptLicenseOption = Annotated[
    str | None, typer.Option("--accept-license", metavar="NAME", help=text("cli.option.accept_license"))
]
AdapterArgument = Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help=text("cli.option.adapter"))]
AdapterOption = Annotated[
    str | None, typer.Option("--adapter", metavar="NAME[@VERSION]", help=text("cli.option.adapter"))
]


def read_recipe(path: Path, settings: list[str] | None = None, accept_license: str | None = None) -> Recipe:
    """Load a recipe with the settings of the command line; `--accept-license` is one of them."""
    from tuneloop.recipe import Recipe

    overrides = list(settings or [])
    if accept_license is not None:
        overrides.append(f"model.accept_license={accept_license}")
    return Recipe.load(path, overrides)
