"""Every error a caller of platemark can meet, in one place.

```
PlatemarkError                    exit code, message, fix
├── RequestError                  2  the caller asked for something impossible; nothing was done
│   └── LicenceForbids            2  the model's licence does not apply where the publisher is
├── HomeError                     2  the home directory is missing, half-made, too open, or from a newer version
├── OutputError                   2  the output cannot be written where it was asked for
├── MissingExtra                  2  an optional part is not installed; the message names the extra
├── MediaError                    5  a file is not readable media, or is over a bound
├── SourceRefused                 5  a given picture or clip was changed after it was signed, or is declared wrongly
│   ├── SourceUntrusted           6  its signer is not trusted here
│   └── SourceReserved            3  its owner does not allow it to be shown to a model
├── NotFetched                    1  (platemark.verifying.remote_manifest) becomes a code of the report
├── PublicationRefused            3  checks of the publish gate that did not pass; carries them
│   └── ProfileFailed             7  only compliance profiles fail
├── GenerationError               1  the model failed
│   └── Cancelled                 130  the caller asked to stop
├── PolicyError                   1  (platemark_policy.errors)
│   ├── PromptRefused             3  carries the decision
│   ├── PromptHeld                8  carries the decision and a ticket
│   ├── ReviewRefused             3  a person may not decide about a ticket
│   └── RulePackError             2  a rule pack that cannot be trusted
├── KeyUnavailable                1  (platemark_provenance.errors)
│   └── KeyMismatch               1  (platemark_provenance.signers.claim_signer)
├── SigningError                  1
│   └── ClaimRefused              1  (platemark_provenance.claim_writer)
├── VerificationError             5
├── WatermarkError                2
└── LedgerError                   1
    ├── LedgerRequestError        2
    ├── SubjectHeld               3  a legal hold stands
    ├── LedgerUnavailable         1
    │   ├── LedgerReadOnly        1  reading without a trace has to be asked for
    │   ├── WitnessesMissing      1  (platemark_provenance.ledger.attesting)
    │   └── AnchorUnavailable     1  (platemark_provenance.anchoring.place)
    ├── LedgerCorrupt             5
    └── SchemaMismatch            1
```

`FailedCheck` is what a refusal of publication carries; `error_json` gives what a command prints for an error.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from platemark_policy.errors import PolicyError, PromptHeld, PromptRefused, ReviewRefused, RulePackError
from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import (
    KeyUnavailable,
    LedgerCorrupt,
    LedgerError,
    LedgerReadOnly,
    LedgerRequestError,
    LedgerUnavailable,
    PlatemarkError,
    SchemaMismatch,
    SigningError,
    SubjectHeld,
    VerificationError,
    WatermarkError,
)

__all__ = [
    "Cancelled",
    "FailedCheck",
    "GenerationError",
    "HomeError",
    "KeyUnavailable",
    "LedgerCorrupt",
    "LedgerError",
    "LedgerReadOnly",
    "LedgerRequestError",
    "LedgerUnavailable",
    "LicenceForbids",
    "MediaError",
    "MissingExtra",
    "OutputError",
    "PlatemarkError",
    "PolicyError",
    "ProfileFailed",
    "PromptHeld",
    "PromptRefused",
    "PublicationRefused",
    "RequestError",
    "ReviewRefused",
    "RulePackError",
    "SchemaMismatch",
    "SigningError",
    "SourceRefused",
    "SourceReserved",
    "SourceUntrusted",
    "SubjectHeld",
    "VerificationError",
    "WatermarkError",
    "error_json",
]


class RequestError(PlatemarkError):
    """The caller asked for something that cannot be; nothing was done."""

    exit_code = 2


class LicenceForbids(RequestError):
    """The model's licence does not apply where the publisher is, or shows its clips."""


class HomeError(PlatemarkError):
    """The home directory is missing, half-made, readable by others, or from a newer version."""

    exit_code = 2


class OutputError(PlatemarkError):
    """The output cannot be written where it was asked for; nothing was left there."""

    exit_code = 2


class MissingExtra(PlatemarkError):
    """An optional part of platemark is needed and not installed."""

    exit_code = 2


class MediaError(PlatemarkError):
    """A file is not readable media, or its size, length or count is over a bound."""

    exit_code = 5


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """One check of the publish gate that did not pass.

    Args:
        number: its place among the checks, from 1.
        name: its short name.
        message: what was found, a sentence.
        fix: what to do, a sentence.
        detail: what exactly, such as the clauses that fail; may be empty.
    """

    number: int
    name: str
    message: str
    fix: str
    detail: str = ""


class PublicationRefused(PlatemarkError):
    """A clip may not be published, corrected, withdrawn, or exported where the home asks for approval first.

    Args:
        failed: every check that did not pass, in order; at least one.
        heading: what was not done, with a colon.
    """

    exit_code = 3

    def __init__(self, failed: tuple[FailedCheck, ...], *, heading: str = "Not published:") -> None:
        self.failed, self.heading = failed, heading
        super().__init__(self._told(str), fix=self._fix(str))

    def tell(self, say: Callable[[str], str]) -> str:
        """Give the whole refusal in one line, each of its sentences as `say` puts it into a language."""
        return f"{self._told(say)} {self._fix(say)}"

    def _told(self, say: Callable[[str], str]) -> str:
        checks = (
            f"({each.number} {each.name}) {say(each.message)}{f' [{each.detail}]' if each.detail else ''}"
            for each in self.failed
        )
        return f"{say(self.heading)} {' '.join(checks)}"

    def _fix(self, say: Callable[[str], str]) -> str:
        return " ".join(say(each) for each in dict.fromkeys(each.fix for each in self.failed))


class ProfileFailed(PublicationRefused):
    """Nothing but a compliance profile stands against publication."""

    exit_code = 7


class SourceRefused(PlatemarkError):
    """A given picture or clip must not be used: it was changed after it was signed, or nothing can be read in it."""

    exit_code = 5


class SourceUntrusted(SourceRefused):
    """A given picture or clip was signed by somebody whom this home does not trust."""

    exit_code = 6


class SourceReserved(SourceRefused):
    """The owner of a given picture or clip does not allow it to be shown to a model."""

    exit_code = 3


class GenerationError(PlatemarkError):
    """The generator could not make the clip."""


class Cancelled(GenerationError):
    """The caller asked to stop; nothing was kept."""

    exit_code = 130


def error_json(error: PlatemarkError) -> dict[str, JsonValue]:
    """Give the JSON object that a command prints for an error: a refusal is its decision."""
    if isinstance(error, PromptHeld):
        return {**error.decision.to_json(), "ticket": error.ticket, "seed": error.seed}
    if isinstance(error, PromptRefused):
        return error.decision.to_json()
    told: dict[str, JsonValue] = {"type": type(error).__name__, "message": error.message, "fix": error.fix}
    if isinstance(error, PublicationRefused):
        return {"publication": "refused", "checks": [asdict(each) for each in error.failed], "error": told}
    return {"error": told}
