"""An uploads folder to fill, and Prepare to run on it, for the tests of Prepare. All texts are invented."""

import json
import tarfile
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from training.prepare import Arguments, main


def pair(number: int, **more: object) -> dict[str, object]:
    """A record unlike any other number's."""
    return {"findings": f"Lungs clear in view {number}.", "impression": f"Nothing acute, study {number}."} | more


def json_lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def zip_of(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def tgz_of(members: dict[str, bytes]) -> bytes:
    content = BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, BytesIO(data))
    return content.getvalue()


def mimic_report(number: int) -> bytes:
    return (
        "                                 FINAL REPORT\n INDICATION:  Cough.\n \n FINDINGS: \n \n"
        f" Lungs are clear in study\n {number}.\n \n IMPRESSION: \n \n Nothing acute in study {number}.\n"
    ).encode()


def openi_report(number: int, heading: str = "normal") -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><eCitation><MedlineCitation><Article><Abstract>'
        f'<AbstractText Label="FINDINGS">Heart size is normal &amp; study {number} is XXXX.</AbstractText>'
        f'<AbstractText Label="IMPRESSION">No acute disease {number}.</AbstractText>'
        f"</Abstract></Article></MedlineCitation><MeSH><major>{heading}</major></MeSH></eCitation>"
    ).encode()


@dataclass
class Workplace:
    """`uploads` and the outputs of the runs on it, each in a folder of its own."""

    folder: Path
    runs: int = 0
    output: Path = field(default_factory=Path)

    @property
    def uploads(self) -> Path:
        return self.folder / "uploads"

    def upload(self, name: str, content: bytes) -> None:
        path = self.uploads / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def prepare(self, **more: Any) -> dict[str, Any]:
        """Run Prepare and return its report."""
        self.runs += 1
        self.output = self.folder / f"output-{self.runs}"
        fields = {"input_field": "findings", "target_field": "impression"}
        main(Arguments(self.uploads, self.output, **(fields | more)))
        return self.report()

    def report(self) -> dict[str, Any]:
        return dict(json.loads((self.output / "report" / "report.json").read_text(encoding="utf-8")))

    def rows(self, part: str) -> list[dict[str, Any]]:
        """All rows of train, validation, quarantine or eval/<set>."""
        files = sorted((self.output / part).glob("part-*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]

    def every_training_row(self) -> list[dict[str, Any]]:
        return self.rows("train") + self.rows("validation") + self.rows("eval/holdout")
