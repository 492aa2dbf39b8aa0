"""SageMaker's InvokeEndpoint on the loopback interface, with the container behind it.

An endpoint that does not exist, and what containers answer, are refused as SageMaker refuses them.
"""

from typing import Any

from tests.training.loopback import Answering, Request, Response

NAME = "summaries"


def generating(request: Request) -> Response:
    """Text for each input, in the form that it was asked in."""
    inputs = request.content["inputs"]
    texts = inputs if isinstance(inputs, list) else [inputs]
    return Response(200, [{"generated_text": f"Of {' '.join(text.split()[-3:])}"} for text in texts])


def with_the_prompt(request: Request) -> Response:
    """As a server of text generation does that gives the prompt back."""
    return Response(200, [{"generated_text": f"{request.content['inputs']} And more."}])


def no_such_endpoint(request: Request) -> Response:
    name = request.path.split("/")[2]
    told = f"Endpoint {name} of account 111122223333 not found."
    return Response(400, {"Message": told}, "ValidationError")


def container_refuses(status: int, asks_for: str = "") -> Answering:
    """The container answers with `status` to requests that hold `asks_for`, quoting what it got."""

    def answer(request: Request) -> Response:
        asked = str(request.content["inputs"])
        if asks_for not in asked:
            return generating(request)
        said = f'Received client error ({status}) from primary with message "cannot take {asked}"'
        told = {"Message": said, "OriginalStatusCode": status, "OriginalMessage": said, "LogStreamArn": "arn"}
        return Response(424, told, "ModelError")

    return answer


def container_is_busy(times: int) -> Answering:
    """The container answers so many times that it has too much to do, then as it should."""

    def answer(request: Request) -> Response:
        if request.number < times:
            return Response(424, {"Message": "busy", "OriginalStatusCode": 503}, "ModelError")
        return generating(request)

    return answer


def throttled(times: int) -> Answering:
    def answer(request: Request) -> Response:
        if request.number < times:
            return Response(400, {"Message": "Rate exceeded"}, "ThrottlingException")
        return generating(request)

    return answer


def saying(body: Any) -> Answering:
    return lambda _: Response(200, body)
