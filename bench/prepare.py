"""How long Prepare takes, and how much memory, for a zip as large as MIMIC-CXR.

    python3 -m bench.prepare [--reports 227000] [--seed 1]

Writes invented reports in MIMIC-CXR's layout (`files/p10/p10000032/s50414267.txt`) into a zip in a temporary folder,
runs `training.prepare` on it as a process of its own, and prints seconds, processor time, records a second, peak
resident memory and the counts. The reports have the shape of the real ones: about 1 KB, wrapped lines, one in three
without findings, repeated normal texts, several reports a patient.
"""

import argparse
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

PLACES = ("left lower lobe", "right upper lobe", "lingula", "right base", "left apex", "retrocardiac region")
SIGNS = ("opacity", "nodule", "patchy consolidation", "linear atelectasis", "interstitial thickening", "small effusion")
SIZES = ("mild", "moderate", "small", "subtle", "confluent", "band-like")
NORMAL_SENTENCES = (
    "The lungs are well expanded and clear.",
    "The cardiomediastinal silhouette is within normal limits.",
    "There is no pleural effusion or pneumothorax.",
    "No acute osseous abnormality is seen.",
    "The hila are unremarkable.",
    "Heart size is normal and the aorta is not enlarged.",
    "Pulmonary vasculature is not engorged.",
)
NORMAL_SHARE, WITHOUT_FINDINGS_SHARE, REPORTS_A_PATIENT = 0.35, 0.33, 3.5


def report(chance: random.Random) -> str:
    """One invented report."""
    texts = chance.sample(NORMAL_SENTENCES, chance.randint(3, 6))
    impression = "No acute cardiopulmonary process."
    if chance.random() >= NORMAL_SHARE:
        signs = [
            f"{chance.choice(SIZES)} {chance.choice(SIGNS)} in the {chance.choice(PLACES)}, {chance.randint(3, 60)} mm"
            for _ in range(chance.randint(1, 4))
        ]
        texts += [f"There is a {sign}, more conspicuous than on ___." for sign in signs]
        impression = "\n ".join(f"{n}. {sign.capitalize()}." for n, sign in enumerate(signs, start=1))
    sections = [
        "EXAMINATION:  CHEST (PA AND LAT)",
        f"INDICATION:  ___ year old with {chance.choice(('cough', 'fever', 'dyspnea', 'chest pain'))}  // infection?",
        "TECHNIQUE:  Chest PA and lateral",
        f"COMPARISON:  {chance.choice(('None.', 'Radiograph of ___.', 'CT of ___.'))}",
    ]
    if chance.random() >= WITHOUT_FINDINGS_SHARE:
        sections.append("FINDINGS: \n \n " + _wrapped(" ".join(texts)))
    sections.append(f"IMPRESSION: \n \n {impression}")
    return f"{'FINAL REPORT':>45}\n " + "\n \n ".join(sections) + "\n"


def write_zip(path: Path, reports: int, seed: int) -> None:
    """A zip of `reports` reports; the same bytes for the same seed, but for times."""
    chance = random.Random(seed)
    patient = 10_000_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for number in range(reports):
            if chance.random() < 1 / REPORTS_A_PATIENT:
                patient += chance.randint(1, 300)
            folder = f"files/p{str(patient)[:2]}/p{patient}"
            archive.writestr(f"{folder}/s{50_000_000 + number}.txt", report(chance))


def _wrapped(text: str, width: int = 80) -> str:
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "\n ".join([*lines, line])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=227_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-prepare-") as folder:
        uploads = Path(folder) / "uploads"
        (uploads / "train").mkdir(parents=True)
        archive = uploads / "train" / "reports.zip"
        # In a process of its own, since a child's peak memory begins at what its parent had when it was started.
        writer = multiprocessing.get_context("spawn").Process(
            target=write_zip, args=(archive, arguments.reports, arguments.seed)
        )
        writer.start()
        writer.join()
        if writer.exitcode != 0:
            raise SystemExit("the zip could not be written")
        output = Path(folder) / "output"
        started = time.perf_counter()
        command = [
            sys.executable, "-m", "training.prepare", "--uploads", str(uploads), "--output", str(output),
            "--input-field", "findings", "--target-field", "impression",
        ]  # fmt: skip
        job = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(job.pid, 0)
        if status != 0:
            raise SystemExit(f"training.prepare failed with status {os.waitstatus_to_exitcode(status)}")
        seconds = time.perf_counter() - started
        counts = json.loads((output / "report" / "report.json").read_text(encoding="utf-8"))["counts"]
        print(
            f"{arguments.reports} reports, zip of {archive.stat().st_size / 1024**2:.0f} MiB: {seconds:.1f} s "
            f"({used.ru_utime + used.ru_stime:.1f} s of processor time), {arguments.reports / seconds:.0f} records/s, "
            f"peak memory {used.ru_maxrss / 1024:.0f} MiB\n{json.dumps(counts)}"
        )


if __name__ == "__main__":
    main()
