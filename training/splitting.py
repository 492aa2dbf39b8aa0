"""Which training records are trained on, and which are held back for validation (and for evaluation).

Records that share their findings text or their patient must stand on one side, or a model is praised for what it
has memorised. So the split is over groups: the connected components of the graph whose nodes are findings texts and
patients and whose edges are records, duplicates included. Groups come in an order that only the seed and their
content decide, and each goes to the first side that still has room for all of it.

With labels every side gets about the wanted fraction of each label's records, and at least one group with each.

In a large collection one group can be huge, since template findings ("The lungs are clear ...") join thousands of
patients. It then stays in training, and what is held back is richer in unusual reports than the whole.
"""

import hashlib
import sqlite3
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from training.errors import UploadError
from training.labels import POSITIVE, Labels
from training.record_store import TRAINING, RecordStore

TRAIN, VALIDATION, HOLDOUT = "train", "validation", "holdout"

_NODES = """
CREATE TEMP TABLE node (n INTEGER PRIMARY KEY, is_patient INTEGER, key BLOB, root INTEGER);
INSERT INTO node (is_patient, key) SELECT DISTINCT 0, findings FROM record WHERE source = 0;
INSERT INTO node (is_patient, key) SELECT DISTINCT 1, patient FROM record WHERE source = 0 AND patient IS NOT NULL;
CREATE UNIQUE INDEX node_key ON node (is_patient, key);
"""
_EDGES = """
SELECT DISTINCT a.n, b.n FROM record
JOIN node a ON a.is_patient = 0 AND a.key = record.findings
JOIN node b ON b.is_patient = 1 AND b.key = record.patient
WHERE record.source = 0 AND record.patient IS NOT NULL
"""
# A group is known by the smallest of its findings, which no order of reading changes.
_GROUPS = """
CREATE TEMP TABLE side (root INTEGER PRIMARY KEY, key BLOB, size INTEGER, positive INTEGER, side TEXT);
INSERT INTO side (root, key, size, positive)
SELECT node.root, MIN(node.key), COUNT(*), SUM(record.label) FROM kept JOIN record USING (n)
JOIN node ON node.is_patient = 0 AND node.key = record.findings
WHERE kept.source = 0 GROUP BY node.root;
"""
_ASSIGN = """
UPDATE kept SET side = (
    SELECT side.side FROM record JOIN node ON node.is_patient = 0 AND node.key = record.findings
    JOIN side ON side.root = node.root WHERE record.n = kept.n)
WHERE source = 0
"""


@dataclass(frozen=True)
class Split:
    """Records on each side, and how many the largest group has."""

    train: int
    validation: int
    holdout: int
    largest_group: int


def split_training(
    store: RecordStore, *, seed: int, validation_fraction: float, holdout_fraction: float | None
) -> Split:
    """Give every kept training record its side; `holdout_fraction` is None where evaluation sets were uploaded.

    The sides have about the wanted fractions of the records, and at least one record each.
    Memory is 4 bytes for each different findings text and patient.

    Raises:
        UploadError: there are too few groups for every side to have one (of each label), or only one label.
    """
    database = store.database
    for statement in _NODES.split(";"):
        database.execute(statement)
    _join(database)
    for statement in _GROUPS.split(";"):
        database.execute(statement)
    totals = _class_totals(store)
    fractions = {VALIDATION: validation_fraction}
    if holdout_fraction is not None:
        fractions = {HOLDOUT: holdout_fraction, **fractions}
    room = {side: [max(1, round(fraction * total)) for total in totals] for side, fraction in fractions.items()}
    _fill(database, room, seed, store.labels)
    database.execute(_ASSIGN)
    sizes = dict(database.execute("SELECT side, SUM(size) FROM side GROUP BY side"))
    (largest,) = database.execute("SELECT MAX(size) FROM side").fetchone()
    return Split(sizes[TRAIN], sizes[VALIDATION], sizes.get(HOLDOUT, 0), largest)


def _join(database: sqlite3.Connection) -> None:
    """Union-find over the nodes (path halving; the smaller number becomes the root), written back as `node.root`."""
    (count,) = database.execute("SELECT COUNT(*) FROM node").fetchone()
    parent = array("I", range(count + 1))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for first, second in database.execute(_EDGES):
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    database.create_function("root_of", 1, root)
    database.execute("UPDATE node SET root = root_of(n)")


def _class_totals(store: RecordStore) -> list[int]:
    """Kept training records by class; without labels there is one class."""
    if store.labels is None:
        return [store.kept(TRAINING)]
    counts = store.label_counts(TRAINING)
    missing = [label for label, count in counts.items() if not count]
    if missing:
        raise UploadError(
            f"no training text is labelled {' or '.join(missing)}: a classifier learns from texts of both labels; "
            "upload some of the other"
        )
    return list(counts.values())


def _fill(database: sqlite3.Connection, room: dict[str, list[int]], seed: int, labels: Labels | None) -> None:
    """Give groups to the sides of `room` (records wanted, by class) while they fit, the rest to training."""

    def shuffled(key: bytes) -> bytes:
        return hashlib.sha256(f"{seed}:".encode() + key).digest()

    database.create_function("shuffled", 1, shuffled, deterministic=True)
    classes = range(1 if labels is None else 2)
    left = {side: list(wanted) for side, wanted in room.items()}
    taken = {side: array("Q") for side in room}
    for root, size, positive in database.execute("SELECT root, size, positive FROM side ORDER BY shuffled(key)"):
        sizes = [size] if labels is None else [size - positive, positive]
        side = next((side for side, records in left.items() if all(sizes[c] <= records[c] for c in classes)), None)
        if side is not None:
            left[side] = [left[side][c] - sizes[c] for c in classes]
            taken[side].append(root)
        if not any(map(any, left.values())):
            break
    for side, roots in taken.items():
        database.executemany("UPDATE side SET side = ? WHERE root = ?", ((side, root) for root in roots))
    for side, number in ((side, number) for side in room for number in classes):
        if left[side][number] == room[side][number]:
            # No group is small enough: the smallest one that is left must do.
            smallest = f"SELECT root FROM side WHERE side IS NULL AND {_holds(labels, number)}"
            database.execute(
                f"UPDATE side SET side = ? WHERE root = ({smallest} ORDER BY size, shuffled(key) LIMIT 1)", (side,)
            )
    database.execute("UPDATE side SET side = ? WHERE side IS NULL", (TRAIN,))
    for number in classes:
        found = database.execute(f"SELECT DISTINCT side FROM side WHERE {_holds(labels, number)}")
        if {side for (side,) in found} != {TRAIN, *room}:
            raise UploadError(_too_few([TRAIN, *room], None if labels is None else labels.names[number]))


def _holds(labels: Labels | None, number: int) -> str:
    """The condition that a group of `side` holds a record of the class."""
    if labels is None:
        return "1"
    return "positive > 0" if number == POSITIVE else "positive < size"


def _too_few(sides: Sequence[str], label: str | None) -> str:
    records, ties, wanted = (
        ("training records", "findings text or one patient", "reports")
        if label is None
        else (f"training texts labelled {label}", "text or one article", "of them")
    )
    return (
        f"the {records} cannot be split into {sides[0]}, {' and '.join(sides[1:])} without one {ties} on two sides: "
        f"too few are independent of each other; upload more {wanted}"
    )
