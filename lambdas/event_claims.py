"""Who writes which event: one item of a DynamoDB table for each identity of a text (lambdas/texts.py). No text in it.

text_identity  partition key (`identity` alone is a word that DynamoDB reserves)
written_to     key of the Parquet file that holds the event, or is to hold it
lease_until    seconds since 1970; until then whoever claimed it is left alone
finished       true once the file is written and the notice sent; lease_until is gone then
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from lambdas.errors import UnfinishedError

# What DynamoDB takes in one request.
_READS, _WRITES = 100, 25
_ATTEMPTS = 5


@dataclass(frozen=True)
class Claim:
    """`lease_until` is 0 for one that is finished."""

    file: str
    lease_until: float
    finished: bool


class Claims:
    """The table of claims, through a boto3 client of DynamoDB."""

    def __init__(self, dynamodb: Any, table: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._sleep = sleep

    def find(self, identities: Iterable[str]) -> dict[str, Claim]:
        """The claims that there are, as they are now.

        Raises:
            UnfinishedError, botocore's errors: they could not all be read.
        """
        found = {}
        for some in _portions(identities, _READS):
            wanted: Any = {
                self._table: {"Keys": [{"text_identity": {"S": name}} for name in some], "ConsistentRead": True}
            }
            for attempt in range(_ATTEMPTS):
                self._sleep(0.1 * attempt)
                answer = self._dynamodb.batch_get_item(RequestItems=wanted)
                for item in answer["Responses"].get(self._table, []):
                    found[item["text_identity"]["S"]] = _claim(item)
                wanted = answer.get("UnprocessedKeys")
                if not wanted:
                    break
            else:
                raise UnfinishedError(f"claims could not be read in {_ATTEMPTS} attempts")
        return found

    def take(self, identity: str, file: str, lease_until: float, replacing: str | None) -> bool:
        """Claim an event for `file`: one that nobody has claimed, or the unfinished one for the file `replacing`.

        False: somebody else was first.
        """
        item = {
            "text_identity": {"S": identity},
            "written_to": {"S": file},
            "lease_until": {"N": str(lease_until)},
            "finished": {"BOOL": False},
        }
        if replacing is None:
            condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(text_identity)"}
        else:
            condition = {
                "ConditionExpression": "written_to = :file AND finished = :no",
                "ExpressionAttributeValues": {":file": {"S": replacing}, ":no": {"BOOL": False}},
            }
        try:
            self._dynamodb.put_item(TableName=self._table, Item=item, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def finish(self, identities: Iterable[str], file: str) -> None:
        """Mark events of a file that is written as finished. Needs no condition: nobody takes such a claim over.

        Raises:
            UnfinishedError, botocore's errors: some are not marked.
        """
        for some in _portions(identities, _WRITES):
            items = [
                {"text_identity": {"S": name}, "written_to": {"S": file}, "finished": {"BOOL": True}} for name in some
            ]
            waiting: Any = {self._table: [{"PutRequest": {"Item": item}} for item in items]}
            for attempt in range(_ATTEMPTS):
                self._sleep(0.1 * attempt)
                waiting = self._dynamodb.batch_write_item(RequestItems=waiting).get("UnprocessedItems")
                if not waiting:
                    break
            else:
                raise UnfinishedError(f"claims could not be marked in {_ATTEMPTS} attempts")


def _claim(item: dict[str, Any]) -> Claim:
    return Claim(
        file=item["written_to"]["S"],
        lease_until=float(item["lease_until"]["N"]) if "lease_until" in item else 0.0,
        finished=item["finished"]["BOOL"],
    )


def _portions(names: Iterable[str], size: int) -> Iterable[Sequence[str]]:
    rest = iter(names)
    while some := list(islice(rest, size)):
        yield some
