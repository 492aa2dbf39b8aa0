"""A task that is nothing but a file in a folder of its own: its uploads become a compared, approved and live model.

The folder is all that the stage has, as with `make demo TASKS=examples/ct_impressions`.
"""

import base64
import gzip
import io
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from local.dashboard.local_stage import write_dashboard_file
from local.demo import go_live, newest_package
from local.demos import demo_of
from local.errors import RunError
from local.invented.ct_reports import invented_ct_reports, write_reports
from local.stage import LocalStage
from stacks.config import REPOSITORY
from tests.end_to_end.conftest import Pipeline, rows
from training.table_schemas import ABNORMAL, MODELS

pytestmark = pytest.mark.end_to_end

TASK = "ct_impressions"
EXAMPLE = REPOSITORY / "examples" / TASK / f"{TASK}.yaml"


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example; everything that is not about size is as shipped."""
    task = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    local = task["stages"]["local"]
    local["model"]["denoise_seconds"] = 2.0
    local["training"] |= {"epochs": 1.0, "max_seconds": 5}
    # A model of so few seconds does not beat the consensus, and the gate would rightly stop the run.
    local["generation"] = {"method": "consensus", "max_new_tokens": 64, "batch_size": 64}
    folder = tmp_path_factory.mktemp("tasks")
    (folder / EXAMPLE.name).write_text(yaml.safe_dump(task), encoding="utf-8")
    return folder


def test_the_example_of_the_documentation(own_stage: LocalStage, tasks: Path, tmp_path: Path) -> None:
    assert list(own_stage.names.pipelines) == [TASK]
    pipeline = Pipeline(own_stage, TASK)
    with pytest.raises(RunError, match="no model of ct_impressions is registered"):
        newest_package(own_stage, TASK)
    for name, evaluation_set, count, seed in (("dev1.jsonl", "dev1", 30, 2), ("train.jsonl", None, 200, 1)):
        write_reports(tmp_path / name, invented_ct_reports(count, seed))
        pipeline.upload(tmp_path / name, evaluation_set)
    run = pipeline.wait(pipeline.next_run(0))
    assert run.status == "Succeeded", [(step.name, step.reason) for step in run.steps if step.reason]
    row = pipeline.row(run.run_id)
    assert (row["uploaded"], row["quarantined"], row["evaluated"]) == ("200", "0", '{"dev1": 30}')
    assert row["gate_passed"] == "true", row["gate_reasons"]

    demo = demo_of(TASK, tasks)
    printed = io.StringIO()
    console = Console(file=printed, width=2000)
    shown = demo.show_scores(console, own_stage, run.run_id)
    assert set(shown["scores"]["dev1"]) == set(MODELS)
    assert "dev1: fine-tuning changed ROUGE-L from" in printed.getvalue()

    go_live(console, own_stage, TASK, newest_package(own_stage, TASK))
    answer = demo.use(console, own_stage, run.run_id, tmp_path, own_data=True)["answer"]
    (asked,) = rows(
        own_stage,
        f"SELECT DISTINCT slice, reference FROM predictions WHERE task = '{TASK}' AND run_id = '{run.run_id}' "
        f"AND input = '{answer['input']}'",
    )
    assert asked["slice"] == ABNORMAL
    assert answer["output"] and str(asked["reference"]) in printed.getvalue()
    page = write_dashboard_file(own_stage, tmp_path / "dashboard.html", demo.kind).read_text(encoding="utf-8")
    packed = page.partition('id="document">')[2].partition("<")[0]
    assert f'"{TASK}"' in gzip.decompress(base64.b64decode(packed)).decode()
