"""Join two signers into one that also asserts who stands behind the clip (CAWG organisational identity).

One rule: where the installed library cannot do it, the answer is a plain sentence, not a crash.
"""

from collections.abc import Sequence

from c2pa import Signer

from platemark_provenance.c_abi import can_join_signers, join_signers
from platemark_provenance.errors import SigningError

DEFAULT_ROLES = ("cawg.publisher",)
"""Source: CAWG identity assertion 1.1, section 5.1.3 (named actor roles)."""


def identity_is_available() -> bool:
    """Say whether the installed C2PA library can write identity assertions at all."""
    return can_join_signers()


def combine_signers(claim: Signer, identity: Signer, *, referenced: Sequence[str], roles: Sequence[str]) -> Signer:
    """Make one signer of two: the first signs the claim, the second an identity assertion inside it.

    Both are used up, whatever happens.

    Args:
        claim: signs the claim, and carries the time-stamp authority if there is one.
        identity: signs with the organisation's CAWG certificate.
        referenced: labels of the assertions that the organisation stands behind.
        roles: what it was in making them.

    Raises:
        SigningError: this version of the library cannot do it, or refused, or a text holds a null character.

    Source: CAWG identity assertion 1.1, section 8.2 (X.509 and COSE signatures).
    """
    if not can_join_signers():
        raise SigningError(
            "The installed C2PA library cannot write an organisation's identity.",
            fix="Install the c2pa-python version named in pyproject.toml, or sign without an identity.",
        )
    if any("\0" in each for each in (*referenced, *roles)):
        raise SigningError("Labels and roles of an identity hold no null characters; one of them does.")
    combined = join_signers(claim, identity, referenced=referenced, roles=roles)
    if combined is None:
        raise SigningError("The C2PA library refused to join the claim signer and the identity signer.")
    return combined
