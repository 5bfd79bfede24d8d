"""The formats a clip's facts can be written in, by their names.

One rule: a writer is a pure function of the facts; nothing is looked up while writing.
"""

from collections.abc import Callable, Mapping

from platemark.errors import RequestError
from platemark.homes.home import Home
from platemark.newsroom.facts import ExportFacts
from platemark.newsroom.gathering import gather_export
from platemark.newsroom.json_ld import write_json_ld
from platemark.newsroom.mos import write_mos
from platemark.newsroom.newsml_g2 import write_newsml_g2
from platemark.newsroom.ninjs import write_ninjs
from platemark.newsroom.vmh import write_vmh

FORMATS: Mapping[str, Callable[[ExportFacts], bytes]] = {
    "ninjs": write_ninjs,
    "newsml-g2": write_newsml_g2,
    "vmh": write_vmh,
    "mos": write_mos,
    "json-ld": write_json_ld,
}
"""Every format and its writer."""


def export_clip(home: Home, clip: str, form: str, *, reader: str, with_names: bool = False) -> bytes:
    """Write what newsroom systems are to know of a published clip.

    Args:
        home: the home that published it.
        clip: its identifier, or the file as it was published.
        form: one of `FORMATS`.
        reader: who asks; the log keeps a pseudonym of them.
        with_names: also say who made and approved it, and what was asked for.

    Returns:
        The document, UTF-8.

    Raises:
        RequestError: no such format or clip, or its file is gone or changed.
        VerificationError: the file's manifest does not hold.
        LedgerError: the log cannot be read, or the reading could not be logged.
    """
    writer = FORMATS.get(form)
    if writer is None:
        raise RequestError(
            f"The format must be one of {', '.join(FORMATS)}; got {form[:40]!r}.", fix="For example: --format ninjs"
        )
    with home.open_ledger() as ledger:
        return writer(gather_export(home, ledger, clip, reader=reader, with_names=with_names))
