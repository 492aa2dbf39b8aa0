"""An invented JumpStart: a manifest and specifications in a content bucket, as AWS publishes them.

Two generations of one model, with what differed between AWS's own: names of settings, request form, and whether the
pre-trained model is an archive or a prefix. Everything in them is made up; only names of fields are AWS's.
"""

import json
from pathlib import Path
from typing import Any

import yaml

REGION = "us-east-1"
# AWS's own name for it: the SDK looks nowhere else.
BUCKET = f"jumpstart-cache-prod-{REGION}"
MODEL_ID = "huggingface-text2text-invented"
OLD, NEW = "1.2.1", "2.0.3"

_REGISTRY = f"763104351884.dkr.ecr.{REGION}.amazonaws.com"
TRAINING_IMAGE = f"{_REGISTRY}/huggingface-pytorch-training:2.0.0-transformers4.28.1-gpu-py310-cu118-ubuntu20.04"
HOSTING_IMAGE = f"{_REGISTRY}/huggingface-pytorch-inference:1.10.2-transformers4.17.0-gpu-py38-cu113-ubuntu20.04"
TGI_IMAGE = f"{_REGISTRY}/huggingface-pytorch-tgi-inference:2.1.1-tgi1.4.0-gpu-py310-cu121-ubuntu20.04"

SCRIPT_KEY = "source-directory-tarballs/huggingface/transfer_learning/text2text/prepack/v1.0.0/sourcedir.tar.gz"
TRAINING_KEY = "huggingface-training/train-huggingface-text2text-invented.tar.gz"
HOSTING_KEY = "huggingface-infer/prepack/v1.0.0/infer-prepack-huggingface-text2text-invented.tar.gz"
HOSTING_PREFIX = "huggingface-text2text/invented/artifacts/inference-prepack/v1.0.0/"

_OLD_DEFAULTS: dict[str, Any] = {
    "epochs": 1,
    "seed": 42,
    "batch_size": 64,
    "learning_rate": 0.0001,
    "validation_split_ratio": 0.05,
    "train_data_split_seed": 0,
}
_NEW_DEFAULTS: dict[str, Any] = {
    "instruction_tuned": "False",
    "epoch": 1,
    "seed": 10,
    "per_device_train_batch_size": 2,
    "learning_rate": 0.0001,
    "max_input_length": -1,
    "validation_split_ratio": 0.2,
    "train_data_split_seed": 0,
}


def specification(version: str, **changed: Any) -> dict[str, Any]:
    """The specification of the model's version OLD or NEW, with fields changed; None takes a field away."""
    old = version == OLD
    content: dict[str, Any] = {
        "model_id": MODEL_ID,
        "url": "https://example.com/invented",
        "version": version,
        "min_sdk_version": "2.144.0",
        "training_supported": True,
        "incremental_training_supported": True,
        "hosting_artifact_key": f"unpacked/{HOSTING_KEY}",
        "hosting_prepacked_artifact_key": HOSTING_KEY if old else HOSTING_PREFIX,
        "hosting_script_key": "source-directory-tarballs/huggingface/inference/text2text/v1.0.0/sourcedir.tar.gz",
        "training_artifact_key": TRAINING_KEY,
        "training_script_key": f"unpacked/{SCRIPT_KEY}",
        "training_prepacked_script_key": SCRIPT_KEY,
        "hyperparameters": [
            *(
                {"name": name, "type": "text", "default": value, "scope": "algorithm"}
                for name, value in (_OLD_DEFAULTS if old else _NEW_DEFAULTS).items()
            ),
            {"name": "sagemaker_program", "type": "text", "default": "transfer_learning.py", "scope": "container"},
        ],
        "metrics": [{"Name": "huggingface-text2text:eval-loss", "Regex": "'eval_loss': ([0-9\\.]+)"}],
        "default_training_instance_type": "ml.p3.16xlarge" if old else "ml.g5.12xlarge",
        "supported_training_instance_types": ["ml.p3.16xlarge", "ml.g5.12xlarge"],
        "default_inference_instance_type": "ml.g5.2xlarge",
        "supported_inference_instance_types": ["ml.g5.2xlarge"],
        "training_enable_network_isolation": not old,
        "training_instance_type_variants": _variants(TRAINING_IMAGE),
        "hosting_instance_type_variants": _variants(HOSTING_IMAGE if old else TGI_IMAGE),
        "default_payloads": {
            "summary": {
                "content_type": "application/json",
                "body": {"text_inputs": "An invented text.", "max_length": 50}
                if old
                else {"inputs": "An invented text.", "parameters": {"max_new_tokens": 50}},
            }
        },
    }
    return {name: value for name, value in {**content, **changed}.items() if value is not None}


def locked(version: str) -> dict[str, Any]:
    """What the lock file says of the model's version OLD or NEW."""
    old = version == OLD
    return {
        "version": version,
        "training": {
            "image": TRAINING_IMAGE,
            "script": f"s3://{BUCKET}/{SCRIPT_KEY}",
            "artefact": f"s3://{BUCKET}/{TRAINING_KEY}",
            "entry_point": "transfer_learning.py",
            "hyperparameters": {name: str(value) for name, value in (_OLD_DEFAULTS if old else _NEW_DEFAULTS).items()},
            "metrics": [{"name": "huggingface-text2text:eval-loss", "regex": "'eval_loss': ([0-9\\.]+)"}],
            "instance_type": "ml.p3.16xlarge" if old else "ml.g5.12xlarge",
        },
        "hosting": {
            "image": HOSTING_IMAGE if old else TGI_IMAGE,
            "artefact": f"s3://{BUCKET}/{HOSTING_KEY if old else HOSTING_PREFIX}",
            "request_form": "v1" if old else "v2",
        },
    }


def write_lock_file(folder: Path, version: str) -> Path:
    """A lock file that holds the model, as the command writes it."""
    file = folder / "jumpstart.lock.json"
    file.write_text(json.dumps({MODEL_ID: {REGION: locked(version)}}), encoding="utf-8")
    return file


def write_task(template: Path, folder: Path, **training: Any) -> Path:
    """A task file like `template`, without its stages, that is fine-tuned from the model by JumpStart's script."""
    content = yaml.safe_load(template.read_text(encoding="utf-8"))
    content.pop("stages", None)
    content["model"] = {"source": "jumpstart", "id": MODEL_ID}
    names = ("epochs", "learning_rate", "train_batch_size", "max_input_tokens", "seed")
    # One endpoint is enough.
    content["serving"].pop("pretrained")
    content["training"] = {**{name: content["training"][name] for name in names}, **training}
    folder.mkdir(exist_ok=True)
    file = folder / template.name
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


def publish(s3: Any, *specifications: dict[str, Any]) -> None:
    """Put the manifest and the specifications into the content bucket, which must be there."""
    manifest = []
    for content in specifications:
        key = f"community_models/{content['model_id']}/specs_v{content['version']}.json"
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(content).encode())
        names = ("model_id", "version")
        manifest.append({**{name: content[name] for name in names}, "min_version": "2.144.0", "spec_key": key})
    s3.put_object(Bucket=BUCKET, Key="models_manifest.json", Body=json.dumps(manifest).encode())


def _variants(image: str) -> dict[str, Any]:
    properties = {"regional_properties": {"image_uri": "$gpu_image"}}
    return {"regional_aliases": {REGION: {"gpu_image": image}}, "variants": {"p3": properties, "g5": properties}}
