"""Errors that QuickSight answers with, in its own codes and HTTP status numbers.

EmulatorError
├── InvalidParameter       InvalidParameterValueException: a request is malformed, or a value cannot be used so
├── InvalidSqlParameter    InvalidDataSetParameterValueException: SQL and declared parameters of a data set disagree
├── InvalidNextToken       InvalidNextTokenException: a token that no List operation gave out
├── NotFound               ResourceNotFoundException: what a request names does not exist
├── AlreadyExists          ResourceExistsException: the id or name is taken
├── Conflict               ConflictException: a resource is in a state that does not allow what was asked
├── LimitExceeded          LimitExceededException: more than QuickSight keeps
├── AccessDenied           AccessDeniedException: another account, or another region than the identity region
└── NotSubscribed          UnsupportedUserEditionException: the account has no QuickSight
"""

from local.emulator.errors import EmulatorError


class InvalidParameter(EmulatorError):
    """A request is malformed, or a value cannot be used in this way."""

    code = "InvalidParameterValueException"
    status = 400


class InvalidSqlParameter(EmulatorError):
    """The SQL of a data set and its declared parameters do not fit."""

    code = "InvalidDataSetParameterValueException"
    status = 400


class InvalidNextToken(EmulatorError):
    """A token that no List operation gave out."""

    code = "InvalidNextTokenException"
    status = 400


class NotFound(EmulatorError):
    """What a request names does not exist."""

    code = "ResourceNotFoundException"
    status = 404


class AlreadyExists(EmulatorError):
    """An id or a name is taken."""

    code = "ResourceExistsException"
    status = 409


class Conflict(EmulatorError):
    """A resource is in a state that does not allow what was asked."""

    code = "ConflictException"
    status = 409


class LimitExceeded(EmulatorError):
    """More of something than QuickSight keeps."""

    code = "LimitExceededException"
    status = 409


class AccessDenied(EmulatorError):
    """The request is for another account, or reached another region than the identity region."""

    code = "AccessDeniedException"
    status = 401


class NotSubscribed(EmulatorError):
    """The account has no QuickSight subscription."""

    code = "UnsupportedUserEditionException"
    status = 403
