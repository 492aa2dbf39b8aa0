"""What a model is shown of similar reports: their consensus first, then the impressions of the nearest."""

from collections.abc import Sequence
from pathlib import Path

from training.consensus import NEIGHBOURS, consensus
from training.errors import ArgumentError
from training.prompt import SIMILAR_PLACEHOLDER, shows_similar
from training.retrieval import Similar, SimilarReports

# Impressions of the nearest reports in a prompt, beside the consensus.
NEAREST_SHOWN = 3


def load_similar(folder: Path | None, template: str) -> SimilarReports | None:
    """The reports in `folder`, or None without a folder.

    Raises:
        ArgumentError: the prompt shows similar reports, and there is no folder of them.
    """
    if folder is None and shows_similar(template):
        raise ArgumentError(
            f"the prompt shows similar reports ({SIMILAR_PLACEHOLDER}) and there are none: give their folder "
            "as --similar, or leave the placeholder out"
        )
    return SimilarReports.load(folder) if folder is not None else None


def find_similar(reports: SimilarReports, texts: Sequence[str]) -> list[list[Similar]]:
    """The similar reports of each text, most similar first: all that prompts and decoding use."""
    return reports.similar(texts, NEIGHBOURS)


def shown_impressions(found: Sequence[Similar], nearest: int = NEAREST_SHOWN) -> list[str]:
    """The consensus, then the `nearest` nearest; nothing where nothing similar was found."""
    return [consensus(found), *(report.target for report in found[:nearest])] if found else []
