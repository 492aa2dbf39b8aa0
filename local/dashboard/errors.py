"""Errors of the dashboard's page.

DashboardPageError    (a LocalError) the page cannot be made or cannot answer
├── SourceError       the deployed dashboard or data set has what this page cannot read; names it
├── QuestionError     a question that no data set has an answer to: an unknown data set, parameter or type
├── VerdictError      what a person said of a row cannot be taken; says why
└── BuildError        the page's script could not be bundled; says what to do
"""

from local.errors import LocalError


class DashboardPageError(LocalError):
    """The page cannot be made or cannot answer."""


class SourceError(DashboardPageError):
    """The deployed dashboard or data set has what this page cannot read."""


class QuestionError(DashboardPageError):
    """A question that no data set has an answer to."""


class VerdictError(DashboardPageError):
    """What a person said of a row cannot be taken."""


class BuildError(DashboardPageError):
    """The page's script could not be bundled."""
