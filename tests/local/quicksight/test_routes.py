"""Every operation of botocore's model is found by its own method and path, and says what botocore put there."""

import re
from typing import Any

import pytest

from local.emulator.quicksight.errors import InvalidParameter
from local.emulator.quicksight.shapes import SHAPES
from local.emulator.routes import Routes


@pytest.fixture(scope="module")
def routes() -> Routes:
    return Routes(SHAPES, invalid=InvalidParameter)


def test_every_operation_is_found_by_its_own_path(routes: Routes) -> None:
    wrong = {}
    for name in SHAPES.model.operation_names:
        http = SHAPES.model.operation_model(name).http
        path = re.sub(r"\{[^}]+\}", "x", http["requestUri"])
        found = routes.find(http["method"], path)
        if found is None or found[0] != name:
            wrong[name] = found
    assert wrong == {}


@pytest.mark.parametrize(
    ("method", "path", "operation", "says"),
    [
        ("GET", "/accounts/1/dashboards/a", "DescribeDashboard", {"AwsAccountId": "1", "DashboardId": "a"}),
        ("GET", "/accounts/1/dashboards/a/definition", "DescribeDashboardDefinition", {"DashboardId": "a"}),
        ("GET", "/accounts/1/namespaces/default/users/role%2Fme", "DescribeUser", {"UserName": "role/me"}),
        ("GET", "/resources/arn%3Aaws%3Aa%2Fb/tags", "ListTagsForResource", {"ResourceArn": "arn:aws:a/b"}),
    ],
)
def test_a_path_says_names(routes: Routes, method: str, path: str, operation: str, says: dict[str, str]) -> None:
    found = routes.find(method, path)
    assert found is not None
    assert found[0] == operation
    assert says.items() <= found[1].items()


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("PATCH", "/accounts/1/dashboards/a"), ("GET", "/a/b")])
def test_a_path_that_no_operation_has(routes: Routes, method: str, path: str) -> None:
    assert routes.find(method, path) is None


def test_a_request_is_put_together_from_path_query_and_body(routes: Routes) -> None:
    path = {"AwsAccountId": "1", "DashboardId": "a"}
    request = routes.request("DescribeDashboard", path, {"version-number": ["3"]}, {}, b"")
    assert request == {**path, "VersionNumber": 3}
    request = routes.request(
        "DeleteAnalysis", {"AnalysisId": "a"}, {"force-delete-without-recovery": ["true"]}, {}, b""
    )
    assert request == {"AnalysisId": "a", "ForceDeleteWithoutRecovery": True}
    request = routes.request("UntagResource", {"ResourceArn": "a"}, {"keys": ["b", "c"]}, {}, b"")
    assert request == {"ResourceArn": "a", "TagKeys": ["b", "c"]}
    request = routes.request("CreateGroup", {"Namespace": "default"}, {}, {}, b'{"GroupName": "a", "Namespace": "b"}')
    assert request == {"Namespace": "default", "GroupName": "a"}


@pytest.mark.parametrize(
    ("operation", "query", "body", "message"),
    [
        ("DescribeDashboard", {"version-number": ["three"]}, b"", "VersionNumber must be a number"),
        ("DeleteAnalysis", {"force-delete-without-recovery": ["1"]}, b"", "must be true or false"),
        ("CreateGroup", {}, b"{", "is not JSON"),
        ("CreateGroup", {}, b"[]", "is not a JSON object"),
    ],
)
def test_what_cannot_be_read_is_named(
    routes: Routes, operation: str, query: dict[str, Any], body: bytes, message: str
) -> None:
    with pytest.raises(InvalidParameter, match=message):
        routes.request(operation, {}, query, {}, body)
