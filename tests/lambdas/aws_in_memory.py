"""A real boto3 client in front of an object in memory.

Everything of the client is the real one: parameter validation, paginators, error classes. Only the network is not:
the request is checked against the service's own description (also patterns, enumerations and lengths, which botocore
leaves to the service), given to the method of the same name, and the answer is checked too.
"""

import re
from datetime import datetime
from typing import Any

import boto3
from botocore import xform_name
from botocore.awsrequest import AWSResponse


class Refused(Exception):
    """What the service answers instead: an error code and a message, as AWS words them, and the error's own members."""

    def __init__(self, code: str, message: str, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.members = members


def connect(service: str, backend: object) -> Any:
    """A boto3 client of `service` whose calls are methods of `backend`: create_model(**request) -> answer."""
    client = boto3.client(
        service, region_name="eu-central-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="example"
    )

    def remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = params

    def answer(model: Any, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        asked = {name: value for name, value in context["asked"].items() if name != "EncodingType"}
        _check(model.input_shape, asked, model.name)
        try:
            given = getattr(backend, xform_name(model.name))(**asked) or {}
        except Refused as error:
            told = {"Error": {"Code": error.code, "Message": error.message}, "ResponseMetadata": {}, **error.members}
            return AWSResponse("", 400, {}, None), told
        if model.output_shape is not None:
            _check(model.output_shape, given, f"answer of {model.name}", complete=False)
        return AWSResponse("", 200, {}, None), {**given, "ResponseMetadata": {}}

    client.meta.events.register(f"before-parameter-build.{service}", remember)
    client.meta.events.register(f"before-call.{service}", answer)
    return client


def _check(shape: Any, value: Any, where: str, complete: bool = True) -> None:
    """`value` is one that `shape` allows; `complete`: with every required member."""
    limits = shape.metadata
    if shape.type_name == "structure":
        unknown = value.keys() - shape.members.keys()
        assert not unknown, f"{where}: unknown {unknown}"
        missing = set(shape.required_members) - value.keys()
        assert not (complete and missing), f"{where}: lacks {missing}"
        for name, member in value.items():
            _check(shape.members[name], member, f"{where}.{name}", complete)
    elif shape.type_name == "list":
        _check_range(len(value), limits, f"length of {where}")
        for item in value:
            _check(shape.member, item, f"{where}[]", complete)
    elif shape.type_name == "map":
        for name, item in value.items():
            _check(shape.key, name, f"{where} key", complete)
            _check(shape.value, item, f"{where}.{name}", complete)
    elif shape.type_name == "string":
        assert isinstance(value, str), f"{where}: {value!r}"
        _check_range(len(value), limits, f"length of {where}")
        assert not shape.enum or value in shape.enum, f"{where}: {value!r} is none of {shape.enum}"
        pattern = limits.get("pattern")
        if pattern and "\\p{" not in pattern:
            assert re.fullmatch(pattern, value), f"{where}: {value!r} does not match {pattern}"
    elif shape.type_name in ("integer", "long"):
        assert isinstance(value, int), f"{where}: {value!r}"
        _check_range(value, limits, where)
    elif shape.type_name == "timestamp":
        assert isinstance(value, datetime), f"{where}: {value!r}"


def _check_range(value: int, limits: dict[str, Any], where: str) -> None:
    assert limits.get("min", value) <= value <= limits.get("max", value), f"{where}: {value} is not in {limits}"
