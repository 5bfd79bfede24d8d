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
from platemark_provenance.digest import JsonValue, sha256_bytes
from platemark_provenance.ledger.event import EventType
from platemark_provenance.ledger.reading_log import Reader
from platemark_provenance.ledger.store import Ledger

FORMATS: Mapping[str, Callable[[ExportFacts], bytes]] = {
    "ninjs": write_ninjs,
    "newsml-g2": write_newsml_g2,
    "vmh": write_vmh,
    "mos": write_mos,
    "json-ld": write_json_ld,
}
"""Every format and its writer."""


def export_clip(home: Home, ledger: Ledger, clip: str, form: str, *, reader: str, with_names: bool = False) -> bytes:
    """Write what newsroom systems are to know of a published clip; the log keeps that it was handed out, to whom.

    Args:
        home: the home that published it.
        ledger: of that home, open.
        clip: its identifier, or the file as it was published.
        form: one of `FORMATS`.
        reader: who asks; the log keeps a pseudonym of them.
        with_names: also say who made and approved it, and what was asked for.

    Returns:
        The document, UTF-8.

    Raises:
        RequestError: no such format or clip, or its file is gone or changed.
        VerificationError: the file's manifest does not hold.
        PublicationRefused: the home has the publish gate on, and no second person approved the clip.
        LedgerError: the log cannot be read, or the export could not be logged; then nothing is handed out.
    """
    writer = FORMATS.get(form)
    if writer is None:
        raise RequestError(
            f"The format must be one of {', '.join(FORMATS)}; got {form[:40]!r}.", fix="For example: --format ninjs"
        )
    facts = gather_export(home, ledger, clip, with_names=with_names)
    document = writer(facts)
    asked: dict[str, JsonValue] = {
        "clip": facts.clip_id,
        "form": form,
        "names": with_names,
        "sha256": sha256_bytes(document),
    }
    Reader(ledger, reader).record("newsroom", found=None, asked=asked, kind=EventType.AUDIT_EXPORTED)
    return document
