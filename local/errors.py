"""Errors of what runs on one machine: the local AWS, the demo and the commands around it.

LocalError               what happened, where, what to do
├── DataError            sample data or a file of the user's cannot be had
├── CommandError         a program that was started (cdk, pip) failed; carries the end of its output
└── RunError             the pipeline's run or the endpoint did not come to its end
"""


class LocalError(Exception):
    """Base of what the local commands raise on purpose; shown to the user without a traceback."""


class DataError(LocalError):
    """Sample data or a file of the user's cannot be had."""


class CommandError(LocalError):
    """A program that was started failed."""


class RunError(LocalError):
    """A run of the pipeline, or the endpoint after it, did not come to its end."""
