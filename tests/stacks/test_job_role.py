"""The rights of a job's role outside the data bucket."""

import json
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from stacks.job_role import Access, JobRole


def statements(access: Access) -> list[dict[str, Any]]:
    stack = Stack(App(), "Stack")
    bucket, key = s3.Bucket(stack, "Bucket"), kms.Key(stack, "Key")
    JobRole(stack, "Role", description="A job", bucket=bucket, key=key, access=access)
    (policy,) = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return found


@pytest.mark.parametrize(
    ("uri", "objects", "listed"),
    [
        ("s3://models/one/model.tar.gz", "one/model.tar.gz", ["one/model.tar.gz"]),
        ("s3://models/one", "one/*", ["one", "one/*"]),
        ("s3://models/one/", "one/*", ["one", "one/*"]),
    ],
)
def test_what_lies_elsewhere_is_read_and_listed_and_nothing_beside_it(
    uri: str, objects: str, listed: list[str]
) -> None:
    elsewhere = [s for s in statements(Access(reads=("a/*",), elsewhere=(uri,))) if ":s3:::models" in json.dumps(s)]
    by_action = {statement["Action"]: statement for statement in elsewhere}
    assert by_action.keys() == {"s3:GetObject", "s3:ListBucket"}
    assert json.dumps(by_action["s3:GetObject"]["Resource"]).endswith(f':s3:::models/{objects}"]]}}')
    assert json.dumps(by_action["s3:ListBucket"]["Resource"]).endswith(':s3:::models"]]}')
    assert by_action["s3:ListBucket"]["Condition"] == {"StringLike": {"s3:prefix": listed}}


def test_a_job_pulls_images_from_the_repositories_that_it_is_given_only() -> None:
    (pull,) = [
        s for s in statements(Access(reads=("a/*",), images=("some-image",))) if "ecr:BatchGetImage" in s["Action"]
    ]
    assert json.dumps(pull["Resource"]).endswith(':*:repository/some-image"]]}')
