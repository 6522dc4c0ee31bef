"""Cells of spreadsheets: text that a spreadsheet program would run as a formula is made harmless, and read back as it was.

Excel and LibreOffice evaluate a cell of a .csv that starts with `=`, `+`, `-`, `@`, a tab or a carriage return. An
apostrophe before it makes it text. A text that has such an apostrophe itself gets one more, so that nothing is lost.
"""

from __future__ import annotations

import re

RISKY = "=+-@\t\r"
_RISKY_START = re.compile(rf"'*[{re.escape(RISKY)}]")
_NEUTRALISED = re.compile(rf"'+[{re.escape(RISKY)}]")


def neutralise(cell: str) -> str:
    """Make a cell harmless.

    >>> neutralise("=1+1"), neutralise("hello"), neutralise("'=x")
    ("'=1+1", 'hello', "''=x")
    """
    return f"'{cell}" if _RISKY_START.match(cell) else cell


def restore(cell: str) -> str:
    """Undo `neutralise`, so that a sheet that tuneloop wrote is read back unchanged.

    >>> restore("'=1+1"), restore("'hello'"), restore(neutralise("''-"))
    ('=1+1', "'hello'", "''-")
    """
    return cell[1:] if _NEUTRALISED.match(cell) else cell
