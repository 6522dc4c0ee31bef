"""Reader of .parquet: rows in batches, every value as Python writes it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers.files import File
from tuneloop.data.readers.rows import LONGEST_ROW, MOST_COLUMNS, SHOWN, Row, Rows, reject

LARGEST_PACKED = 512 << 20
"""Bytes of a .parquet inside an archive, which is read as a whole; a plain file may have any size."""
BATCH = 2_000


def read_parquet(file: File, sheet: str | None = None) -> Rows:
    """Read a .parquet file. `sheet` has no meaning here.

    Raises:
        DataError: it is no Parquet file or damaged (code `data.parquet_damaged`), or has too many columns
            (`data.too_many_columns`).
    """
    import polars

    source = file.path if file.path is not None else io.BytesIO(file.read(LARGEST_PACKED))
    try:
        scan = polars.scan_parquet(source, glob=False)
        columns = len(scan.collect_schema())
        total = scan.select(polars.len()).collect().item()
    except BaseException as error:
        raise _damaged(file, error) from error
    if columns > MOST_COLUMNS:
        raise DataError("data.too_many_columns", file=file.place, found=f"{columns:,}", limit=f"{MOST_COLUMNS:,}")
    return Rows(max(1, int(total)), _rows(file, _batches(file, scan)))


def _batches(file: File, scan: Any) -> Iterator[dict[str, Any]]:
    try:
        for batch in scan.collect_batches(chunk_size=BATCH, maintain_order=True):
            yield from batch.iter_rows(named=True)
    except BaseException as error:
        raise _damaged(file, error) from error


def _rows(file: File, records: Iterator[dict[str, Any]]) -> Iterator[Row | Rejected]:
    for number, record in enumerate(records, start=1):
        if sum(len(value) for value in record.values() if isinstance(value, str | bytes)) > LONGEST_ROW:
            shown = {name: str(value)[:SHOWN] for name, value in record.items()}
            yield reject(file, number, "data.row_too_long", shown, limit=f"{LONGEST_ROW:,}")
            continue
        binary = [name for name, value in record.items() if isinstance(value, bytes)]
        try:
            record |= {name: record[name].decode() for name in binary}
        except UnicodeDecodeError:
            yield reject(file, number, "data.row_undecodable", record, column=", ".join(binary[:3]))
        else:
            yield Row(number, record)


def _damaged(file: File, error: BaseException) -> BaseException:
    """What polars says of a damaged file; a panic in Rust arrives as a BaseException of this name."""
    import polars

    if isinstance(error, polars.exceptions.PolarsError | OSError) or type(error).__name__ == "PanicException":
        problem = next(iter(str(error).splitlines()), type(error).__name__)
        return DataError("data.parquet_damaged", file=file.place, problem=problem)
    return error
