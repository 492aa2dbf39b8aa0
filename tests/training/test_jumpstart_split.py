"""The train split that JumpStart's script reads, and that everything of ours goes on reading."""

import json

import pytest

from tests.training.prepared_uploads import Workplace, json_lines, pair
from training.errors import ArgumentError
from training.floors import Floors
from training.splits import read_split

PROMPT = "Write the impression.\n\nFindings: {input}\n\nImpression:"


@pytest.fixture
def place(tmp_path):
    place = Workplace(tmp_path)
    place.upload("train/a.jsonl", json_lines([pair(n, patient=f"p{n}", normal=n % 2 == 0) for n in range(60)]))
    return place


def test_the_template_lies_beside_the_part_files_and_names_their_fields(place):
    place.prepare(jumpstart_prompt=PROMPT)
    train = place.output / "train"
    assert sorted(path.name for path in train.iterdir()) == ["part-00000.jsonl", "template.json"]
    template = json.loads((train / "template.json").read_text())
    assert template == {"prompt": PROMPT, "completion": "{target}"}
    rows = place.rows("train")
    assert all(set(row) == {"id", "input", "target"} for row in rows)
    # As the script fills them in.
    row = rows[0]
    assert template["prompt"].format(**row) == PROMPT.replace("{input}", row["input"])
    assert template["completion"].format(**row) == row["target"]


def test_the_records_are_those_of_any_other_task(place):
    place.prepare()
    without = place.output
    place.prepare(jumpstart_prompt=PROMPT)
    assert not (without / "train" / "template.json").exists()
    assert list(read_split(without / "train")) == list(read_split(place.output / "train"))
    assert len(Floors.learn(place.output / "train").predictions([], [])) == 4
    # Only the train split is JumpStart's.
    assert all(row["patient"] for row in place.rows("validation") + place.rows("eval/holdout"))


@pytest.mark.parametrize(
    "prompt", ["no place", "{input} and {patient}", '{{"text": {input}}}', "{input} }", "{input}{input}"]
)
def test_a_prompt_that_the_script_would_read_otherwise_is_refused(place, prompt):
    with pytest.raises(ArgumentError, match="prompt_template"):
        place.prepare(jumpstart_prompt=prompt)
