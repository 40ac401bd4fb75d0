"""What can go wrong for a user, as one small family.

Every message names the offending value, what was expected and the next step, on one line. The
command line prints that line and exits with status 2.
"""


class EctopyError(Exception):
    r"""Base of every error that a user can mend.

    What cannot be printed, such as a line break in the name of a file, is spelled out, so that a
    message stays one line.

    Examples
    --------
    >>> print(EctopyError("there is no recording 'a\nb.edf'"))
    there is no recording 'a\nb.edf'
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(_printable(arg) if isinstance(arg, str) else arg for arg in args))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class RecordingError(EctopyError):
    """A recording cannot be read, or holds nothing that can be analysed."""


class UnsupportedFormat(RecordingError):
    """No reader knows this file."""


class LeadNotFound(RecordingError):
    """The recording has no lead of the name asked for."""


class SignalError(EctopyError):
    """Samples or a sampling frequency that no method here can work on."""


class DataError(EctopyError):
    """A database is missing, incomplete or not what its registry says."""


class ProtocolError(EctopyError):
    """An evaluation that its protocol forbids, such as scoring on training patients."""


class RecipeError(EctopyError):
    """A training recipe or setting that cannot be followed."""


class BundleError(EctopyError):
    """A model bundle that is missing, damaged or not fit for the request."""


class RunError(EctopyError):
    """Predictions of a finished run that are missing, damaged or do not go together."""


class OutputError(EctopyError):
    """Results cannot be written where they were asked for."""


class MissingExtra(EctopyError):
    """A part of ectopy was asked for whose optional dependencies are not installed."""
