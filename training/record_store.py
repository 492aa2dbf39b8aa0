"""All records of a run on disk, with what duplicates, groups and leaks are found by.

SQLite in a scratch file: memory stays at its page cache however many records come. The texts lie in a table of
their own, which is only written in order and read back once; everything else works on hashes of 16 bytes.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from training.labels import Labels
from training.records import Record, normalise, record_id
from training.table_schemas import LAST_LENGTH_BIN, LENGTH_BIN

TRAINING = 0
_CACHE_KIB = 64 * 1024
_BATCH = 2000
_HASH_BYTES = 16
_MIMIC_PATIENT = re.compile(r"p(\d{8})")

# Field -> lower end of a bin of words -> records.
Lengths = dict[str, dict[int, int]]

_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
PRAGMA temp_store = FILE; PRAGMA cache_size = -{cache};
CREATE TABLE text (n INTEGER PRIMARY KEY, line BLOB NOT NULL);
CREATE TABLE record (
    n INTEGER PRIMARY KEY, source INTEGER NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL,
    findings BLOB NOT NULL, patient BLOB, label INTEGER NOT NULL, input_bin INTEGER NOT NULL,
    target_bin INTEGER NOT NULL, target_longer INTEGER NOT NULL, reviewed INTEGER NOT NULL);
CREATE TABLE kept (n INTEGER PRIMARY KEY, source INTEGER NOT NULL, side TEXT);
"""

# Which of several equal records stays must not depend on the order in which files are read: the one that knows its
# patient, then the smallest digest of its line.
_KEEP = """
INSERT INTO kept (n, source)
SELECT n, source FROM (
    SELECT n, source, ROW_NUMBER() OVER (PARTITION BY source, id ORDER BY patient IS NULL, digest, n) AS place
    FROM record)
WHERE place = 1
"""
# Reviewed records are few: every one is compared with the others of its text (CROSS JOIN keeps SQLite to that order).
_OVERRULED = """
DELETE FROM kept WHERE source = 0 AND n IN (
    SELECT t.n FROM record r CROSS JOIN record t ON t.source = 0 AND t.findings = r.findings
    WHERE r.source = 0 AND r.reviewed AND t.id != r.id
        AND (r.patient IS NULL OR t.patient IS NULL OR r.patient = t.patient)
        AND NOT EXISTS (
            SELECT 1 FROM record same
            WHERE same.source = 0 AND same.findings = t.findings AND same.id = t.id AND same.reviewed))
"""
_SHARES = """(
    EXISTS (SELECT 1 FROM record t WHERE t.source = 0 AND t.findings = e.findings AND {which})
    OR EXISTS (SELECT 1 FROM record t WHERE t.source = 0 AND t.patient = e.patient AND {which}))
"""
_LEAKED = f"""
DELETE FROM kept WHERE source != 0 AND n IN (
    SELECT e.n FROM record e WHERE e.source != 0 AND {_SHARES.format(which="1")})
"""
_LEAKED_BY_REVIEWS_ALONE = f"""
SELECT COUNT(*) FROM kept JOIN record e USING (n) WHERE kept.source = ?
    AND {_SHARES.format(which="t.reviewed")} AND NOT {_SHARES.format(which="NOT t.reviewed")}
"""


