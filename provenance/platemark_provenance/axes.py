"""The independent questions asked about a file, their possible answers, and the one-word verdicts.

One rule: the words here are a contract with newsroom tools; they are added to, never changed.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

ManifestState = Literal["absent", "malformed", "present", "remote_only"]
Integrity = Literal["intact", "tampered", "unknown"]
SignerTrust = Literal[
    "trusted", "legacy_trusted", "untrusted", "expired", "revoked", "revocation_unknown", "not_checked"
]
TimestampTrust = Literal["trusted", "untrusted", "none"]
IdentityTrust = Literal["trusted", "untrusted", "invalid", "none"]
Ingredients = Literal["ok", "failed", "none"]
AiUse = Literal["fully", "partly", "none_declared", "unknown"]
WatermarkState = Literal["matched", "mismatch", "absent", "not_checked"]
IngredientFault = Literal["tampered", "recorded", "untrusted"]
Language = Literal["en", "ko"]


class Verdict(StrEnum):
    """What all answers together come to."""

    TRUSTED = "trusted"
    INTACT = "intact"
    TAMPERED = "tampered"
    RECOVERED = "recovered"
    MISMATCH = "mismatch"
    NONE = "none"
    UNREADABLE = "unreadable"


EXIT_CODES = {
    Verdict.TRUSTED: 0,
    Verdict.RECOVERED: 0,
    Verdict.NONE: 4,
    Verdict.TAMPERED: 5,
    Verdict.MISMATCH: 5,
    Verdict.UNREADABLE: 5,
    Verdict.INTACT: 6,
}
"""The exit code of `platemark verify` for each verdict; with several files the highest wins."""


@dataclass(frozen=True, slots=True)
class Axes:
    """One answer to each question. No axis decides alone, and none stands for another.

    `signer` can be `legacy_trusted` for two reasons: only a list that is no longer kept up vouches for it, or the
    root is trusted, but the certificate has expired since and only an old kind of time-stamp (claim version 1),
    whose authority cannot be checked, says that it was used in time.
    """

    manifest: ManifestState
    integrity: Integrity
    signer: SignerTrust
    timestamp: TimestampTrust
    identity: IdentityTrust
    ingredients: Ingredients
    ai: AiUse
    watermark: WatermarkState
