"""What the demo shows of a choice between ways to answer, from rows as Athena gives them."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local.aws import LocalAws
from local.demos.choice import (
    candidates_as_json,
    read_before_and_after,
    recommended,
    show_before_and_after,
    show_choice,
)
from local.demos.summaries import comparison
from local.deployment import Names
from local.errors import DataError
from local.stage import LocalStage
from training.table_schemas import CANDIDATES, MODELS, ROUGE_METRICS

WIDTH = 120


def row(candidate: str, **values: str | None) -> dict[str, str | None]:
    """A complete row; `values` in place of its own."""
    complete: dict[str, str | None] = {
        **dict.fromkeys(CANDIDATES.column_names),
        "evaluation_set": "dev1",
        "candidate": candidate,
        "kind": "custom",
        "status": "complete",
        "asked": "200",
        "answered": "200",
        "rouge_l": "0.6123",
        "rouge_l_low": "0.59",
        "rouge_l_high": "0.634",
        "against_fine_tuned": "-0.0512",
        "against_fine_tuned_low": "-0.071",
        "against_fine_tuned_high": "-0.031",
        "clinical_errors": "0.125",
        "distinct_predictions": "198",
        "seconds_per_1000": "1234.5",
        "dollars_per_1000": "0.52",
        "needs": "",
        "leaves_account": "false",
        "recommended": "false",
        "verdict": "It is reliably worse than the best.",
    }
    return complete | values


FINE_TUNED = row("fine-tuned", kind="fine_tuned", recommended="true", verdict="It is the best.")
FAILED = row(
    "claude",
    kind="bedrock",
    status="failed",
    reason="AccessDeniedException: no access to the model",
    answered="0",
    **dict.fromkeys(("rouge_l", "rouge_l_low", "rouge_l_high", "clinical_errors", "seconds_per_1000")),
    dollars_per_1000=None,
    needs="network",
    leaves_account="true",
    verdict="It answered none of the records.",
)
PARTIAL = row("small-model", status="partial", asked="12", answered="9", reason="the cost limit of $5.00 was reached")


def printed(show: Any, *arguments: Any) -> str:
    console = Console(width=WIDTH, soft_wrap=True, record=True, file=io.StringIO())
    show(console, *arguments)
    return console.export_text()


def test_every_way_to_answer_stands_in_the_table_and_nothing_is_cut() -> None:
    text = printed(show_choice, [FINE_TUNED, row("lead-sentences"), PARTIAL, FAILED])

    for name in ("fine-tuned", "lead-sentences", "small-model", "claude"):
        assert name in text
    assert ".612 [.590, .634]" in text
    assert "-.051 [-.071, -.031]" in text
    assert all(value in text for value in ("12%", "1,234", "0.52", "9/12", "200/200"))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_floors_stand_below_and_no_verdict_repeats_that_they_are_floors() -> None:
    text = printed(show_choice, [row("lead", kind="floor", verdict="A floor."), FINE_TUNED, row("lead-sentences")])

    assert text.index("lead-sentences") < text.index("floor: first sentences")
    assert "A floor." not in text
    assert "lead-sentences (custom): It is reliably worse" in text
    assert "fine-tuned: It is the best." in text


def test_what_is_recommended_is_said_first_and_by_name() -> None:
    text = printed(show_choice, [row("lead-sentences"), FINE_TUNED])

    verdicts = text[text.index("by the rules") :]
    assert verdicts.index("It is the best.") < verdicts.index("It is reliably worse")
    assert text.rstrip().endswith("dev1: recommended is fine-tuned.")


def test_where_nothing_is_recommended_it_says_so() -> None:
    rows = [row("lead-sentences"), FAILED, row("other", evaluation_set="dev2", recommended="true")]

    assert "dev1: nothing is recommended." in printed(show_choice, rows)
    assert recommended(rows) == {"dev1": None, "dev2": "other"}


def test_who_did_not_answer_is_named_with_the_reason() -> None:
    text = printed(show_choice, [FINE_TUNED, PARTIAL, FAILED])

    assert "claude failed: AccessDeniedException: no access to the model" in text
    assert "small-model answered 9 of 12: the cost limit of $5.00 was reached" in text
    assert "fine-tuned answered" not in text


def test_a_name_or_reason_with_brackets_is_text() -> None:
    assert "[bold]reason" in printed(show_choice, [FAILED | {"reason": "[bold]reason"}])


def test_the_summary_has_numbers_and_truth_values() -> None:
    (read,) = candidates_as_json([FAILED])

    assert read["candidate"] == "claude"
    assert (read["asked"], read["answered"], read["rouge_l"]) == (200, 0, None)
    assert (read["leaves_account"], read["recommended"]) == (True, False)
    assert isinstance(read["asked"], int)
    assert set(read) == set(CANDIDATES.column_names) - {"started_at"}
    json.dumps(read)


def example(why: str, **values: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "why": why,
        "input": "Seen at ten.\nHas a cough.",
        "reference": "Cough",
        "pretrained": "seen seen",
        "fine_tuned": "Coughs",
        "rouge_l_pretrained": 0.04,
        "rouge_l_fine_tuned": 0.96,
    } | values


def test_before_and_after_are_shown_with_why_they_were_chosen() -> None:
    whys = ["largest gain", "median gain", "largest loss", "longest note"]
    text = printed(show_before_and_after, {"dev1": [example(why) for why in whys]})

    assert [why for why in whys if why in text] == whys[:3]
    assert "Seen at ten. Has a cough." in text
    assert "before 0.04:" in text and "after 0.96:" in text


def test_a_note_of_many_pages_is_shown_in_part_with_its_length() -> None:
    text = printed(show_before_and_after, {"dev1": [example("longest note", input="word " * 4000)]})

    assert len(text) < 1500
    assert "(20000 characters)" in text


def test_the_examples_are_those_that_the_run_left(aws: LocalAws) -> None:
    bucket = "before-and-after"
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=bucket)
    chosen = {"dev1": [example("median gain")]}
    s3.put_object(
        Bucket=bucket,
        Key="runs/clinical_notes/run-1/comparison/before_and_after.json",
        Body=json.dumps(chosen).encode(),
    )
    stage = LocalStage(aws, _names(bucket), Path(), 0.0)

    assert read_before_and_after(stage, "clinical_notes", "run-1") == chosen
    with pytest.raises(DataError, match=r"run-2.*look at its step Compare"):
        read_before_and_after(stage, "clinical_notes", "run-2")


def _names(bucket: str) -> Names:
    return Names(
        bucket=bucket,
        database="",
        workgroup="",
        pipelines={},
        text_queues={},
        notice_topics={},
        review_functions={},
        dashboards={},
    )


def test_the_score_table_leaves_candidates_to_the_choice() -> None:
    scores = {"dev1": {model: dict.fromkeys(ROUGE_METRICS, 0.5) for model in (*MODELS, "lead-sentences")}}
    text = printed(lambda console: console.print(comparison(scores, {}, {})))

    assert text.count("0.5000") == len(MODELS) * len(ROUGE_METRICS)
    assert "lead-sentences" not in text