class RecordStore:
    """Records by source: `TRAINING` (0), and 1, 2, ... for the evaluation sets.

    With `labels` each record's target is one of them, and is counted as such; without, all are of one class, 0.
    """

    def __init__(self, path: Path, labels: Labels | None = None) -> None:
        self.labels = labels
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.executescript(_SCHEMA.format(cache=_CACHE_KIB))
        self.database.execute("BEGIN")
        self._texts: list[tuple[int, bytes]] = []
        self._records: list[tuple[int, int, str, bytes, bytes, bytes | None, int, int, int, bool, bool]] = []
        self._count = 0

    def add(self, record: Record, source: int, *, reviewed: bool = False) -> None:
        """`reviewed`: a person looked at this very record, so it overrules others of its text."""
        asked = normalise(record.input)
        identity = record_id(asked, normalise(record.target))
        line = json_line(
            {
                "id": identity,
                "input": record.input,
                "target": record.target,
                "patient": record.patient,
                "normal": record.normal,
            }
        )
        self._count += 1
        self._texts.append((self._count, line))
        patient = None if record.patient is None else _key(_patient_name(record.patient))
        label = self.labels.number(record.target) if self.labels is not None else 0
        words = (len(record.input.split()), len(record.target.split()))
        lengths = (_length_bin(words[0]), _length_bin(words[1]), words[1] > words[0])
        self._records.append(
            (self._count, source, identity, _key(line), _key(asked), patient, label, *lengths, reviewed)
        )
        if len(self._records) == _BATCH:
            self._flush()

    @property
    def count(self) -> int:
        """How many records were added so far."""
        return self._count

    def forget_after(self, count: int) -> None:
        """Take back every record but the first `count`: a file turned out to be unreadable half-way."""
        self._flush()
        self.database.execute("DELETE FROM text WHERE n > ?", (count,))
        self.database.execute("DELETE FROM record WHERE n > ?", (count,))
        self._count = count

    def drop_duplicates(self) -> None:
        """Keep one of each pair of texts within each source. Call it once, after the last `add`."""
        self._flush()
        self.database.execute("CREATE INDEX record_findings ON record (source, findings)")
        self.database.execute("CREATE INDEX record_patient ON record (source, patient) WHERE patient IS NOT NULL")
        self.database.execute(_KEEP)

    def drop_overruled(self) -> None:
        """Drop training records whose text was reviewed and found to have another target.

        A record of another patient stays: the same words may have been written of two. Call it after
        `drop_duplicates`. Of several reviewed records of one text all stay.
        """
        self.database.execute(_OVERRULED)

    def leaked_by_reviews(self, source: int) -> int:
        """How many records of an evaluation set `drop_leaked` is about to drop for the sake of reviewed ones alone."""
        return self._number(_LEAKED_BY_REVIEWS_ALONE, source)

    def drop_leaked(self) -> None:
        """Drop evaluation records whose findings or whose patient any training record has, duplicates included."""
        self.database.execute(_LEAKED)

    def added(self, source: int) -> int:
        return self._number("SELECT COUNT(*) FROM record WHERE source = ?", source)

    def kept(self, source: int) -> int:
        return self._number("SELECT COUNT(*) FROM kept WHERE source = ?", source)

    def lines(self, source: int, side: str | None = None) -> Iterator[bytes]:
        """The kept records of a source (on one side of its split) as lines of JSON, ordered by id."""
        # The texts are looked up one by one: joined to the ordered query, SQLite would sort them with their keys.
        ordered = "SELECT n FROM kept JOIN record USING (n) WHERE kept.source = ? AND kept.side IS ? ORDER BY record.id"
        for number in self.database.execute(ordered, (source, side)):
            (line,) = self.database.execute("SELECT line FROM text WHERE n = ?", number).fetchone()
            yield line

    def lengths(self, source: int, side: str | None = None) -> Lengths:
        """Histograms of the texts that `lines` gives for the same arguments."""
        counts = (
            "SELECT {field}_bin, COUNT(*) FROM kept JOIN record USING (n) "
            "WHERE kept.source = ? AND kept.side IS ? GROUP BY 1 ORDER BY 1"
        )
        return {
            field: dict(self.database.execute(counts.format(field=field), (source, side)))
            for field in ("input", "target")
        }

    def longer_targets(self, source: int) -> int:
        """How many kept records have a target with more words than its input."""
        return self._number(
            "SELECT COUNT(*) FROM kept JOIN record USING (n) WHERE kept.source = ? AND record.target_longer", source
        )

    def label_counts(self, source: int, side: str | None = None) -> dict[str, int]:
        """Label -> kept records of it, for the same arguments as `lines`; of a task with labels."""
        assert self.labels is not None
        counts = (
            "SELECT label, COUNT(*) FROM kept JOIN record USING (n) WHERE kept.source = ? AND kept.side IS ? GROUP BY 1"
        )
        found = dict(self.database.execute(counts, (source, side)))
        return {name: found.get(number, 0) for number, name in enumerate(self.labels.names)}

    def labelled_twice(self, source: int) -> int:
        """How many texts are kept with both labels."""
        return self._number(
            "SELECT COUNT(*) FROM (SELECT 1 FROM kept JOIN record USING (n) WHERE kept.source = ? "
            "GROUP BY record.findings HAVING COUNT(DISTINCT record.label) > 1)",
            source,
        )

    def _number(self, query: str, *values: int) -> int:
        (number,) = self.database.execute(query, values).fetchone()
        return int(number)

    def _flush(self) -> None:
        self.database.executemany("INSERT INTO text VALUES (?, ?)", self._texts)
        self.database.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._records)
        self._texts.clear()
        self._records.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.close()


def json_line(value: object) -> bytes:
    """One line of JSON in UTF-8, with its line break."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _length_bin(words: int) -> int:
    """Lower end of the bin that a number of words falls into."""
    return min(words // LENGTH_BIN * LENGTH_BIN, LAST_LENGTH_BIN)


def _key(value: str | bytes) -> bytes:
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).digest()[:_HASH_BYTES]


def _patient_name(patient: str) -> str:
    """MIMIC-CXR writes one patient as p10000032 in its folders and as 10000032 in its tables."""
    name = normalise(patient)
    match = _MIMIC_PATIENT.fullmatch(name)
    return match[1] if match else name
