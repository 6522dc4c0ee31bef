"""What comes in a zip: members of .zip files as files of their own, and a look at .xlsx and .docx before they are read.

Nothing is unpacked onto the disk, so a member's name can't reach outside; an archive with such a name is refused anyway,
as nobody makes one by accident.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath

from tuneloop.core.errors import DataError
from tuneloop.data.readers.files import DAMAGED, File, allowed_size, inflating

LARGEST_DOCUMENT = 512 << 20
"""Bytes that an .xlsx or .docx may inflate to: such a file is read as a whole."""
_LISTED_OF = 16
_ENTITY = b"<!ENTITY"
_FAILURES = (*DAMAGED, ValueError)


def zip_members(path: Path, name: str | None = None) -> list[File]:
    """The members of a .zip as files, in the order of their names; folders, hidden files and nested archives left out.

    Raises:
        DataError: it is damaged (code `data.archive_damaged`), a name leads outside (`data.archive_name`), or it
            inflates far too much (`data.inflates`).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except _FAILURES as error:
        raise DataError("data.archive_damaged", file=path, problem=str(error)) from error
    _check_names(members, str(path))
    if sum(member.file_size for member in members) > allowed_size(path.stat().st_size):
        raise DataError("data.inflates", file=path, times=100)
    shown = sorted((_decoded_name(member), member) for member in members)
    return [
        _member(path, f"{name or path.name}/{inner}", inner, member) for inner, member in shown if not _is_hidden(inner)
    ]


def check_document(file: File) -> None:
    """Look through an .xlsx or .docx before a library reads it: names, inflated size, checksums, XML entities.

    The sizes are counted, not believed.

    Raises:
        DataError: it is no archive or damaged (code `data.document_damaged`), or unsafe (`data.archive_name`,
            `data.inflates`, `data.document_entities`).
    """
    stored = file.size
    limit = min(LARGEST_DOCUMENT, allowed_size(stored))
    try:
        with file.open() as stream, zipfile.ZipFile(_seekable(file, stream)) as archive:
            members = archive.infolist()
            _check_names(members, file.place)
            for member in members:
                limit -= _check_member(archive, member, limit, file)
    except _FAILURES as error:
        code = "data.excel_damaged" if file.kind == ".xlsx" else "data.document_damaged"
        raise DataError(code, file=file.place, problem=str(error)) from error


def _seekable(file: File, stream: io.BufferedReader) -> io.BufferedReader | io.BytesIO:
    return stream if file.path is not None else io.BytesIO(file.read(LARGEST_DOCUMENT))


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int, file: File) -> int:
    """Inflate one member, and return its true size."""
    inner = member.filename
    member.file_size = limit + (1 << 20)  # what the archive says is not believed: read beyond the limit
    size, before = 0, b""
    with archive.open(member) as content:
        while chunk := content.read(1 << 18):
            size += len(chunk)
            if size > limit:
                raise DataError("data.inflates", file=file.place, times=100)
            if inner.endswith((".xml", ".rels")) and _ENTITY in (before + chunk).upper():
                raise DataError("data.document_entities", file=file.place, member=inner)
            before = chunk[-_LISTED_OF:]
    return size


def _check_names(members: list[zipfile.ZipInfo], place: str) -> None:
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name[:3]:
            raise DataError("data.archive_name", file=place, member=member.filename)


def _member(path: Path, name: str, inner: str, member: zipfile.ZipInfo) -> File:
    place = f"{path}/{inner}"

    def inflate() -> io.BufferedReader:
        archive = zipfile.ZipFile(path)
        try:
            stream = archive.open(member)
        except _FAILURES as error:
            raise DataError("data.archive_damaged", file=place, problem=str(error)) from error
        finally:
            archive.close()  # the member keeps the file open as long as it needs it
        return inflating(stream, place, member.compress_size)

    return File(name, place, PurePosixPath(inner).suffix.lower(), member.file_size, inflate)


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX", "~$")) for part in PurePosixPath(name).parts)


def _decoded_name(member: zipfile.ZipInfo) -> str:
    """A member's name; Windows in Chinese writes GBK where the format asks for code page 437.

    >>> info = zipfile.ZipInfo("问答.csv".encode("gbk").decode("cp437"))
    >>> _decoded_name(info)
    '问答.csv'
    """
    if member.flag_bits & 0x800:
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:  # the next encoding, or the name as it is written
            continue
    return member.filename
