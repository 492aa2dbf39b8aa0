"""QuickSight's API as a whole: every operation offered, checked on the way in and on the way out."""

import json
import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from local.emulator.clients import Clients
from local.emulator.errors import EmulatorError, InternalFailure, UnknownOperation
from local.emulator.quicksight.account import Account, check_region
from local.emulator.quicksight.analyses import Analyses
from local.emulator.quicksight.dashboards import Dashboards
from local.emulator.quicksight.data_sets import DataSets
from local.emulator.quicksight.data_sources import DataSources
from local.emulator.quicksight.definitions import Definitions
from local.emulator.quicksight.errors import InvalidParameter
from local.emulator.quicksight.identities import Identities
from local.emulator.quicksight.permissions import Permissions
from local.emulator.quicksight.shapes import SHAPES
from local.emulator.quicksight.tags import Tags
from local.emulator.quicksight.themes import Themes
from local.emulator.routes import Routes

# (status, headers, body)
Response = tuple[int, dict[str, str], bytes]
_JSON = {"content-type": "application/json"}
# HTTP's word for what happens later; everything that is not here answers 200.
_STATUS = {
    "CreateDataSource": 202,
    "UpdateDataSource": 202,
    "CreateDataSet": 201,
    "CreateIngestion": 201,
    "CreateRefreshSchedule": 201,
    "CreateTheme": 202,
    "UpdateTheme": 202,
    "CreateAnalysis": 202,
    "UpdateAnalysis": 202,
    "CreateDashboard": 202,
    "UpdateDashboard": 202,
    "CreateGroup": 201,
    "RegisterUser": 201,
}
logger = logging.getLogger(__name__)


class QuickSight:
    """One account's QuickSight in its identity region. `subscribed` false makes it an account without QuickSight."""

    def __init__(self, *, subscribed: bool, clients: Clients) -> None:
        self._account = Account(subscribed=subscribed)
        # Every operation is short: what takes time, a data set's import, is done elsewhere.
        self._lock = threading.RLock()
        tags, identities = Tags(), Identities()
        permissions = Permissions(identities)
        data_sources = DataSources(permissions=permissions, tags=tags, clients=clients)
        data_sets = DataSets(permissions=permissions, tags=tags, data_sources=data_sources, clients=clients)
        themes = Themes(permissions=permissions, tags=tags)
        definitions = Definitions(data_sets=data_sets, themes=themes)
        analyses = Analyses(permissions=permissions, tags=tags, definitions=definitions)
        dashboards = Dashboards(permissions=permissions, tags=tags, definitions=definitions, analyses=analyses)
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        parts = (self._account, identities, tags, data_sources, data_sets, themes, analyses, dashboards)
        for part in parts:
            self._operations.update(part.operations())

    @property
    def offered(self) -> frozenset[str]:
        """The names of the operations that there are."""
        return frozenset(self._operations)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Do one operation; the answer is as it goes over the wire, with the HTTP status as `Status`.

        Raises:
            EmulatorError: with AWS's code.
        """
        if operation not in self._operations:
            raise SHAPES.not_offered(operation)
        SHAPES.check_request(operation, request)
        with self._lock:
            if "AwsAccountId" in request:
                self._account.check(operation, request["AwsAccountId"])
            answer = self._operations[operation](request)
            members = {"RequestId": str(uuid.uuid4()), "Status": _STATUS.get(operation, 200)}
            return SHAPES.to_wire(operation, {**answer, **members})

    def handle(
        self,
        scope: tuple[str, str],
        method: str,
        raw_path: str,
        query: Mapping[str, Sequence[str]],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Response:
        """Answer an HTTP request that is signed for `scope`: (account, region). Header names are in lower case."""
        operation = raw_path
        try:
            check_region(*scope)
            found = self._routes.find(method, raw_path)
            if found is None:
                raise UnknownOperation(f"QuickSight has no operation {method} {raw_path}")
            operation, in_path = found
            if operation not in self._operations:
                raise SHAPES.not_offered(operation)
            answer = self.call(operation, self._routes.request(operation, in_path, query, headers, body))
        except EmulatorError as error:
            if isinstance(error, InternalFailure):
                logger.error("%s: %s", operation, error)
            content = {"Message": error.message, "RequestId": str(uuid.uuid4())}
            return error.status, {**_JSON, "x-amzn-errortype": error.code}, json.dumps(content).encode()
        return answer["Status"], dict(_JSON), json.dumps(_body(operation, answer)).encode()

    @cached_property
    def _routes(self) -> Routes:
        return Routes(SHAPES, invalid=InvalidParameter)


def _body(operation: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What of an answer HTTP's body carries: not the status, where the status line says it."""
    members = SHAPES.model.operation_model(operation).output_shape.members
    return {
        name: value for name, value in answer.items() if members[name].serialization.get("location") != "statusCode"
    }
