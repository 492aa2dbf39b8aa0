"""The SageMaker Pipeline of one task: its roles, its model package group, its definition."""

import tempfile
from pathlib import Path, PurePosixPath

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.config import Stage, SummaryTask, Task
from stacks.config.candidates import Custom
from stacks.job_access import job_access
from stacks.job_role import JobRole
from stacks.jumpstart import LockedModel
from stacks.pipeline import pipeline_definition
from stacks.pipeline.placeholders import Environment
from stacks.pipeline.source_archive import write_handler_archive

# SageMaker names a pipeline's tuning jobs <execution id, 12 characters>-<step>-<random>, without the prefix of others.
TUNING_JOBS = f"hyper-parameter-tuning-job/{'?' * 12}-*"


class TaskPipeline(Construct):
    """Prepare, fine-tune, answer, evaluate and register one task's model."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        task: Task,
        stage: Stage,
        bucket: s3.IBucket,
        key: kms.IKey,
        source: s3_assets.Asset,
        jumpstart: LockedModel | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._bucket = bucket
        self._key = key
        self._runs = f"runs/{task.name}/*"
        self._source = source
        self.name = stage.name_for(task)
        group = sagemaker.CfnModelPackageGroup(
            self,
            "Models",
            model_package_group_name=self.name,
            model_package_group_description=f"{task.title}: models that passed the gate",
        )
        roles = self._job_roles(task, jumpstart)
        pipeline_role = self._pipeline_role(task, group, list(roles.values()))
        environment = Environment(
            bucket=bucket.bucket_name,
            key_arn=key.key_arn,
            source_bucket=source.s3_bucket_name,
            source_key=source.s3_object_key,
            source_file=PurePosixPath(source.s3_object_key).name,
            roles={name: role.role_arn for name, role in {"pipeline": pipeline_role, **roles}.items()},
            handlers=self._handlers(task, roles),
        )
        stack = Stack.of(self)
        pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self.name,
            pipeline_display_name=self.name,
            pipeline_description=task.description,
            pipeline_definition={
                "PipelineDefinitionBody": stack.to_json_string(pipeline_definition(task, stage, environment, jumpstart))
            },
            role_arn=pipeline_role.role_arn,
        )
        pipeline.add_resource_dependency(group)
        # A run that starts at once must find its rights: the pipeline exists only after every policy does.
        for role in (pipeline_role, *roles.values()):
            pipeline.node.add_dependency(role)
        self.arn = f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}:pipeline/{self.name}"

    def _job_roles(self, task: Task, jumpstart: LockedModel | None) -> dict[str, JobRole]:
        roles = {}
        for name, rights in job_access(task, jumpstart).items():
            roles[name] = JobRole(
                self,
                "".join(part.title() for part in name.split("_")) + "Role",
                description=f"{task.title}: {name.replace('_', ' ')} jobs",
                bucket=self._bucket,
                key=self._key,
                access=rights,
            )
            self._source.grant_read(roles[name])
        return roles

    def _handlers(self, task: Task, roles: dict[str, JobRole]) -> dict[str, str]:
        """Candidate -> S3 URI of its handler, for those that have one."""
        uris = {}
        for candidate in task.candidates if isinstance(task, SummaryTask) else ():
            if not isinstance(candidate, Custom) or candidate.handler is None:
                continue
            with tempfile.TemporaryDirectory() as folder:
                archive = write_handler_archive(task.folder / candidate.handler, Path(folder) / "handler.tar.gz")
                asset = s3_assets.Asset(self, f"{candidate.construct_id}Handler", path=str(archive))
            asset.grant_read(roles[candidate.job])
            uris[candidate.name] = asset.s3_object_url
        return uris

    def _pipeline_role(self, task: Task, group: sagemaker.CfnModelPackageGroup, roles: list[JobRole]) -> iam.Role:
        stack = Stack.of(self)
        role = iam.Role(
            self,
            "PipelineRole",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description="Starts the pipeline's jobs and registers its model",
        )

        def arn(resource: str) -> str:
            return f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}:{resource}"

        def allow(actions: list[str], resources: list[str], **conditions: dict[str, str]) -> None:
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions or None))

        # SageMaker names a pipeline's jobs pipelines-<execution id>-<step>-<random>.
        jobs = [arn(f"{kind}/pipelines-*") for kind in ("processing-job", "training-job")]
        allow(
            [
                f"sagemaker:{verb}{kind}Job"
                for kind in ("Processing", "Training")
                for verb in ("Create", "Describe", "Stop")
            ]
            + ["sagemaker:AddTags"],
            jobs,
        )
        allow(
            [
                *(f"sagemaker:{verb}HyperParameterTuningJob" for verb in ("Create", "Describe", "Stop")),
                "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
                "sagemaker:AddTags",
            ],
            [arn(TUNING_JOBS)],
        )
        allow(
            ["iam:PassRole"],
            [job_role.role_arn for job_role in roles],
            StringEquals={"iam:PassedToService": "sagemaker.amazonaws.com"},
        )
        name = group.model_package_group_name
        allow(
            ["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage", "sagemaker:AddTags"],
            [arn(f"model-package-group/{name}"), arn(f"model-package/{name}/*")],
        )
        allow(["sagemaker:DescribeModelPackageGroup"], [arn(f"model-package-group/{name}")])
        # The gate reads evaluation.json; registering checks that the model's artefact is there.
        allow(
            ["s3:GetObject"],
            [
                self._bucket.arn_for_objects(f"{self._runs}/evaluation/*"),
                self._bucket.arn_for_objects(f"{self._runs}/{task.model_folder}/*"),
            ],
        )
        allow(["s3:ListBucket", "s3:GetBucketLocation"], [self._bucket.bucket_arn])
        allow(["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], [self._key.key_arn])
        return role
