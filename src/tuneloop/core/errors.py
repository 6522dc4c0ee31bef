"""Every error that tuneloop raises on purpose, as one tree.

    TuneloopError                   exit 1   a bug, if it reaches a person as such
    ├── UsageError                  exit 2   the command line, or a call from Python
    │   └── RecipeError             exit 2   the recipe
    ├── DataError                   exit 3   files, rows, columns
    ├── RefusedError                exit 4   a pre-flight or a gate says no
    ├── ResourceError               exit 5   memory, disk
    ├── DivergedError               exit 6   the training diverged
    ├── ArtifactError               exit 7   a model, dataset, run, adapter or checkpoint
    │   ├── NotFoundError           exit 7   … is not there
    │   ├── CorruptError            exit 7   … is not what its manifest says
    │   └── IncompatibleError       exit 7   … does not fit the other one
    ├── NotAllowedError             exit 8   a licence, a role, a key
    ├── TryAgainError               exit 75  busy, or the network is away
    ├── Interrupted                 exit 130 Ctrl-C; the work can be resumed
    └── Terminated                  exit 143 SIGTERM; the work can be resumed

An error carries a stable `code`, which is also the key of its message in `core/messages/`, and the values that fill the
message. `STATUS` maps the class to the exit status, the HTTP status and OpenAI's error type.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from tuneloop.core import messages


class Status(NamedTuple):
    """How a class of errors looks from outside."""

    exit: int
    http: int
    openai_type: str


class TuneloopError(Exception):
    """An error with a code, a message in the reader's language, and what to do.

    Args:
        code: key in the message catalogue, for example `data.file_missing`; `<code>.hint` holds what to do.
        file: file the error is about.
        row: row in that file, as a person counts them.
        values: what fills the placeholders of the message and the hint.
    """

    def __init__(self, code: str, *, file: Path | str | None = None, row: int | None = None, **values: Any) -> None:
        self.code = code
        self.file = None if file is None else str(file)
        self.row = row
        self.values = values
        super().__init__(code)

    def message(self, language: messages.Language | None = None) -> str:
        return messages.text(self.code, language, file=self.file, row=self.row, **self.values)

    def hint(self, language: messages.Language | None = None) -> str:
        return messages.text(f"{self.code}.hint", language, file=self.file, row=self.row, **self.values)

    def __str__(self) -> str:
        where = "" if self.file is None else f"{self.file}: " if self.row is None else f"{self.file}:{self.row}: "
        return f"{where}{self.message()} {self.hint()}"

    def as_json(self) -> dict[str, Any]:
        """The object that a verb prints under `error` with `--json`."""
        return {"code": self.code, "message": self.message(), "hint": self.hint(), "file": self.file, "row": self.row}

    @property
    def status(self) -> Status:
        return next(STATUS[kind] for kind in type(self).__mro__ if kind in STATUS)


class UsageError(TuneloopError):
    """The command line or a call from Python is wrong."""


class RecipeError(UsageError):
    """The recipe is wrong."""


class DataError(TuneloopError):
    """A file, a row or a column can't be used."""


class RefusedError(TuneloopError):
    """A pre-flight or a gate refuses."""


class ResourceError(TuneloopError):
    """Memory or disk does not suffice."""


class DivergedError(TuneloopError):
    """The training diverged and could not be saved."""


class ArtifactError(TuneloopError):
    """A model, dataset, run, adapter or checkpoint can't be used."""


class NotFoundError(ArtifactError):
    """The artifact is not there."""


class CorruptError(ArtifactError):
    """The artifact is not what its manifest says."""


class IncompatibleError(ArtifactError):
    """The artifact does not fit the other one."""


class NotAllowedError(TuneloopError):
    """A licence was not accepted, or a role or key does not suffice."""


class TryAgainError(TuneloopError):
    """Busy, or the network is away."""


class Interrupted(TuneloopError):
    """Ctrl-C. What was saved can be resumed."""


class Terminated(TuneloopError):
    """SIGTERM. What was saved can be resumed."""


STATUS: dict[type[TuneloopError], Status] = {
    TuneloopError: Status(1, 500, "server_error"),
    UsageError: Status(2, 400, "invalid_request_error"),
    RecipeError: Status(2, 400, "invalid_request_error"),
    DataError: Status(3, 400, "invalid_request_error"),
    RefusedError: Status(4, 409, "invalid_request_error"),
    ResourceError: Status(5, 503, "server_error"),
    DivergedError: Status(6, 500, "server_error"),
    ArtifactError: Status(7, 500, "server_error"),
    NotFoundError: Status(7, 404, "not_found_error"),
    CorruptError: Status(7, 500, "server_error"),
    IncompatibleError: Status(7, 409, "invalid_request_error"),
    NotAllowedError: Status(8, 403, "permission_error"),
    TryAgainError: Status(75, 503, "server_error"),
    Interrupted: Status(130, 499, "server_error"),
    Terminated: Status(143, 503, "server_error"),
}
