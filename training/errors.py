"""Errors that jobs and endpoints raise on purpose.

ReportTuningError            what happened, where, what to do; never any clinical text
├── ArgumentError            an argument of a job script is unknown, missing or out of range
├── UploadError              uploaded data cannot be used (a file, or too many of its lines)
│   └── UnreadableFileError  one file cannot be read at all (empty, not the format its name says)
│       └── UnsafeArchiveError   an archive looks hostile (training/readers/upload.py)
├── ModelError               a model cannot be staged, loaded or saved
├── RetrievalError           the index of similar reports cannot be built or opened
├── GenerationError          a model cannot be asked, or answers in another form than agreed
│   └── RefusedCallError         a service refuses a call; carries botocore's error
├── EvaluationError          scores cannot be computed (sets and predictions do not match)
└── RequestError             a request to an endpoint is refused; carries the HTTP status
"""


class ReportTuningError(Exception):
    """Base of every error that this project raises on purpose."""


class ArgumentError(ReportTuningError):
    """An argument of a job script is unknown, missing or out of its range."""


class UploadError(ReportTuningError):
    """Uploaded data cannot be used."""


class UnreadableFileError(UploadError):
    """One uploaded file cannot be read at all."""


class ModelError(ReportTuningError):
    """A model cannot be staged, loaded or saved."""


class RetrievalError(ReportTuningError):
    """The index of similar reports cannot be built or opened."""


class GenerationError(ReportTuningError):
    """A model cannot be asked, or answers in another form than agreed."""


class RefusedCallError(GenerationError):
    """A service refuses a call. The message names the kind of botocore's `error` alone, whose own may quote a text."""

    def __init__(self, model: str, error: Exception) -> None:
        response = getattr(error, "response", {})
        self.kind = str(response.get("Error", {}).get("Code", type(error).__name__))
        self.model = model
        self.error = error
        super().__init__(f"{model} cannot be asked: {self.kind}; see whether it exists and the job may ask it")


class EvaluationError(ReportTuningError):
    """Scores cannot be computed from what was given."""


class RequestError(ReportTuningError):
    """A request to an endpoint is refused with an HTTP status in 400..499."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
