"""Errors that the local AWS answers with, in AWS's own codes.

EmulatorError             carries `code` (AWS's error code) and `status` (HTTP)
├── ValidationError       ValidationException: a request is malformed, or names something that cannot be used so
├── ResourceNotFound      ResourceNotFound: what a request names does not exist
├── ResourceInUse         ResourceInUse: the name is taken, or the resource is busy
├── ConflictException     ConflictException: the request contradicts what is going on
├── UnknownOperation      UnknownOperationException: the local AWS does not offer this operation
└── InternalFailure       InternalFailure: a defect of the local AWS itself; details are in its log
"""


class EmulatorError(Exception):
    """Base of every error that becomes an AWS error answer.

    The message reaches the caller as it is: it names resources, members and counts, never contents.
    """

    code = "InternalFailure"
    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ValidationError(EmulatorError):
    """A request is malformed, or names something that cannot be used in this way."""

    code = "ValidationException"
    status = 400


class ResourceNotFound(EmulatorError):
    """What a request names does not exist."""

    code = "ResourceNotFound"
    status = 400


class ResourceInUse(EmulatorError):
    """A name is taken, or a resource is too busy for what was asked."""

    code = "ResourceInUse"
    status = 400


class ConflictException(EmulatorError):
    """A request contradicts what is going on, such as deleting a group that still holds packages."""

    code = "ConflictException"
    status = 400


class UnknownOperation(EmulatorError):
    """AWS has this operation; the local AWS does not offer it."""

    code = "UnknownOperationException"
    status = 400


class InternalFailure(EmulatorError):
    """A defect of the local AWS itself."""

    code = "InternalFailure"
    status = 500
