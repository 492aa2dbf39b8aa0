"""Amazon Bedrock's Converse API on the loopback interface: the answers and refusals that a candidate must cope with.

    with serving(throttled(2, then=answered)) as bedrock: ...

Wording, codes and statuses of refusals are Bedrock's. Each quotes the prompt, as a service may.
"""

from tests.training.loopback import Answering, Request, Response


def answered(request: Request) -> Response:
    """The prompt's last words, with a token for each word."""
    prompt = prompt_of(request)
    return message(f" Summary: {' '.join(prompt.split()[-3:])} ", len(prompt.split()))


def message(text: str, input_tokens: int, stop: str = "end_turn") -> Response:
    output_tokens = len(text.split())
    return Response(
        200,
        {
            "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
            "stopReason": stop,
            "usage": {
                "inputTokens": input_tokens,
                "outputTokens": output_tokens,
                "totalTokens": input_tokens + output_tokens,
            },
            "metrics": {"latencyMs": 1},
        },
    )


def filtered(stop: str) -> Answering:
    """A content filter or a guardrail steps in."""
    return lambda _: message("I cannot help with that.", 9, stop)


def refused(code: str, status: int, told: str = "not this one") -> Answering:
    return lambda request: Response(status, {"message": f"{told}: {prompt_of(request)}"}, code)


no_access = refused(
    "AccessDeniedException", 403, "You don't have access to the model with the specified model ID: asked"
)
always_throttled = refused("ThrottlingException", 429, "Too many requests, please wait before trying again")
too_long = refused(
    "ValidationException",
    400,
    "The model returned the following errors: prompt is too long: 210253 tokens > 200000 maximum",
)
too_long_without_length = refused("ValidationException", 400, "Input is too long for requested model")


def throttled(times: int, then: Answering = answered) -> Answering:
    """The first `times` requests are throttled."""
    return lambda request: (always_throttled if request.number < times else then)(request)


def when(asks_for: str, this: Answering, otherwise: Answering = answered) -> Answering:
    """`this` for prompts that hold `asks_for`."""
    return lambda request: (this if asks_for in prompt_of(request) else otherwise)(request)


def prompt_of(request: Request) -> str:
    (asked,) = request.content["messages"]
    (block,) = asked["content"]
    return str(block["text"])
