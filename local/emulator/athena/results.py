"""Values as Athena writes them, and where it writes them."""

import csv
import io
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from local.emulator.athena.engine import scanned_bytes
from local.emulator.ministack_hooks import module


def datum_text(original: Any, value: Any) -> str:
    """One value of a result; `original` is ministack's own way to write it."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, list):
        return "[" + ", ".join("null" if item is None else datum_text(original, item) for item in value) + "]"
    text: str = original(value)
    return text


async def save_results(query_id: str) -> None:
    """Write the result as CSV to the reported place: every value quoted, null as nothing; and tell what was scanned.

    Raises:
        OSError: S3 refused; ministack then fails the query with this reason.
    """
    athena, s3 = module("ministack.services.athena"), module("ministack.services.s3")
    execution = athena._executions[query_id]
    execution["Statistics"]["DataScannedInBytes"] = scanned_bytes()
    results = execution["_results"]
    output = io.StringIO()
    writer = csv.writer(output, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(results["columns"])
    for row in results["rows"]:
        cells = ("" if v is None else '"' + athena._datum_text(v).replace('"', '""') + '"' for v in row)
        output.write(",".join(cells) + "\n")
    place = urlsplit(execution["ResultConfiguration"]["OutputLocation"])
    content = output.getvalue().encode()
    headers = {"content-type": "text/csv", "content-length": str(len(content))}
    status, *_ = s3._put_object(place.netloc, place.path.lstrip("/"), content, headers)
    if status >= 300:
        raise OSError(f"the result could not be written to {place.geturl()}: S3 answered {status}")
