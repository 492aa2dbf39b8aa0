"""The rule packs "AWS Solutions" and "HIPAA Security" over the production stage.

What they find is either mended or stands in docs/security.md with its reason; this test reads it there.
"""

import json
import re
from pathlib import Path

import pytest
from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NagPack

from app import build_app
from tests.stacks.conftest import REPOSITORY


def accepted() -> set[str]:
    """Rules that docs/security.md accepts: the first column of its table."""
    text = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `((?:AwsSolutions|HIPAA\.Security)-\w+)` \|", text, flags=re.MULTILINE))


def found(folder: Path) -> dict[str, set[str]]:
    """Rule -> where it is broken."""
    context = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"] | {"stage": "prod"}
    app = App(context=context, outdir=str(folder))
    build_app(app)
    return broken_rules(app, folder, AwsSolutionsChecks(app), HIPAASecurityChecks(app))


def broken_rules(app: App, folder: Path, *packs: NagPack) -> dict[str, set[str]]:
    """Rule -> where an app that is synthesised into `folder` breaks it."""
    Validations.of(app).add_plugins(*packs)
    # Ends with an error wherever a pack found anything; the report is written before.
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    report = json.loads((folder / "validation-report.json").read_text(encoding="utf-8"))
    broken: dict[str, set[str]] = {}
    for pack in report["pluginReports"]:
        for violation in pack["violations"]:
            # A rule about wildcards adds which one it found.
            places = broken.setdefault(violation["ruleName"].partition("[")[0], set())
            places.update(construct["constructPath"] for construct in violation["violatingConstructs"])
    return broken


def test_what_the_packs_find_is_accepted_with_a_reason_and_nothing_is_accepted_in_vain(tmp_path: Path) -> None:
    broken = found(tmp_path)
    assert {rule: broken[rule] for rule in broken.keys() - accepted()} == {}
    assert accepted() - broken.keys() == set()
