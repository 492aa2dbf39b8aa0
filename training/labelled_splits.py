"""What whoever learns from labelled records asks of them."""

from collections.abc import Sequence

from training.errors import UploadError
from training.labels import Labels
from training.splits import Record


def class_number(record: Record, labels: Labels) -> int:
    """NEGATIVE or POSITIVE.

    Raises:
        UploadError: the record has another target.
    """
    if record.target not in labels.names:
        raise UploadError(f"record {record.id} is not labelled {labels}; run Prepare again")
    return labels.number(record.target)


def check_both_labels(split: str, counts: Sequence[int], labels: Labels) -> None:
    """Refuse a split of one label; `counts` are records by class number.

    Raises:
        UploadError: one of the labels is missing.
    """
    if 0 in counts:
        held = ", ".join(f"{count} {label}" for label, count in zip(labels.names, counts, strict=True))
        raise UploadError(
            f"the {split} split must hold texts of both labels, it holds {held}: upload more (see Prepare's report)"
        )
