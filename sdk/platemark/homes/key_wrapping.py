"""The key that wraps the keys of people, as a home's configuration names it.

One rule: it is opened when it is first needed; a home that only reads open facts asks nobody for a PIN.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from platemark.homes.secret_source import SecretSource
from platemark.log_settings import LedgerNaming

# Few homes keep that key elsewhere.
if TYPE_CHECKING:
    from platemark_provenance.ledger.subject_keys import KeyWrapper
    from platemark_provenance.signers.wrapping import WrapperTable


def key_wrapper(home: Path, settings: LedgerNaming, table: "WrapperTable | None") -> "KeyWrapper | None":
    """Give the wrapper, unopened; None for the one that is made from the payload key.

    Args:
        home: what a relative path is relative to.
        settings: name the key.
        table: who opens it; None for those that come with platemark.

    Raises:
        KeyUnavailable: the key's name has no scheme.
    """
    if not settings.kek:
        return None
    from platemark_provenance.signers.wrapping import STANDARD_WRAPPERS, LazyWrapper, WrapperRequest

    request = WrapperRequest(home, SecretSource(settings.kek_secret))
    return LazyWrapper(settings.kek, request, table or STANDARD_WRAPPERS)
