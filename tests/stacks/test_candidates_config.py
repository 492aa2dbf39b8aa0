"""Candidates in a task file: what they may be, what is refused and how that is said."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from stacks.config import SummaryTask, load_task
from stacks.errors import ConfigurationError
from stacks.hub import pinned, unpinned, write_hub_lock
from tests.stacks.candidate_tasks import (
    BEDROCK,
    CLINICAL_NOTES,
    CONTAINER,
    ENDPOINT,
    FINE_TUNED,
    FROM_HUB,
    HANDLER,
    IN_BUCKET,
    without_answer,
    write_task,
)

PRICES = {"dollars_per_million_input_tokens": 1.0, "dollars_per_million_output_tokens": 2.0}
SHOWN: dict[str, Any] = {
    "prompt": "{examples}Note: {input}",
    "example": "Note: {input} Summary: {target}\n",
    "examples": 2,
}


def summary_task(file: Path, stage: str = "dev") -> SummaryTask:
    task = load_task(file, stage)
    assert isinstance(task, SummaryTask)
    return task


def test_on_aws_the_shipped_task_fine_tunes_the_articles_model_without_warm_up() -> None:
    task = summary_task(CLINICAL_NOTES)
    assert (task.model.source, task.model.id) == ("huggingface", "google/pegasus-xsum")
    assert (task.fields.input, task.fields.target) == ("note", "summary")
    assert task.training.warmup_ratio == 0.0
    assert {candidate.kind for candidate in task.candidates} == {"foundation", "custom"}
    paid = [candidate for candidate in task.candidates if candidate.kind != "custom"]
    assert all(candidate.max_dollars for candidate in paid), "what costs money ends at a limit"


def test_the_shipped_candidate_of_bedrock_is_off_until_its_marks_of_comment_are_taken_away(tmp_path: Path) -> None:
    shipped = summary_task(CLINICAL_NOTES)
    assert shipped.choice is not None and not shipped.choice.allow_leaving_account
    before, start, after = CLINICAL_NOTES.read_text().partition("  # - name: nova-lite\n")
    block, blank, after = after.partition("\n\n")
    uncommented = "".join(line.replace("  # ", "  ", 1) for line in (start + block).splitlines(keepends=True))
    file = tmp_path / CLINICAL_NOTES.name
    file.write_text(before + uncommented + blank + after)
    shutil.copytree(CLINICAL_NOTES.parent / "handlers", tmp_path / "handlers")
    *others, bedrock = summary_task(file).candidates
    assert others == list(shipped.candidates)
    assert (bedrock.name, bedrock.kind) == ("nova-lite", "bedrock")
    assert bedrock.max_dollars and bedrock.max_records


def test_locally_no_candidate_needs_network_or_a_price() -> None:
    task = summary_task(CLINICAL_NOTES, "local")
    assert [candidate.name for candidate in task.candidates] == ["small-language-model", "lead-sentences"]
    assert not any(candidate.has_network or candidate.max_dollars for candidate in task.candidates)


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        ({**BEDROCK, "kind": "oracle"}, "'foundation', 'bedrock', 'fine_tuned', 'custom'"),
        ({**BEDROCK, "name": "Bedrock"}, "candidates.0.bedrock.name: String should match pattern"),
        (
            {**BEDROCK, "name": "fine-tuned"},
            "name fine-tuned is taken: a candidate's must be none of pre-trained, fine",
        ),
        ({**BEDROCK, "name": "pretrained"}, "name pretrained is taken"),
        ({**BEDROCK, "model_id": "arn:aws:bedrock:us-east-1:1:x/y"}, "candidates.0.bedrock.model_id: String should"),
        ({**BEDROCK, "endpoint": "one"}, "candidates.0.bedrock.endpoint: Extra inputs are not permitted"),
        ({**BEDROCK, "prompt": "no place"}, "candidates.0.bedrock: prompt must hold {input} exactly once"),
        ({**BEDROCK, "prompt": "{input}" + "\n" * 125}, "must have 1 to 256 characters, has 259"),
        ({**BEDROCK, **SHOWN, "examples": 0}, "prompt must hold {examples} exactly once with examples, and nowhere"),
        ({**BEDROCK, **SHOWN, "prompt": "{input}"}, "prompt must hold {examples} exactly once with examples"),
        ({**BEDROCK, **SHOWN, "examples": 11}, "examples: Input should be less than or equal to 10, got 11"),
        ({**BEDROCK, **SHOWN, "example": None}, "example and examples belong together: got examples 2"),
        ({**BEDROCK, **SHOWN, "example": "{input}"}, "example must hold {input} and {target}, each exactly once"),
        ({**BEDROCK, "max_dollars": 1.0}, "max_dollars needs both"),
        ({**BEDROCK, "dollars_per_million_input_tokens": 1.0}, "belong together"),
        ({**BEDROCK, "max_records": 0}, "max_records: Input should be greater than or equal to 1, got 0"),
        ({**BEDROCK, "max_dollars": 0.0, **PRICES}, "max_dollars: Input should be greater than 0, got 0.0"),
        ({**ENDPOINT, "max_dollars": 1.0}, "max_dollars of an endpoint needs dollars_per_hour"),
        (
            {**ENDPOINT, **{"model": IN_BUCKET["model"]}},
            "takes exactly one of model, endpoint, got ['model', 'endpoint']",
        ),
        ({**HANDLER, "endpoint": "one"}, "takes exactly one of handler, endpoint, got ['handler', 'endpoint']"),
        ({**HANDLER, "handler": None}, "takes exactly one of handler, endpoint, got []"),
        ({**HANDLER, "handler": "../own"}, "candidates.0.custom.handler: String should match pattern"),
        ({**HANDLER, "handler": "handlers/none"}, "candidate handler: handler must be a folder beside the task file"),
        ({**FINE_TUNED, "s3_uri": "models/bart"}, "candidates.0.fine_tuned.s3_uri: String should match pattern"),
        ({**FINE_TUNED, "prompt": "{input}"}, "candidates.0.fine_tuned.prompt: Extra inputs are not permitted"),
        (
            {**IN_BUCKET, "model": {"source": "stand_in", "denoise_seconds": 1.0}},
            "model.source must be huggingface or s3",
        ),
    ],
)
def test_what_a_candidate_may_not_be(tmp_path: Path, candidate: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_task(write_task(tmp_path, candidate), "dev")
    assert said in str(caught.value)
    assert str(caught.value).startswith("clinical_notes.yaml: ")


@pytest.mark.parametrize(
    ("candidates", "changed", "said"),
    [
        ([{**CONTAINER, "name": f"number-{number}"} for number in range(6)], {}, "at most 5 items"),
        (
            [{**CONTAINER, "name": "a-b"}, {**CONTAINER, "name": "a--b"}],
            {},
            "differ in more than dashes, got a-b, a--b",
        ),
        ([{**CONTAINER, "name": "a-1b"}, {**CONTAINER, "name": "a1b"}], {}, "differ in more than dashes"),
        ([CONTAINER, CONTAINER], {}, "candidates must have names that differ"),
        ([CONTAINER], {"jobs": without_answer()}, "candidates and jobs.answer belong together"),
        ([], {"choice": ...}, "candidates and jobs.answer belong together"),
        ([], {"jobs": without_answer()}, "choice needs candidates"),
        (
            [CONTAINER],
            {"choice": {"max_dollars_per_1000": 0.0}},
            "choice.max_dollars_per_1000: Input should be greater",
        ),
        ([CONTAINER], {"choice": {"cheapest": True}}, "choice.cheapest: Extra inputs are not permitted"),
    ],
)
def test_what_a_comparison_may_not_be(
    tmp_path: Path, candidates: list[dict[str, Any]], changed: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_task(write_task(tmp_path, *candidates, **changed), "dev")
    assert said in str(caught.value)
    assert str(caught.value).startswith("clinical_notes.yaml: ")


def test_candidates_may_be_answered_by_one_machine_only(tmp_path: Path) -> None:
    answer = {"instance_type": "ml.m5.large", "volume_gb": 10, "max_hours": 1.0, "instance_count": 2}
    with pytest.raises(ConfigurationError, match=r"jobs\.answer\.instance_count must be 1"):
        load_task(write_task(tmp_path, CONTAINER, jobs={**without_answer(), "answer": answer}), "dev")


def test_a_task_without_candidates_needs_nothing_of_theirs(tmp_path: Path) -> None:
    task = summary_task(write_task(tmp_path, jobs=without_answer(), choice=..., candidates=...))
    assert (task.candidates, task.jobs.answer, task.models) == ((), None, (task.model,))


def test_the_lock_pins_a_candidates_model_and_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    task = summary_task(write_task(tmp_path, FROM_HUB, IN_BUCKET, BEDROCK, FINE_TUNED))
    assert unpinned([task]) == ["google/pegasus-xsum", "owner/model"]
    commit = "0123456789abcdef0123456789abcdef01234567"
    lock = tmp_path / "hub.lock.json"
    write_hub_lock(lock, {"owner/model": commit, "google/pegasus-xsum": commit})
    (changed,) = pinned([task], lock)
    assert isinstance(changed, SummaryTask)
    hub, *others = changed.candidates
    assert hub.loaded is not None and (hub.loaded.id, hub.loaded.revision) == ("owner/model", commit)
    assert others == list(task.candidates[1:])
    assert unpinned([changed]) == []
