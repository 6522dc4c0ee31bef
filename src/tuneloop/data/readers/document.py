"""Reader of .docx: the rows of its tables; a document without tables is read as text with questions and answers."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.columns import is_known_name
from tuneloop.data.readers.archives import LARGEST_DOCUMENT, check_document
from tuneloop.data.readers.files import File
from tuneloop.data.readers.question_text import find_style, rows_of_lines
from tuneloop.data.readers.rows import Rows
from tuneloop.data.readers.table import Cells, rows_of_table

if TYPE_CHECKING:
    from docx.document import Document


def read_document(file: File, sheet: str | None = None) -> Rows:
    """Read a .docx file. `sheet` has no meaning here.

    The first row of the first table is the header. Another table may repeat it; one without goes on with the rows.

    Raises:
        DataError: it is no .docx or damaged (code `data.document_damaged`), unsafe to read (see
            `archives.check_document`), or holds neither tables nor questions (`data.text_unclear`).
    """
    check_document(file)
    document = _open(file)
    if document.tables:
        total = sum(len(table.rows) for table in document.tables)
        rows, headerless = rows_of_table(file, _cells(document))
        return Rows(max(1, total - 1), rows, headerless)
    lines = list(_lines(document))
    style = find_style(lines)
    if style is None:
        raise DataError("data.text_unclear", file=file.place)
    return Rows(max(1, len(lines) // 3), rows_of_lines(file, lines, style))


def _open(file: File) -> Document:
    import docx
    from docx.opc.exceptions import OpcError
    from lxml.etree import LxmlError

    try:
        return docx.Document(str(file.path) if file.path is not None else io.BytesIO(file.read(LARGEST_DOCUMENT)))
    except (OpcError, LxmlError, KeyError, ValueError, AttributeError) as error:
        raise DataError("data.document_damaged", file=file.place, problem=str(error)) from error


def _cells(document: Document) -> Iterator[Cells | Rejected]:
    names: list[str] | None = None
    for table in document.tables:
        for place, row in enumerate(table.rows):
            cells = [cell.text for cell in row.cells]
            if place == 0 and names is not None and (cells == names or any(is_known_name(cell) for cell in cells)):
                continue
            names = cells if names is None else names
            yield cells


def _lines(document: Document) -> Iterable[str]:
    """Paragraphs as lines; headings as Markdown writes them."""
    for paragraph in document.paragraphs:
        style = (paragraph.style.name if paragraph.style is not None else None) or ""
        level = style.removeprefix("Heading ")
        mark = f"{'#' * int(level)} " if style != level and level.isdigit() else ""
        yield from (mark + paragraph.text).split("\n")
        yield ""
