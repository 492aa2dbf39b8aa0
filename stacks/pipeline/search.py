"""Tune: a search over the hyperparameters of a fine-tuning, as a SageMaker tuning job.

Its jobs are those of the step FineTune with other hyperparameters. Steps after it take the best job's own model
(`Searched.best`), or train once more with what that job was given (`Searched.hyperparameters`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter
from sagemaker.core.workflow.functions import Join
from sagemaker.mlops.workflow.steps import TuningStep
from sagemaker.train.tuner import HyperparameterTuner

from stacks.config.search import MOST_CHOICES, Search
from stacks.errors import ConfigurationError
from stacks.pipeline.authoring import CACHE, CODE_CHANNEL, RETRIES, FineTuned, PipelineAuthor, source_uri
from stacks.pipeline.own_training import CHECKPOINTS
from stacks.pipeline.placeholders import PLACEHOLDERS

STEP = "Tune"
# The metric that the search maximises; training/fine_tune_classifier.py prints the best model's last.
OBJECTIVE = "f1"
# The hyperparameters that are searched.
TUNED = ("learning_rate", "max_seq_length", "train_batch_size", "model_name")


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What a search gives the steps after it.

    `best` is the best job as if it were the only one that trained; `hyperparameters` are those that it was given, by
    name (TUNED), as texts that are known when the pipeline runs.
    """

    best: FineTuned
    hyperparameters: dict[str, Any]


def search(
    author: PipelineAuthor,
    settings: Search,
    *,
    program: str,
    hyperparameters: dict[str, Any],
    channels: dict[str, Any],
    models: Sequence[str],
) -> Searched:
    """The step Tune: jobs that train by `program` of the code archive.

    `hyperparameters` are the same for every job, `models` the values of model_name. Checkpoints stay in the job: a
    training of a search is tried, not resumed.

    Raises:
        ConfigurationError: the task has no metric f1, or `models` are not different names, 1 to 30 of them.
    """
    metrics = [{"Name": metric.name, "Regex": metric.regex} for metric in author.task.metrics]
    if OBJECTIVE not in [metric["Name"] for metric in metrics]:
        raise ConfigurationError(f"{author.task.name}.yaml: metrics must hold {OBJECTIVE}: the search goes by it")
    if not 1 <= len(models) <= MOST_CHOICES or len(set(models)) != len(models):
        raise ConfigurationError(
            f"{author.task.name}.yaml: a search needs 1 to {MOST_CHOICES} different models, got {list(models)}"
        )
    low, high = settings.learning_rate
    tuner = HyperparameterTuner(
        author.trainer(
            program=program,
            archive=PLACEHOLDERS.source_file,
            hyperparameters={**hyperparameters, "checkpoints": CHECKPOINTS},
        ),
        OBJECTIVE,
        {
            "learning_rate": ContinuousParameter(low, high, "Logarithmic"),
            "max_seq_length": CategoricalParameter(list(settings.max_seq_length)),
            "train_batch_size": CategoricalParameter(list(settings.train_batch_size)),
            "model_name": CategoricalParameter(list(models)),
        },
        metric_definitions=metrics,
        strategy="Bayesian",
        objective_type="Maximize",
        max_jobs=settings.jobs,
        max_parallel_jobs=settings.parallel_jobs,
        early_stopping_type="Auto",
        random_seed=settings.seed,
    )
    arguments = tuner.tune(inputs={**channels, CODE_CHANNEL: source_uri()}, wait=False)
    return _searched(_SealedTuningStep(STEP, step_args=arguments, cache_config=CACHE, retry_policies=RETRIES))


class _SealedTuningStep(TuningStep):
    """SDK 3.27's tuner leaves out what its trainer says about the network and the disk's key."""

    @property
    def arguments(self) -> dict[str, Any]:
        request: dict[str, Any] = super().arguments
        trainer = self.step_args.func_args[0].model_trainer
        job = request["TrainingJobDefinition"]
        job["EnableNetworkIsolation"] = trainer.networking.enable_network_isolation
        job["EnableInterContainerTrafficEncryption"] = trainer.networking.enable_inter_container_traffic_encryption
        if trainer.compute.volume_kms_key_id is not None:
            job["ResourceConfig"]["VolumeKmsKeyId"] = trainer.compute.volume_kms_key_id
        return request


def _searched(step: TuningStep) -> Searched:
    job = step.properties.BestTrainingJob
    # As the job itself says: a search that was taken from the cache wrote into an earlier run's folder.
    root = step.properties.TrainingJobDefinition.OutputDataConfig.S3OutputPath

    def left(archive: str) -> Join:
        return Join(on="/", values=[root, job.TrainingJobName, f"output/{archive}"])

    return Searched(
        best=FineTuned(steps=[step], model=left("model.tar.gz"), output=left("output.tar.gz")),
        hyperparameters={name: job.TunedHyperParameters[name] for name in TUNED},
    )
