"""An upload becomes a compared, registered and live model; every step with its real code."""

import json
from pathlib import Path

import botocore.exceptions
import pytest

from local.stage import LocalStage, wait_for_endpoint
from tests.end_to_end.conftest import TASK, Pipeline, rows
from tests.end_to_end.reports import pair, write_reports
from training.table_schemas import MODELS, NEWEST, ROUGE_METRICS
from training.word_marks import mark_words

pytestmark = pytest.mark.end_to_end


class RunTables:
    """One run's rows as Athena gives them."""

    def __init__(self, stage: LocalStage, run_id: str) -> None:
        self._stage = stage
        self._run_id = run_id

    def of(self, table: str) -> list[dict[str, str | None]]:
        """Its rows in a table."""
        return rows(self._stage, f"SELECT * FROM {table} WHERE task = '{TASK}' AND run_id = '{self._run_id}'")

    def partition(self, table: str, run_id: str | None = None) -> list[dict[str, str | None]]:
        """Its rows in a table by run, or those of another partition, without the partition's name and in order."""
        query = f"SELECT * FROM {table} WHERE task = '{TASK}' AND run_id = '{run_id or self._run_id}'"
        found = [{name: value for name, value in row.items() if name != "run_id"} for row in rows(self._stage, query)]
        return sorted(found, key=str)


def check_tables_of_the_dashboard(tables: RunTables, row: dict[str, str | None], steps: set[str]) -> None:
    """The tables agree with each other and with the run's row."""
    told = {str(step["step"]): step for step in tables.of("steps")}
    assert told.keys() == steps >= {"Prepare", "FineTune", "Evaluate", "Gate", "Register"}
    assert len(tables.of("steps")) == len(steps)
    assert all(float(str(step["seconds"])) > 0 for name, step in told.items() if name in ("Prepare", "FineTune"))
    assert all(step["seconds"] is not None and step["failure"] is None for step in told.values())
    assert {(step["status"], step["cached"]) for step in told.values()} == {("Succeeded", "false")}
    # No price is known of this stage's machines; what runs on none costs nothing.
    assert {name for name, step in told.items() if step["cost_dollars"] is not None} == {"Gate", "Register"}
    assert row["cost_dollars"] is None

    flow = tables.of("data_flow")
    of_training = [int(str(part["records"])) for part in flow if part["evaluation_set"] is None]
    assert sum(of_training) == int(str(row["uploaded"]))
    assert {(part["outcome"], part["records"]) for part in flow if part["evaluation_set"] == "dev2"} == {
        ("scored", "40")
    }

    sizes = {"train": row["train"], "validation": row["validation"], "dev2": "40"}
    lengths: dict[tuple[str, str], int] = {}
    for part in tables.of("lengths"):
        key = str(part["split"]), str(part["field"])
        lengths[key] = lengths.get(key, 0) + int(str(part["records"]))
        assert part["evaluation_set"] == ("dev2" if part["split"] == "dev2" else None)
    assert lengths == {(split, field): int(str(n)) for split, n in sizes.items() for field in ("input", "target")}

    settings = {str(part["name"]): str(part["value"]) for part in tables.of("parameters")}
    assert settings["data_version"] == settings["DataVersion"] == row["data_version"]
    assert settings["data_fingerprint"] == row["data_fingerprint"]
    assert float(settings["fine_tune.epochs"]) == float(settings["Epochs"]) > 0
    assert "{input}" in settings["fine_tune.prompt_template"] and settings["fine_tune.prompt_template"][0] != '"'
    assert not any("sagemaker" in name for name in settings)

    predictions = tables.partition("predictions")
    assert len(predictions) == 40 * len(MODELS)
    assert all(p["marked"] == mark_words(str(p["reference"]), p["prediction"] or "") for p in predictions)
    assert any("⟦−" in str(p["marked"]) for p in predictions)
    for table in ("predictions", "similar_reports", "training_curve", "steps", "parameters", "data_flow", "lengths"):
        assert tables.partition(table, NEWEST) == tables.partition(table) != []


def _trained_on(stage: LocalStage, run_id: str) -> set[str]:
    """Ids of the records in a run's train split."""
    s3, bucket = stage.aws.client("s3"), stage.names.bucket
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"runs/{TASK}/{run_id}/prepared/train/")["Contents"]
    parts = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed]
    return {json.loads(line)["id"] for part in parts for line in part.splitlines()}


