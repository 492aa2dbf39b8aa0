"""Errors of the infrastructure's configuration.

ConfigurationError      a stage or task file says something that is not allowed: which file, which field, what is
└── LockError           a lock file that a command must write first is missing or does not fit
"""


class ConfigurationError(Exception):
    """A stage or task file cannot be used."""


class LockError(ConfigurationError):
    """A committed lock file is missing or does not fit the task that needs it."""
