"""An invented JumpStart: a manifest and specifications in a content bucket, as AWS publishes them.

Two generations of one model, with what differed between AWS's own: names of settings, request form, and whether the
pre-trained model is an archive or a prefix. Everything in them is made up; only names of fields are AWS's.
"""

import json
from typing import Any

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