def test_an_upload_becomes_a_live_model(pipeline: Pipeline, tmp_path: Path) -> None:
    stage, known = pipeline.stage, len(pipeline.runs())
    pipeline.upload(write_reports(tmp_path / "dev2.jsonl", range(1000, 1040)), "dev2")
    pipeline.upload(write_reports(tmp_path / "train.jsonl", range(400)))
    view = pipeline.wait(pipeline.next_run(known))
    assert view.status == "Succeeded", view.reason
    assert {loss.kind for loss in view.losses} == {"loss", "eval_loss"}
    row = pipeline.row(view.run_id)
    assert row["status"] == "Succeeded"
    assert json.loads(str(row["evaluated"])) == {"dev2": 40}
    assert int(str(row["train"])) + int(str(row["validation"])) == int(str(row["uploaded"])) == 400

    # The table of scores is the mean of the rows of predictions, for every model and metric.
    scores = pipeline.tables.scores(TASK, view.run_id, ROUGE_METRICS)
    assert set(scores["dev2"]) == set(MODELS)
    columns = {"rouge1": "rouge1", "rouge2": "rouge2", "rougeL": "rouge_l", "rougeLsum": "rouge_lsum"}
    means = ", ".join(f"avg({column}) AS {metric}" for metric, column in columns.items())
    of_predictions = rows(
        stage,
        f"SELECT model, {means} FROM predictions WHERE task = '{TASK}' AND run_id = '{view.run_id}' GROUP BY model",
    )
    assert len(of_predictions) == len(MODELS)
    for mean in of_predictions:
        for metric in ROUGE_METRICS:
            expected = scores["dev2"][str(mean["model"])][metric]
            assert float(str(mean[metric.lower()] if metric.lower() in mean else mean[metric])) == pytest.approx(
                expected
            )
    curve = rows(stage, f"SELECT count(*) AS n FROM training_curve WHERE task = '{TASK}' AND run_id = '{view.run_id}'")
    assert int(str(curve[0]["n"])) >= 2
    check_tables_of_the_dashboard(RunTables(stage, view.run_id), row, {step.name for step in view.steps})

    # Nobody approved the package, so nothing is live; approval makes it so.
    package = str(row["model_package"])
    described = pipeline.sagemaker.describe_model_package(ModelPackageName=package)
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert pipeline.sagemaker.list_endpoints(NameContains=pipeline.name)["Endpoints"] == []
    pipeline.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    wait_for_endpoint(pipeline.sagemaker, pipeline.name, package)
    answer = stage.ask_endpoint(TASK, str(pair(5000)["findings"]), explain=True)
    assert isinstance(answer["generated_text"], str)
    assert {report["id"] for report in answer["similar"]} <= _trained_on(stage, view.run_id) and answer["similar"]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "said"),
    [
        ("text/plain", b"hello", 415, "application/json"),
        ("application/json", b"{not json", 400, "JSON"),
        ("application/json", b'{"text": "a"}', 400, "inputs"),
        ("application/json", b'{"inputs": ""}', 400, "empty"),
        (
            "application/json",
            json.dumps({"inputs": "word " * 5000, "parameters": {"long_inputs": "refuse"}}).encode(),
            400,
            "tokens",
        ),
        ("application/json", b'{"inputs": "a", "parameters": {"num_beams": 1000}}', 400, "num_beams"),
        ("application/json", b'{"inputs": "a", "parameters": {"beams": 2}}', 400, "beams"),
        ("application/json", b'{"inputs": "a", "parameters": {"explain": "text"}}', 403, "serving.similar_text"),
    ],
)
def test_the_live_endpoint_refuses_what_it_cannot_do_and_lives_on(
    pipeline_of_stage: Pipeline, content_type: str, body: bytes, status: int, said: str
) -> None:
    runtime = pipeline_of_stage.stage.aws.client("sagemaker-runtime")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        runtime.invoke_endpoint(EndpointName=pipeline_of_stage.name, ContentType=content_type, Body=body)
    assert caught.value.response["OriginalStatusCode"] == status
    assert said in caught.value.response["OriginalMessage"]
    answer = runtime.invoke_endpoint(
        EndpointName=pipeline_of_stage.name,
        ContentType="application/json",
        Body=json.dumps({"inputs": ["The lungs are clear.", "A large effusion."]}).encode(),
    )
    assert [set(item) for item in json.loads(answer["Body"].read())] == [{"generated_text"}, {"generated_text"}]


def test_the_pretrained_model_is_served_for_comparison(pipeline_of_stage: Pipeline) -> None:
    sagemaker, name = pipeline_of_stage.sagemaker, f"{pipeline_of_stage.name}-pretrained"
    # It is made beside the live one, and may come into service after it.
    wait_for_endpoint(sagemaker, name, None)
    answer = pipeline_of_stage.stage.aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType="application/json", Body=b'{"inputs": "The lungs are clear."}'
    )
    assert len(json.loads(answer["Body"].read())) == 1
