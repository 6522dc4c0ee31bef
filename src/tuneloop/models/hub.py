"""Models from a hub: the Hugging Face hub or a mirror of it (`HF_ENDPOINT`), and ModelScope.

A machine that does not reach a hub must not wait for it: whether anything answers is asked once, shortly, before
anything else. Nothing is unpickled and no code comes down: only safetensors, configuration and tokenizer files.
"""

from __future__ import annotations

import hashlib
import json
import os
import urllib.error
import urllib.request
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import huggingface_hub
from huggingface_hub import errors as hub_errors
from tqdm import tqdm

from tuneloop.core.errors import CorruptError, NotAllowedError, NotFoundError, TryAgainError
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress, Tracker
from tuneloop.models.cache import filling, model_folder
from tuneloop.store.artifacts import new_artifact

WANTED = (
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "*.jinja",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "LICENSE*",
)
"""What a model is made of."""

_PATIENCE = 4.0  # seconds for a first answer
_STALL = 30.0  # seconds without a byte in the middle of a download


def cached(hub_id: str, revision: str | None) -> Path | None:
    """The snapshot of a model in the hub's own cache when it is there and whole; asks nobody."""
    try:
        folder = huggingface_hub.snapshot_download(
            hub_id, revision=revision, allow_patterns=list(WANTED), local_files_only=True
        )
    except (hub_errors.LocalEntryNotFoundError, hub_errors.HFValidationError):
        return None
    path = Path(str(folder))
    return path if (path / "config.json").exists() and any(path.glob("*.safetensors")) else None


def from_hub(hub_id: str, revision: str | None, size: int | None, progress: Progress) -> Path:
    """Download a model into the hub's own cache.

    Args:
        hub_id: `owner/name`.
        revision: branch, tag or commit; None is `main`.
        size: bytes, about, for the bar.
        progress: shows the bytes.

    Raises:
        TryAgainError: nothing answers (code `models.unreachable`) or the download broke (`models.download_failed`).
        NotFoundError: the hub has no such model or revision (code `models.hub_unknown`).
        NotAllowedError: the model is gated (code `models.hub_gated`).
    """
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise TryAgainError("models.unreachable", source="HF_HUB_OFFLINE=1")
    if not reachable(endpoint):
        raise TryAgainError("models.unreachable", source=endpoint)
    try:
        with progress.track(text("models.downloading", name=hub_id), total=size, unit="B") as tracker:
            folder = huggingface_hub.snapshot_download(
                hub_id,
                revision=revision,
                allow_patterns=list(WANTED),
                etag_timeout=_PATIENCE,
                endpoint=endpoint,
                tqdm_class=_bar_into(tracker),
            )
    except hub_errors.GatedRepoError as error:
        raise NotAllowedError("models.hub_gated", name=hub_id, url=f"{endpoint}/{hub_id}") from error
    except (hub_errors.RepositoryNotFoundError, hub_errors.RevisionNotFoundError) as error:
        raise NotFoundError("models.hub_unknown", name=hub_id, revision=revision or "main", source=endpoint) from error
    except (
        hub_errors.HfHubHTTPError,
        hub_errors.LocalEntryNotFoundError,
        hub_errors.FileMetadataError,
        OSError,
    ) as error:
        raise TryAgainError(
            "models.download_failed", name=hub_id, source=endpoint, problem=_first_line(error)
        ) from error
    return Path(str(folder))


def from_modelscope(model_id: str, revision: str | None, progress: Progress) -> Path:
    """Download a model from ModelScope into tuneloop's cache; every file is checked against the hub's SHA-256.

    Raises:
        TryAgainError: nothing answers (code `models.unreachable`) or the download broke (`models.download_failed`).
        NotFoundError: there is no such model (code `models.hub_unknown`).
        CorruptError: a file is not what the hub lists (code `models.download_differs`).
    """
    endpoint = os.environ.get("MODELSCOPE_ENDPOINT") or "https://www.modelscope.cn"
    final = model_folder(f"modelscope-{model_id.replace('/', '--')}-{revision or 'master'}")
    with filling(final) as empty:
        if not empty:
            return final
        if not reachable(endpoint):
            raise TryAgainError("models.unreachable", source=endpoint)
        base = f"{endpoint}/api/v1/models/{quote(model_id)}/repo"
        version = {"Revision": revision or "master"}
        try:
            files = _modelscope_files(f"{base}/files?{urlencode({**version, 'Recursive': 'false'})}")
            with (
                progress.track(
                    text("models.downloading", name=model_id), sum(file["Size"] for file in files), "B"
                ) as bar,
                new_artifact(final, kind="model", config={"source": endpoint, "model": model_id, **version}) as folder,
            ):
                for file in files:
                    url = f"{base}?{urlencode({**version, 'FilePath': file['Path']})}"
                    _download(url, folder / file["Path"], file.get("Sha256"), bar)
        except urllib.error.HTTPError as error:
            if error.code in (403, 404):
                raise NotFoundError(
                    "models.hub_unknown", name=model_id, revision=version["Revision"], source=endpoint
                ) from error
            raise TryAgainError("models.download_failed", name=model_id, source=endpoint, problem=str(error)) from error
        except (urllib.error.URLError, TimeoutError, ConnectionError, KeyError, TypeError, ValueError) as error:
            raise TryAgainError(
                "models.download_failed", name=model_id, source=endpoint, problem=_first_line(error)
            ) from error
    return final


def reachable(url: str) -> bool:
    """Whether anything answers at `url` within a few seconds; the environment's proxies are used."""
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_PATIENCE).close()
    except urllib.error.HTTPError as error:
        return error.code < 500 and error.code != 407
    except (OSError, ValueError):
        return False
    return True


def _modelscope_files(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
        listed = json.load(answer)["Data"]["Files"]
    return [
        file
        for file in listed
        if file.get("Type") != "tree"
        and "/" not in file["Path"]
        and any(fnmatch(file["Path"], form) for form in WANTED)
    ]


def _download(url: str, target: Path, sha256: str | None, bar: Tracker) -> None:
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=_STALL) as source, target.open("wb") as output:
        while chunk := source.read(1 << 20):
            digest.update(chunk)
            output.write(chunk)
            bar.advance(len(chunk))
    if sha256 and digest.hexdigest() != sha256:
        raise CorruptError("models.download_differs", file=target.name, expected=sha256, found=digest.hexdigest())


def _bar_into(tracker: Tracker) -> Any:
    """A bar class for the hub's library that draws nothing and tells `tracker` the bytes."""

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.counts_bytes = kwargs.get("unit") == "B"
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            if self.counts_bytes and n:
                tracker.advance(n)
            return None

    return Bar


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
