"""Trust lists as a home stores them: one file a list, with its name, kind, date and digest in front.

One rule: what is in the folder is used whole or not at all. A file that is garbled, was changed by hand, or is no list
of ours stops every verdict, because a missing root and a root that crept in look the same from outside.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeGuard, get_args

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from platemark_provenance.digest import JsonValue, sha256_bytes
from platemark_provenance.durable import sync_directory, write_whole
from platemark_provenance.errors import VerificationError
from platemark_provenance.plain_text import plain_text
from platemark_provenance.trust import MAX_ANCHOR_BYTES, ListFacts, TrustKind, TrustStore, read_certificates

TRUST_FOLDER = "trust"
"""The folder of a home that its lists lie in."""
MOST_LISTS = 64
KINDS: tuple[TrustKind, ...] = get_args(TrustKind)

_HEADER = re.compile(
    rb"(# platemark trust list 1\n# name: ([a-z0-9.-]{1,64})\n# kind: ([a-z]{1,8})\n"
    rb"# snapshot: (\d{4}-\d\d-\d\d)\n)# sha256: ([0-9a-f]{64})\n\n"
)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class TrustList:
    """A stored list: what it is, and its certificates.

    Args:
        facts: name, kind, date, digest and size.
        pem: the certificates.
    """

    facts: ListFacts
    pem: bytes

    def certificates(self) -> list[x509.Certificate]:
        """Give the certificates, in order."""
        return read_certificates(self.pem, where=f"trust list {self.facts.name}")

    def to_json(self) -> dict[str, JsonValue]:
        """Give the list as the JSON object of `platemark trust list`."""
        return {
            **self.facts.to_json(),
            "roots": [
                {
                    "subject": _subject(each),
                    "sha256": each.fingerprint(SHA256()).hex(),
                    "not_after": each.not_valid_after_utc.date().isoformat(),
                }
                for each in self.certificates()
            ],
        }


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """Files of certificates (PEM) named for one occasion, by what they are for."""

    manifest: tuple[Path, ...] = ()
    tsa: tuple[Path, ...] = ()
    cawg: tuple[Path, ...] = ()
    legacy: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What importing a list did: the list as it is now, and the subjects that came and went."""

    stored: TrustList
    added: tuple[str, ...]
    removed: tuple[str, ...]


NO_FILES = TrustFiles()


def load_trust(folder: Path | None, extra: TrustFiles = NO_FILES) -> TrustStore:
    """Give the trust store of a home's stored lists and of files named beside them.

    Args:
        folder: the home's trust folder; None, or one that does not exist, holds no list.
        extra: further files for this occasion.

    Raises:
        VerificationError: a list or a file cannot be read whole, or a list was changed since it was stored.
    """
    stored = stored_lists(folder) if folder is not None else ()
    pems: dict[TrustKind, tuple[bytes, ...]] = {
        kind: tuple(each.pem for each in stored if each.facts.kind == kind) for kind in KINDS
    }
    return TrustStore(
        manifest_anchors=pems["manifest"] + _read_all(extra.manifest),
        tsa_anchors=pems["tsa"] + _read_all(extra.tsa),
        cawg_anchors=pems["cawg"] + _read_all(extra.cawg),
        legacy_anchors=pems["legacy"] + _read_all(extra.legacy),
        lists=tuple(each.facts for each in stored),
    )


def stored_lists(folder: Path) -> tuple[TrustList, ...]:
    """Read every list of a trust folder, in order of name; empty where there is no such folder.

    Raises:
        VerificationError: one cannot be read, was changed, or is no list of ours; or there are too many.
    """
    try:
        found = (each for each in folder.iterdir() if not each.name.startswith("."))
        paths = sorted(found, key=lambda path: path.stem)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise VerificationError(f"The trust lists in {folder} cannot be read ({error.strerror}).") from error
    if len(paths) > MOST_LISTS:
        raise VerificationError(f"A home has at most {MOST_LISTS} trust lists; {folder} holds {len(paths)} files.")
    return tuple(_read_list(path) for path in paths)


def add_list(folder: Path, pem: bytes, *, facts: "NewList") -> TrustList:
    """Store certificates as a new list.

    Raises:
        VerificationError: the certificates or the name are refused, or there is a list of that name already.
    """
    path = _path(folder, facts.name)
    if path.exists():
        raise VerificationError(
            f"There is a trust list {facts.name} already.",
            fix="Give another --name, or replace the list with: platemark trust import",
        )
    return _store(path, pem, facts)


def import_list(folder: Path, pem: bytes, *, facts: "NewList") -> Imported:
    """Store a list, in place of the one that had its name, and say what changed.

    Raises:
        VerificationError: the certificates are refused, or the list of that name is of another kind or of a later
            date.
    """
    path = _path(folder, facts.name)
    before = _read_list(path) if path.exists() else None
    if before is not None and before.facts.kind != facts.kind:
        raise VerificationError(
            f"The trust list {facts.name} is of kind {before.facts.kind}; a {facts.kind} list cannot replace it.",
            fix=f"Give another --name, or run: platemark trust remove {facts.name}",
        )
    if before is not None and before.facts.snapshot > facts.snapshot:
        raise VerificationError(
            f"The trust list {facts.name} is of {before.facts.snapshot}; one of {facts.snapshot} is older.",
            fix=f"To go back all the same, first run: platemark trust remove {facts.name}",
        )
    stored = _store(path, pem, facts)
    old = {_subject(each): None for each in before.certificates()} if before is not None else {}
    new = {_subject(each): None for each in stored.certificates()}
    return Imported(
        stored=stored,
        added=tuple(each for each in new if each not in old),
        removed=tuple(each for each in old if each not in new),
    )


