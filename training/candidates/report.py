"""What a candidate leaves for Compare: its answers, what has none and why, and what it took.

    <set>/part-00000.jsonl   {"id", "prediction"}: the records that were answered, in order
    failures.jsonl           {"set", "id", "reason"}: every other record that it was to answer
    candidate.json           {"name", "kind", "status", "reason", "sets": {set: {"asked", "answered"}}, "seconds",
                              "answered", "input_tokens", "output_tokens", "dollars", "dollars_per_1000",
                              "seconds_per_1000", "needs", "leaves_account", "licence"}

`status` is complete, partial (some records have no answer) or failed (none has one). `seconds` are those of asking,
without loading; tokens are null where no service counts them, dollars where no price is known.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from training.candidates.arguments import BEDROCK, CandidateArguments
from training.candidates.asked_records import AskedRecords
from training.candidates.journal import Said
from training.candidates.outcomes import Unanswered
from training.part_files import PartFiles
from training.record_store import json_line

FAILURES, CANDIDATE = "failures.jsonl", "candidate.json"
COMPLETE, PARTIAL, FAILED = "complete", "partial", "failed"
_GPU_INSTANCE = re.compile(r"ml\.[gp]\d")


def has_gpu(instance_type: str | None) -> bool:
    """Whether a type of machine (ml.g5.2xlarge) has a GPU; None, which is no machine of SageMaker's, has none."""
    return _GPU_INSTANCE.match(instance_type or "") is not None


def write_report(arguments: CandidateArguments, asked: AskedRecords, said: Said) -> dict[str, Any]:
    """Write the files; returns what candidate.json holds.

    Raises:
        UploadError: a line of an evaluation set is not a record.
    """
    arguments.output.mkdir(parents=True, exist_ok=True)
    sets: dict[str, dict[str, int]] = {}
    reasons: Counter[str] = Counter()
    not_asked = Unanswered(f"not asked: {said.ended}")
    with (arguments.output / FAILURES).open("wb") as failures:
        for name, records in asked.of_each_set():
            counts = sets[name] = {"asked": 0, "answered": 0}
            with PartFiles(arguments.output / name) as parts:
                for record in records:
                    outcome = said.outcomes.get(name, {}).get(record.id, not_asked)
                    counts["asked"] += 1
                    if isinstance(outcome, Unanswered):
                        reasons[outcome.reason] += 1
                        failures.write(json_line({"set": name, "id": record.id, "reason": outcome.reason}))
                    else:
                        counts["answered"] += 1
                        parts.write(json_line({"id": record.id, "prediction": outcome}))
    report = _report(arguments, sets, said, reasons)
    text = json.dumps(report, indent=2, ensure_ascii=False)
    (arguments.output / CANDIDATE).write_text(text + "\n", encoding="utf-8")
    return report


def _report(
    arguments: CandidateArguments, sets: Mapping[str, Mapping[str, int]], said: Said, reasons: Counter[str]
) -> dict[str, Any]:
    asked, answered = (sum(counts[name] for counts in sets.values()) for name in ("asked", "answered"))
    dollars = arguments.prices.dollars(said.usage)
    bedrock = arguments.kind == BEDROCK
    return {
        "name": arguments.name,
        "kind": arguments.kind,
        "status": COMPLETE if answered == asked else PARTIAL if answered else FAILED,
        "reason": _reason(asked, answered, said.ended, reasons),
        "sets": sets,
        "seconds": round(said.usage.seconds, 3),
        "answered": answered,
        "input_tokens": said.usage.input_tokens if bedrock else None,
        "output_tokens": said.usage.output_tokens if bedrock else None,
        "dollars": dollars,
        "dollars_per_1000": _per_1000(dollars, answered),
        "seconds_per_1000": _per_1000(said.usage.seconds, answered),
        "needs": _needs(arguments),
        "leaves_account": bedrock,
        "licence": arguments.licence,
    }


def _reason(asked: int, answered: int, ended: str | None, reasons: Counter[str]) -> str | None:
    if answered == asked:
        return None
    if ended is not None:
        return ended
    ((commonest, _),) = reasons.most_common(1)
    return f"{asked - answered} of {asked} records have no answer, most often: {commonest}"


def _per_1000(value: float | None, answered: int) -> float | None:
    return None if value is None or not answered else value * 1000 / answered


def _needs(arguments: CandidateArguments) -> list[str]:
    needs = []
    if has_gpu(arguments.instance_type):
        needs.append("GPU")
    if arguments.model_id is not None or arguments.endpoint is not None:
        needs.append("network")
    if arguments.licence is not None:
        needs.append(f"acceptance of the licence {arguments.licence}")
    return needs
