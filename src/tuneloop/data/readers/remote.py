"""Files at an address: fetched once into a temporary folder that goes with the process, then read like any other.

`http(s)` needs nothing more; every other scheme is fsspec's (`s3://` with the extra `s3`).
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit

from tuneloop.core.errors import DataError, TryAgainError
from tuneloop.core.hashing import hash_value

LARGEST_FETCH = 8 << 30
"""Bytes that an address may give."""
WAIT = 60
"""Seconds without an answer."""
_URL = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def _open_http(address: str) -> AbstractContextManager[IO[bytes]]:
    request = urllib.request.Request(address, headers={"User-Agent": "tuneloop"})
    opened: AbstractContextManager[IO[bytes]] = urllib.request.urlopen(request, timeout=WAIT)
    return opened


def _open_any(address: str) -> AbstractContextManager[IO[bytes]]:
    import fsspec

    opened: Any = fsspec.open(address, "rb")
    return opened  # type: ignore[no-any-return]


OPENERS: dict[str, Callable[[str], AbstractContextManager[IO[bytes]]]] = {"http": _open_http, "https": _open_http}
"""Schemes that are not left to fsspec."""


def is_address(path: str) -> bool:
    """Say whether a source is an address.

    >>> is_address("s3://bucket/faq.csv"), is_address("C:/faq.csv"), is_address("faq.csv")
    (True, False, False)
    """
    return _URL.match(path) is not None


def file_name(address: str) -> str:
    """The file's name in an address, without a query that may hold a secret.

    >>> file_name("https://example.org/a/faq%20en.csv?token=x")
    'faq en.csv'
    """
    return PurePosixPath(unquote(urlsplit(address).path)).name or urlsplit(address).netloc


def without_secrets(address: str) -> str:
    """An address as messages show it: without user, password and query.

    >>> without_secrets("https://me:pw@example.org/faq.csv?token=x")
    'https://example.org/faq.csv'
    """
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def fetch(address: str) -> Path:
    """Copy what an address holds into a temporary file, and return it.

    Raises:
        DataError: there is no such file (code `data.file_missing`), the scheme is unknown or needs an extra
            (`data.scheme_unknown`), the server refuses (`data.fetch_failed`), or it is too large
            (`data.file_too_large`).
        TryAgainError: the network or the server is away (`data.fetch_failed`).
    """
    shown = without_secrets(address)
    target = _folder() / hash_value(address)[:12] / file_name(address)
    target.parent.mkdir(exist_ok=True)
    opener = OPENERS.get(urlsplit(address).scheme.lower(), _open_any)
    try:
        with opener(address) as source, target.open("wb") as copy:
            _copy(source, copy, shown)
    except FileNotFoundError as error:
        raise DataError("data.file_missing", file=shown, near="") from error
    except HTTPError as error:
        error.close()
        kind = DataError if 400 <= error.code < 500 else TryAgainError
        raise kind("data.fetch_failed", file=shown, problem=f"{error.code} {error.reason}") from error
    except (ImportError, ValueError) as error:
        raise DataError("data.scheme_unknown", file=shown, problem=str(error)) from error
    except OSError as error:
        raise TryAgainError("data.fetch_failed", file=shown, problem=str(error)) from error
    return target


def _copy(source: IO[bytes], copy: IO[bytes], shown: str) -> None:
    size = 0
    while chunk := source.read(1 << 20):
        size += len(chunk)
        if size > LARGEST_FETCH:
            raise DataError("data.file_too_large", file=shown, limit=f"{LARGEST_FETCH >> 20:,}")
        copy.write(chunk)


@cache
def _folder() -> Path:
    """The folder of what was fetched; readable by this user only, and removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="tuneloop-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
