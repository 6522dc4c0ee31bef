"""`tuneloop models`: list, get."""

from __future__ import annotations

from typing import Annotated

import typer

from tuneloop.cli.options import AcceptLicenseOption
from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import group, verb
from tuneloop.core.messages import text


def add_to(application: typer.Typer) -> None:
    models = group(application, "models")
    verb(models, "models.list")(list_)
    verb(models, "models.get")(get)


def list_(session: Session) -> Reply:
    from tuneloop.cli.tables import table
    from tuneloop.models.cache import model_folder
    from tuneloop.models.catalogue import CATALOGUE

    items = [
        {
            "name": name,
            "parameters": model.parameters,
            "languages": model.languages,
            "chat": model.chat,
            "licence": model.licence.name,
            "must_be_accepted": model.licence.ask,
            "hub": model.hub,
            "here": model.hub is None or model_folder(name).exists() or _in_hub_cache(model.hub),
            "use": text(f"models.use.{name}"),
        }
        for name, model in CATALOGUE.items()
    ]
    columns = [text(f"cli.column.{name}") for name in ("name", "parameters", "licence", "here", "use")]
    rows = [
        (
            str(item["name"]),
            _millions(int(str(item["parameters"]))),
            f"{item['licence']}{' *' if item['must_be_accepted'] else ''}",
            text("cli.yes") if item["here"] else "",
            str(item["use"]),
        )
        for item in items
    ]
    return Reply(items, [table(text("cli.models"), columns, rows), text("cli.licence_note")])


def get(
    session: Session,
    model: Annotated[str, typer.Argument(metavar="MODEL", help=text("cli.option.model"))],
    accept_license: AcceptLicenseOption = None,
) -> Reply:
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.locate import locate
    from tuneloop.models.tiny import NAME

    if model == NAME:
        return Reply({"name": model, "path": None}, [text("cli.model_built_in", name=model)])
    located = locate(ModelConfig(name_or_path=model, accept_license=accept_license), session.progress)
    shown = text("cli.have_model", name=model, path=located.folder)
    return Reply({"name": model, "path": located.folder, "origin": located.origin}, [shown])


def _in_hub_cache(hub_id: str) -> bool:
    """Whether the hub's own cache holds a model; a look at the folder, because its library is slow to import."""
    import os
    from pathlib import Path

    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    return any(cache.glob(f"models--{hub_id.replace('/', '--')}/snapshots/*/config.json"))


def _millions(count: int) -> str:
    """
    >>> _millions(134_515_008), _millions(7_615_616_512), _millions(90_000)
    ('135M', '7.6B', '0.1M')
    """
    if count >= 1e9:
        return f"{count / 1e9:.1f}B"
    return f"{count / 1e6:.0f}M" if count >= 1e6 else f"{count / 1e6:.1f}M"