def remove_list(folder: Path, name: str) -> None:
    """Delete a list; a damaged one too.

    Raises:
        VerificationError: there is no list of that name.
    """
    try:
        _path(folder, name).unlink()
    except FileNotFoundError as error:
        known = ", ".join(each.stem for each in sorted(folder.glob("*.pem")))
        raise VerificationError(
            f"There is no trust list {name}.", fix=f"There are: {known}." if known else "There are none."
        ) from error
    except OSError as error:
        raise VerificationError(f"The trust list {name} cannot be removed ({error.strerror}).") from error
    sync_directory(folder)


@dataclass(frozen=True, slots=True)
class NewList:
    """What a list is to be stored as.

    Args:
        name: 1 to 64 of a to z, 0 to 9, dot and hyphen; begins and ends with a letter or digit.
        kind: what it is for.
        snapshot: the day its content is of.

    Raises:
        VerificationError: the name or the kind cannot be.
    """

    name: str
    kind: TrustKind
    snapshot: date

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise VerificationError(
                f"A list's name has 1 to 64 of a-z, 0-9, dot and hyphen; got {self.name[:40]!r}.",
                fix="For example: --name c2pa-official",
            )
        if not is_trust_kind(self.kind):
            raise VerificationError(
                f"A list is for one of {', '.join(KINDS)}; got {str(self.kind)[:20]!r}.",
                fix="For example: --kind manifest",
            )


def is_trust_kind(kind: str) -> TypeGuard[TrustKind]:
    """Say whether a word names a kind of list."""
    return kind in KINDS


def suggest_name(path: Path) -> str:
    """Make a list's name from that of its file."""
    words = re.sub(r"[^a-z0-9.]+", "-", path.stem.lower())
    return words[:64].strip("-.") or "list"


def read_pem(path: Path) -> bytes:
    """Read a file of certificates, whose content is judged later.

    Raises:
        VerificationError: it is missing or far too long.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_ANCHOR_BYTES + 1)
    except OSError as error:
        raise VerificationError(
            f"The certificates in {path} cannot be read ({error.strerror}).", fix="Name a PEM file."
        ) from error
    if len(content) > MAX_ANCHOR_BYTES:
        raise VerificationError(f"{path} is over {MAX_ANCHOR_BYTES} bytes; a trust list is smaller.")
    return content


def _read_all(paths: tuple[Path, ...]) -> tuple[bytes, ...]:
    return tuple(read_pem(path) for path in paths)


def _path(folder: Path, name: str) -> Path:
    if _NAME.fullmatch(name) is None:  # a name is also a file name, and must not lead elsewhere
        raise VerificationError(f"There is no trust list {plain_text(name, 40)!r}.")
    return folder / f"{name}.pem"


def _store(path: Path, pem: bytes, facts: NewList) -> TrustList:
    certificates = read_certificates(pem, where="list")
    for each in certificates:
        _refuse_leaf(each)
    unique = {each.fingerprint(SHA256()): each for each in certificates}.values()
    body = b"".join(each.public_bytes(Encoding.PEM) for each in unique)
    front = (
        f"# platemark trust list 1\n# name: {facts.name}\n# kind: {facts.kind}\n"
        f"# snapshot: {facts.snapshot.isoformat()}\n"
    ).encode("ascii")
    digest = sha256_bytes(front + body)
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, front + f"# sha256: {digest}\n\n".encode("ascii") + body)
    except OSError as error:
        raise VerificationError(f"The trust list {path} cannot be written ({error.strerror}).") from error
    return TrustList(ListFacts(facts.name, facts.kind, facts.snapshot, digest, len(unique)), body)


def _refuse_leaf(certificate: x509.Certificate) -> None:
    """Refuse what cannot vouch for anybody: adding a signer's own certificate is the usual mistake."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        constraints = None
    if constraints is None or not constraints.ca:
        raise VerificationError(
            f"A trust list holds certificates of authorities; {_subject(certificate)} is not one.",
            fix="Ask the signer for the root certificate that its certificate was issued under.",
        )


def _read_list(path: Path) -> TrustList:
    fix = f"Run: platemark trust remove {path.stem} , and add the list again from its source."
    content = read_pem(path)
    match = _HEADER.match(content)
    if match is None or path.name != f"{match[2].decode()}.pem":
        raise VerificationError(
            f"{path} is not a trust list that `platemark trust` stored.",
            fix="Move it away, and add it with the command.",
        )
    body = content[match.end() :]
    digest = sha256_bytes(match[1] + body)
    kind = match[3].decode()
    if digest != match[5].decode() or not is_trust_kind(kind):
        raise VerificationError(f"The trust list {path.stem} was changed after it was stored.", fix=fix)
    try:
        snapshot = date.fromisoformat(match[4].decode())
    except ValueError as error:
        raise VerificationError(f"The trust list {path.stem} has no readable date.", fix=fix) from error
    count = len(read_certificates(body, where=f"trust list {path.stem}"))
    return TrustList(ListFacts(path.stem, kind, snapshot, digest, count), body)


def _subject(certificate: x509.Certificate) -> str:
    return plain_text(certificate.subject.rfc4514_string(), 160) or "(no subject)"
