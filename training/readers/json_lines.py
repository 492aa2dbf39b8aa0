"""JSON lines: one object a line, `{"findings": ..., "impression": ...}` or the task's own field names.

Optional fields: `patient`, `patient_id` or `subject_id` (or, of published text, `article`, `article_id` or
`pubmed_id`), and `normal` (true or false).
"""

import json
from collections.abc import Iterator

from training.errors import UnreadableFileError
from training.readers.fields import to_record
from training.readers.upload import Upload
from training.records import Place, Record, SetAside, malformed
from training.text_lines import Line


def read_json_lines(upload: Upload, lines: Iterator[Line]) -> Iterator[Record | SetAside]:
    """Yield a record or what was set aside for each line that is not blank.

    Raises:
        UnreadableFileError: the file is one JSON array, not lines of objects.
    """
    first = True
    for line in lines:
        if line.text is None:
            yield line.set_aside()
        elif line.text.strip():
            if first and _is_array(line.text):
                raise UnreadableFileError(f"{upload.name}: is a JSON array; write one JSON object a line instead")
            yield _read(line.text, Place(line=line.number), upload)
        else:
            continue
        first = False


def _is_array(text: str) -> bool:
    """An array over several lines, or one of objects in one line; any other list is just a bad line."""
    return "".join(text.split())[:2] in ("[", "[{")


def _read(text: str, place: Place, upload: Upload) -> Record | SetAside:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return malformed("not JSON", place, text, f"{error.msg}, column {error.colno}")
    except (RecursionError, ValueError) as error:
        # Brackets nested thousands deep, or an integer of thousands of digits.
        return malformed("not JSON", place, text, type(error).__name__)
    if not isinstance(value, dict):
        return malformed("not a JSON object", place, text)
    return to_record(value, upload, place, text)
