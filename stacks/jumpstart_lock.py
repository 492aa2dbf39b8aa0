"""Resolve a JumpStart model once, and pin what was found in `jumpstart.lock.json`.

    python -m stacks.jumpstart_lock --model-id huggingface-text2text-flan-t5-xl --region us-east-1

Reads JumpStart's manifest and the model's specification from its content bucket, with the SageMaker SDK's own
retrieval; needs AWS credentials (any: the bucket is open to every account) and network. Writes the exact version, the
images, scripts, artefacts and default settings (stacks/jumpstart.py). Nothing else here asks JumpStart anything.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from sagemaker.core import hyperparameters, image_uris, instance_types, metric_definitions, model_uris, script_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.jumpstart.constants import TRAINING_ENTRY_POINT_SCRIPT_NAME
from sagemaker.core.jumpstart.utils import verify_model_region_and_return_specs

from stacks.errors import LockError
from stacks.jumpstart import LOCK_FILE, LockedModel, write_lock
from stacks.pipeline.sdk_session import SDK_CONFIG
from stacks.settings import validated

_FORM_OF_FIELD = {"text_inputs": "v1", "inputs": "v2"}
# Hugging Face's server for text generation knows no other form.
_V2_SERVER = "tgi"


def main() -> int:
    arguments = _parser().parse_args()
    model_id, region = arguments.model_id, arguments.region
    try:
        model, isolated = resolve(model_id, arguments.model_version, region, arguments.request_form)
        write_lock(arguments.output, model_id=model_id, region=region, model=model)
    except LockError as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.output}: {model_id} is {model.version} in {region}. Commit the file.")
    if not isolated:
        print(
            "JumpStart itself trains this version with network; the pipeline gives it none. A script that installs "
            "packages when it starts would fail there."
        )
    return 0


def resolve(model_id: str, version: str, region: str, request_form: str | None) -> tuple[LockedModel, bool]:
    """What JumpStart says of the newest version that fits `version` (`*`, `2.*` or an exact one).

    `request_form` (v1 or v2) is how its endpoint is asked, where JumpStart does not say so itself.

    Returns:
        The model, and whether JumpStart trains it in network isolation.

    Raises:
        LockError: there is no such model, it cannot be fine-tuned, or JumpStart cannot be asked; with model and region.
    """
    where = f"{model_id}: {region}"
    with _named_failures(where):
        session = Session(boto_session=boto3.Session(region_name=region), sagemaker_config=SDK_CONFIG)
        specs = verify_model_region_and_return_specs(
            model_id=model_id, version=version, scope="training", region=region, sagemaker_session=session
        )
        if specs.is_gated_model():
            raise LockError(
                f"{where}: version {specs.version} asks for its licence to be accepted, which is not supported"
            )
        # The exact version from here on: a newer one may appear meanwhile.
        exact = {
            "model_id": model_id,
            "model_version": specs.version,
            "region": region,
            "sagemaker_session": session,
        }
        content = {
            "version": specs.version,
            "training": _training(exact),
            "hosting": _hosting(exact),
        }
    content["hosting"]["request_form"] = request_form or _request_form(
        where, (specs.default_payloads or {}).values(), content["hosting"]["image"]
    )
    return validated(LockedModel, content, where, LockError), bool(specs.training_enable_network_isolation)


def _training(exact: dict[str, Any]) -> dict[str, Any]:
    machine = instance_types.retrieve_default(scope="training", **exact)
    metrics = metric_definitions.retrieve_default(instance_type=machine, **exact)
    return {
        "image": image_uris.retrieve(framework=None, image_scope="training", instance_type=machine, **exact),
        "script": script_uris.retrieve(script_scope="training", **exact),
        "artefact": model_uris.retrieve(model_scope="training", instance_type=machine, **exact),
        "entry_point": TRAINING_ENTRY_POINT_SCRIPT_NAME,
        # Without those of the container, such as sagemaker_program: the pipeline sets them.
        "hyperparameters": hyperparameters.retrieve_default(instance_type=machine, **exact),
        "metrics": [{"name": metric["Name"], "regex": metric["Regex"]} for metric in metrics or []],
        "instance_type": machine,
    }


def _hosting(exact: dict[str, Any]) -> dict[str, Any]:
    machine = instance_types.retrieve_default(scope="inference", **exact)
    return {
        "image": image_uris.retrieve(framework=None, image_scope="inference", instance_type=machine, **exact),
        "artefact": model_uris.retrieve(model_scope="inference", instance_type=machine, **exact),
    }


def _request_form(where: str, examples: Iterable[Any], image: str) -> str:
    """The form of JumpStart's own example requests; without any, that of a server that has only one."""
    bodies = [example.body for example in examples if isinstance(example.body, dict)]
    forms = {form for body in bodies for field, form in _FORM_OF_FIELD.items() if field in body}
    if not forms and _V2_SERVER in image:
        forms = {"v2"}
    if len(forms) != 1:
        raise LockError(
            f"{where}: hosting.request_form: JumpStart's examples do not say how its endpoint is asked; "
            "give --request-form v1 (text_inputs) or v2 (inputs)"
        )
    return forms.pop()


@contextmanager
def _named_failures(where: str) -> Iterator[None]:
    """The SDK's errors, and AWS's, as LockErrors."""
    try:
        yield
    except (KeyError, ValueError) as error:
        # KeyError: no such model or version. ValueError: it cannot be trained, is deprecated, or has known weaknesses.
        raise LockError(f"{where}: {error.args[0] if error.args else type(error).__name__}") from error
    except (ClientError, BotoCoreError) as error:
        raise LockError(f"{where}: JumpStart's content cannot be read: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stacks.jumpstart_lock", description="Pin a JumpStart model")
    parser.add_argument("--model-id", required=True, help="such as huggingface-text2text-flan-t5-xl")
    parser.add_argument("--model-version", default="*", help="an exact version, 2.*, or * for the newest")
    parser.add_argument("--region", required=True, help="the stage's region")
    parser.add_argument("--request-form", choices=["v1", "v2"], help="where JumpStart does not say it itself")
    parser.add_argument("--output", type=Path, default=LOCK_FILE, help="default: %(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
