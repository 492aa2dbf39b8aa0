"""Parquet, as data sets are published on the Hugging Face hub: one record a row, columns as the fields of JSON lines.

Read in batches of rows; a place is the row's number, from 1. What is set aside goes to quarantine as JSON.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from training.errors import UnreadableFileError
from training.readers.fields import (
    NORMAL_FIELD,
    PATIENT_FIELDS,
    choose_pair,
    found_and_wanted,
    to_record,
)
from training.readers.upload import Upload
from training.records import Kind, Place, Record, SetAside, malformed
from training.text_lines import HEAD_BYTES, NOT_TEXT, TOO_LONG

PARQUET_MARK = b"PAR1"
_ROWS_AT_A_TIME = 256


def read_parquet(upload: Upload) -> Iterator[Record | SetAside]:
    """Yield a record or what was set aside for each row.

    Raises:
        UnreadableFileError: it is damaged, lacks the wanted columns or holds no row.
        UnsafeArchiveError: it unpacks to more than it may.
    """
    try:
        with pq.ParquetFile(upload.path) as file:
            _check(file, upload)
            wanted = {name for pair in upload.pairs for name in pair} | {*PATIENT_FIELDS, NORMAL_FIELD}
            columns = [name for name in file.schema_arrow.names if name in wanted]
            row = unpacked = 0
            for batch in file.iter_batches(batch_size=_ROWS_AT_A_TIME, columns=columns):
                # Counted too: a text that stands in a million rows is stored, and stated, only once.
                unpacked += batch.nbytes
                upload.limits.check_unpacked(upload.name, upload.path.stat().st_size, unpacked)
                for values in zip(*(_bytes(column).to_pylist() for column in batch.columns), strict=True):
                    row += 1
                    yield _read(dict(zip(columns, values, strict=True)), upload, Place(line=row))
    except (pa.ArrowException, OSError) as error:
        # Not the error's own text, which may quote what stands in the file.
        raise UnreadableFileError(f"{upload.name}: is damaged ({type(error).__name__}); upload it again") from error


def _check(file: pq.ParquetFile, upload: Upload) -> None:
    names = file.schema_arrow.names
    if choose_pair(names, upload.pairs) is None:
        raise UnreadableFileError(f"{upload.name}: fields missing ({found_and_wanted(names, upload.pairs)})")
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    upload.limits.check_unpacked(
        upload.name, upload.path.stat().st_size, sum(group.total_byte_size for group in groups)
    )
    if file.metadata.num_rows == 0:
        raise UnreadableFileError(f"{upload.name}: is empty (no row in it)")


def _bytes(column: pa.Array) -> pa.Array:
    """Text as bytes: a string column may hold bytes that are none, and only its row is to be set aside for it."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.large_binary()) if is_text else column


def _read(values: dict[str, Any], upload: Upload, place: Place) -> Record | SetAside:
    longest = max((value for value in values.values() if isinstance(value, bytes)), key=len, default=b"")
    if len(longest) > upload.limits.record_bytes:
        digest = hashlib.sha256(longest).hexdigest()
        return SetAside(Kind.MALFORMED, TOO_LONG, place, longest[:HEAD_BYTES], size=len(longest), sha256=digest)
    try:
        values = {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}
    except UnicodeDecodeError:
        return malformed(NOT_TEXT, place, b"\t".join(v for v in values.values() if isinstance(v, bytes)))
    return to_record(values, upload, place, json.dumps(values, ensure_ascii=False, default=str))
