"""The dashboard's questions to the local Athena: what comes back has the columns' types and the texts' every letter."""

import pytest

from local.aws import LocalAws
from local.dashboard.answers import Asker
from local.dashboard.document import Column, DataSet, QueryParameter
from local.dashboard.source import DeployedDataSet
from tests.local.aws_helpers import bucket, unique

COLUMNS = (
    Column("text", "STRING"),
    Column("step", "INTEGER"),
    Column("loss", "DECIMAL"),
    Column("at", "DATETIME"),
    Column("good", "BOOLEAN"),
)
EVERYTHING = DeployedDataSet(
    "everything",
    "WITH given AS (SELECT <<$text>> AS text)\n"
    "SELECT text, 3 AS step, 0.1 AS loss, TIMESTAMP '2026-03-02 08:15:00.250' AS at, true AS good FROM given\n"
    "UNION ALL SELECT '', CAST(NULL AS bigint), CAST(NULL AS double), CAST(NULL AS timestamp), CAST(NULL AS boolean)",
    DataSet("Everything", "direct", COLUMNS, (QueryParameter("text", ""),)),
)


@pytest.fixture
def asker(aws: LocalAws) -> Asker:
    name = unique("workgroup")
    place = {"OutputLocation": f"s3://{bucket(aws)}/athena-results/"}
    aws.client("athena").create_work_group(Name=name, Configuration={"ResultConfiguration": place})
    return Asker(aws.client("athena"), "default", name)


@pytest.mark.parametrize("text", ["it's '; SELECT 1 --", "<<$text>> ⟦−a⟧ ⟦+b⟧", "ריאות 🩻\nsecond line", "x" * 2000])
def test_an_answer_has_types_and_every_letter(asker: Asker, text: str) -> None:
    answer = asker.answer(EVERYTHING, {"text": text})
    assert [list(column) for column in answer.values] == [
        [text, ""],
        [3, None],
        [0.1, None],
        [1772439300250, None],
        [True, None],
    ]
