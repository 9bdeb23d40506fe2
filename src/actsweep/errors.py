"""The exceptions that actsweep raises, in its own words.

Foreign exceptions are translated at the door where they come in; everything a caller may want to catch descends from
`ActsweepError`.
"""


class ActsweepError(Exception):
    """Base of every error that actsweep raises on purpose; its text is one message for the user."""


class RequestError(ActsweepError):
    """The request is wrong (config, data or arguments): the command exits with code 2."""


class DataError(RequestError):
    """A data set cannot be used as asked: missing, corrupt, or too small."""


class TableError(RequestError):
    """A table of curves is refused; the message names the row, the column and the trial."""


class RecordsError(RequestError):
    """A study's folder cannot be read: missing, damaged, or of another study."""


class TrialsFailedError(ActsweepError):
    """The study ended, and no trial has a result: exit code 1; the message gives the first failure."""


class TrialTimeoutError(ActsweepError):
    """A trial took longer than `trainer.trial_timeout`: the trial fails."""


class OutdatedError(ActsweepError):
    """A later attempt at the trial has begun, so this one may write nothing more."""


class Interrupted(ActsweepError):
    """The user stopped the command: exit code 130; the message says how to go on."""


class RemoteError(RequestError):
    """A storage at an address such as s3://bucket/folder does not answer, or refuses what was asked of it."""


class NoAnswerError(ActsweepError):
    """A server that is needed does not answer; what was asked for can be asked again."""
