"""The root of every error this project raises, and the errors of the provenance layer.

One rule: a message says what was expected, what came, and what to do next; never a key, a token or a prompt.
The whole tree is drawn in `platemark.errors`.
"""

from typing import ClassVar


class PlatemarkError(Exception):
    """Carry one plain sentence about what went wrong and one about what to do next.

    Args:
        message: what was expected and what came.
        fix: what the reader can do about it; empty where nothing can be done.
    """

    exit_code: ClassVar[int] = 1
    """The exit code of a command that ends with this error (see CONTRACT, exit codes)."""

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


class KeyUnavailable(PlatemarkError):
    """A key is missing, unreadable, too widely readable, garbled, or not the one its certificate names."""


class SigningError(PlatemarkError):
    """A manifest could not be built, signed or read back after signing."""


class VerificationError(PlatemarkError):
    """A file could not be examined at all; a file that was examined gets a verdict instead."""

    exit_code = 5


class WatermarkError(PlatemarkError):
    """A watermark could not be embedded: frames too small, of changing size, or of the wrong type."""

    exit_code = 2


class LedgerError(PlatemarkError):
    """The ledger cannot be used; the subclasses say why."""


class LedgerRequestError(LedgerError):
    """The caller asked the ledger for something it does not do; nothing was read or written."""

    exit_code = 2


class SubjectHeld(LedgerError):
    """A legal hold keeps what was to be erased; nothing was deleted."""

    exit_code = 3


class LedgerUnavailable(LedgerError):
    """The database is missing, locked, read-only or full. Nothing was written."""


class LedgerReadOnly(LedgerUnavailable):
    """The database can be read and not written; reading it without a trace has to be asked for."""


class LedgerCorrupt(LedgerError):
    """The database's content contradicts itself; it is left as found."""

    exit_code = 5


class SchemaMismatch(LedgerError):
    """The database is older or newer than this program expects."""
