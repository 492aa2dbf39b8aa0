"""Errors that the Lambda functions raise on purpose.

    LambdaError                  what happened, to which task, run or endpoint; never any clinical text
    ├── SettingsError            an environment variable is missing or not what it must be
    ├── EventError               an event is not of the form that its sender promises
    ├── UnfinishedRunError       the end of a run was announced, but the run has not ended
    ├── NotReadyError            what a deployment needs, and somebody must set up first, is missing
    ├── ResultError              a file that a job left behind is not what it must be
    ├── TextError                what was sent can never be classified, however often it is tried
    ├── ReviewError              a verdict about an event cannot be taken as it was given
    │   ├── UnknownEventError    there is no such event
    │   └── UnfinishedEventError it is not written to its end yet; to be tried again soon
    ├── UnfinishedError          AWS took a part of what it was given, and not the rest after several attempts
    ├── AnswerError              the live endpoint gave no answer that can be used: away, throttled, or nonsense
    │   └── RefusedError         it refused what it was asked (status 4xx)
    └── EndpointError            an endpoint is in a state that a person must look at
        └── EndpointTimeoutError an endpoint was not gone within the time that there is

Errors of AWS itself (botocore's ClientError and BotoCoreError) are passed on: whoever woke the function tries again,
and what fails for good ends up in a dead-letter queue.
"""


class LambdaError(Exception):
    """Base of every error that a Lambda function raises on purpose."""


class SettingsError(LambdaError):
    """An environment variable is missing or not what it must be."""


class EventError(LambdaError):
    """An event is not of the form that its sender promises."""


class UnfinishedRunError(LambdaError):
    """The end of a run was announced, but the run has not ended."""


class NotReadyError(LambdaError):
    """What a deployment needs, and somebody must set up first, is missing; says what, and what to do."""


class ResultError(LambdaError):
    """A file that a job left behind is not what it must be."""


class TextError(LambdaError):
    """What was sent can never be classified, however often it is tried; says why, never the text."""


class ReviewError(LambdaError):
    """A verdict about an event cannot be taken as it was given; says why."""


class UnknownEventError(ReviewError):
    """There is no such event."""


class UnfinishedEventError(ReviewError):
    """The event is not written to its end yet; to be tried again soon."""


class UnfinishedError(LambdaError):
    """AWS took a part of what it was given, and not the rest after several attempts."""


class AnswerError(LambdaError):
    """The live endpoint gave no answer that can be used."""


class RefusedError(AnswerError):
    """The live endpoint refused what it was asked (status 4xx)."""


class EndpointError(LambdaError):
    """An endpoint is in a state that a person must look at."""


class EndpointTimeoutError(EndpointError):
    """An endpoint was not gone within the time that there is."""
