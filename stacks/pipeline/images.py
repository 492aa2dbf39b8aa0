"""The container images that jobs and endpoints run in: AWS's own Hugging Face images, at pinned versions."""

from sagemaker.core import image_uris

TRAINING_TRANSFORMERS, TRAINING_PYTORCH = "5.3.0", "pytorch2.9.0"
INFERENCE_TRANSFORMERS, INFERENCE_PYTORCH = "5.5.3", "pytorch2.6.0"


def training_image(region: str) -> str:
    """Image of every job. There is no build of it without CUDA; the one there is runs on CPU instances as well."""
    return _image(region, TRAINING_TRANSFORMERS, TRAINING_PYTORCH, "training", "ml.g5.2xlarge")


def inference_image(region: str, instance_type: str) -> str:
    """Image of an endpoint on `instance_type` (the build for GPUs or the one for CPUs)."""
    return _image(region, INFERENCE_TRANSFORMERS, INFERENCE_PYTORCH, "inference", instance_type)


def _image(region: str, version: str, base: str, scope: str, instance_type: str) -> str:
    # Answers from data that the SDK carries: no network.
    return str(
        image_uris.retrieve(
            "huggingface",
            region=region,
            version=version,
            base_framework_version=base,
            image_scope=scope,
            instance_type=instance_type,
        )
    )
