"""What a model is shown of similar reports: their consensus first, then the impressions of the nearest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.consensus import NEIGHBOURS, consensus, consensus_place
from training.errors import ArgumentError
from training.prompt import SIMILAR_PLACEHOLDER, shows_similar
from training.retrieval import Similar, SimilarReports

# Impressions of the nearest reports in a prompt, beside the consensus.
NEAREST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ShownReport:
    """A similar report whose impression stands in a prompt. `rank` by similarity, from 1; `agreed`: it is the
    consensus, which may be one of the nearest or a less similar one."""

    rank: int
    report: Similar
    agreed: bool


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


def shown_reports(found: Sequence[Similar], nearest: int = NEAREST_SHOWN) -> list[ShownReport]:
    """The reports that those impressions are from, most similar first."""
    if not found:
        return []
    agreed = consensus_place(found)
    places = sorted({*range(min(nearest, len(found))), agreed})
    return [ShownReport(place + 1, found[place], place == agreed) for place in places]
