"""Which records of the evaluation sets a candidate is to answer."""

from collections.abc import Iterator
from pathlib import Path

from training.candidates.prompts import drawn_by_seed
from training.evaluation_answers import evaluation_parts
from training.splits import Record, read_split


class AskedRecords:
    """The records of each set, or `max_records` of each: by the hash of seed and id, so that candidates with the same
    limit answer the same ones, and one with a higher limit those too."""

    def __init__(self, evaluation: Path, max_records: int | None, seed: int) -> None:
        """Raises EvaluationError: there is no evaluation set."""
        self._folders = sorted({part.parent for part in evaluation_parts(evaluation)})
        self._max_records = max_records
        self._seed = seed

    @property
    def sets(self) -> list[str]:
        return [folder.name for folder in self._folders]

    def of_each_set(self) -> Iterator[tuple[str, Iterator[Record]]]:
        """Name and records of each set, in Prepare's order.

        Raises:
            UploadError: a line is not a record.
        """
        for folder in self._folders:
            yield folder.name, self._records(folder)

    def _records(self, folder: Path) -> Iterator[Record]:
        if self._max_records is None:
            yield from read_split(folder)
            return
        drawn = {record.id for record in drawn_by_seed(read_split(folder), self._max_records, self._seed)}
        yield from (record for record in read_split(folder) if record.id in drawn)
