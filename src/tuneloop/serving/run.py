"""`tuneloop serve`: load the base model once, follow the registry, and answer over HTTP until a signal comes."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from tuneloop.core.errors import NotAllowedError, UsageError
from tuneloop.core.progress import SILENT, Progress
from tuneloop.models.config import ModelConfig
from tuneloop.registry.versions import list_adapters
from tuneloop.serving.app import DRAIN_SECONDS, make_app
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.engines import ENGINES
from tuneloop.store.access import list_keys
from tuneloop.store.workspace import Workspace

Extend = Callable[[FastAPI], None]
"""Puts more on the application: the page, for example."""


def run(
    config: ServingConfig,
    *,
    model: ModelConfig,
    workspace: Workspace,
    extend: Extend = lambda app: None,
    ready: Callable[[str, int], None] = lambda url, adapters: None,
    progress: Progress = SILENT,
) -> None:
    """Serve until SIGINT or SIGTERM; what was accepted is answered first.

    Args:
        config: where to listen, and the limits.
        model: the base model.
        workspace: whose adapters are served.
        extend: mounts more on the application: the page, for example.
        ready: called with the address and the number of adapters as soon as requests are taken.
        progress: where loading is reported.

    Raises:
        NotAllowedError: the address is open to other machines, and there are no keys (code `serving.open_host`).
        UsageError: the port is in use (code `serving.port_taken`).
        TuneloopError: what loading a model or starting an engine raises.
    """
    if not is_loopback(config.host) and not any(key.is_valid() for key in list_keys(workspace)):
        raise NotAllowedError("serving.open_host", host=config.host)
    listener = listen(config.host, config.port)
    with listener:
        models, backend = ENGINES[config.engine](config, model, workspace, progress)
        app = make_app(models, backend, config, keys_required=not is_loopback(config.host))
        extend(app)
        port = listener.getsockname()[1]
        ready(f"http://{config.host}:{port}", len(models.adapters()))
        settings = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=int(DRAIN_SECONDS),
            server_header=False,
        )
        uvicorn.Server(settings).run(sockets=[listener])


def base_of(workspace: Workspace) -> str | None:
    """The base model that the workspace's newest adapter was trained on."""
    adapters = sorted(list_adapters(workspace), key=lambda adapter: adapter.created_at)
    return adapters[-1].base_model if adapters else None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "example.org")]
    [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything slow is done.

    Raises:
        UsageError: it is in use (code `serving.port_taken`).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)  # who comes before the model is loaded waits
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise UsageError("serving.port_taken", host=host, port=port) from error
        raise
    return listener
