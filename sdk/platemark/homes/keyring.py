"""Changing the keys of a home: a new authority, a request to a real one, its answer, and rotation.

One rule: every change is written into the ledger before it counts; where it cannot be written down it does not happen.
What was replaced stays under `keys/retired`, and roots that were replaced stay trusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from platemark.errors import RequestError
from platemark.homes.home import Home
from platemark.homes.key_folder import (
    INTERMEDIATE_CERTIFICATE,
    INTERMEDIATE_KEY,
    KEYS,
    PENDING_KEY,
    ROOT_CERTIFICATE,
    SIGNING_CHAIN,
    SIGNING_KEY,
    authority_files,
    exchange,
    pending_key,
)
from platemark_provenance.certificate_facts import (
    CertificateFacts,
    certificate_facts,
    certificates,
    is_authority,
    is_issued_by,
    public_key_sha256,
)
from platemark_provenance.certificate_lint import lint_certificate
from platemark_provenance.digest import JsonValue, sha256_bytes
from platemark_provenance.errors import SigningError
from platemark_provenance.keys import read_chain, read_private_file, write_private_file
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.new_keys import claim_key_from_pem, new_claim_key, private_pem
from platemark_provenance.outside_request import claim_public_key, place_for_key, request_by_signer
from platemark_provenance.pki import (
    DEVELOPMENT_ALGORITHMS,
    Subject,
    create_development_pki,
    issue_leaf,
    request_certificate,
)
from platemark_provenance.signers.algorithms import algorithm_named, algorithm_of_key
from platemark_provenance.signers.claim_signer import leaf_public_key

HOME_KEY = "file:keys/signing.key"
HOME_CHAIN = "keys/signing.chain.pem"


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A change of the signing certificate that has happened: before, after, and where the old one is kept."""

    old: CertificateFacts
    new: CertificateFacts
    retired: Path

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object of `keys rotate --json` and `keys install --json`."""
        return {"old": self.old.to_json(), "new": self.new.to_json(), "retired": str(self.retired)}


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """A request for a certificate (PEM).

    `fresh` says whether its key was made for it or waited already; `outside` that the key is kept outside the home.
    """

    pem: bytes
    alg: str
    public_key_sha256: str
    fresh: bool
    outside: bool = False

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object of `keys csr --json`."""
        return {
            "csr": self.pem.decode("ascii"),
            "alg": self.alg,
            "public_key_sha256": self.public_key_sha256,
            "fresh": self.fresh,
        }


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What a certificate request says; empty fields come from the home's configuration.

    `public_key` is a file with the public half (PEM) of a key kept outside the home, where that has no certificate yet.
    """

    alg: str = ""
    common_name: str = ""
    email: str = ""
    actor: str | None = None
    public_key: Path | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """The files of an exchange and what the ledger is told about it."""

    files: Mapping[str, bytes]
    how: str
    actor: str | None
    facts: Mapping[str, JsonValue] = field(default_factory=dict)


def rotate_leaf(home: Home, *, alg: str = "", actor: str | None = None) -> Exchanged:
    """Issue a new signing key and certificate under the home's own development authority.

    Args:
        home: whose keys.
        alg: what the new key signs with; as before where it is empty.
        actor: who asked, for the ledger.

    Raises:
        RequestError: the key is kept elsewhere, or the certificate in force comes from an outside authority.
        KeyUnavailable: the authority's key cannot be used, or the folder cannot be written. Nothing has changed.
        SigningError: the algorithm is none for development keys.
        LedgerError: the change cannot be written down, so it was not made.
    """
    _refuse_keys_kept_elsewhere(home)
    _refuse_outside_authority(home)
    publisher = home.config.publisher
    made = issue_leaf(
        read_chain(home.keys / INTERMEDIATE_CERTIFICATE),
        read_private_file(home.keys / INTERMEDIATE_KEY),
        organisation=publisher.organisation,
        country=publisher.country,
        now=home.clock(),
        alg=alg or _usual_algorithm(home.signing_chain()),
    )
    files = {SIGNING_CHAIN: made.chain_pem, SIGNING_KEY: made.key_pem}
    return _exchange(home, _Change(files, "rotate", actor))


def rotate_authority(home: Home, *, alg: str = "", actor: str | None = None) -> Exchanged:
    """Make a new development authority, with a new signing key under it. The old root stays trusted here.

    Raises:
        RequestError: the key is kept elsewhere, or the certificate in force comes from an outside authority.
        KeyUnavailable: the folder cannot be written. Nothing has changed.
        SigningError: the algorithm is none for development keys.
        LedgerError: the change cannot be written down, so it was not made.
    """
    _refuse_keys_kept_elsewhere(home)
    _refuse_outside_authority(home)
    publisher = home.config.publisher
    pki = create_development_pki(
        publisher.organisation,
        now=home.clock(),
        country=publisher.country,
        alg=alg or _usual_algorithm(home.signing_chain()),
    )
    root = sha256_bytes(pki.root_pem)
    return _exchange(home, _Change(authority_files(pki), "rotate-authority", actor, {"root_file_sha256": root}))


def request(home: Home, options: RequestOptions = RequestOptions()) -> CertificateRequest:
    """Write a certificate request for a real authority, with a key that waits in the home for the answer.

    Asked again, the same key is used: the authority's answer to the first request still fits. A key in a token, a key
    service or a program signs the request itself, and stays where it is.

    Raises:
        RequestError: the certificates are kept elsewhere, or the key is for another algorithm.
        SigningError: a name cannot stand in a certificate.
        KeyMismatch: a key kept elsewhere is not the one that `public_key`, or else the certificate in force, names.
        KeyUnavailable: the key cannot be written, read or used.
        LedgerError: the new key cannot be written down, so it was not made.
    """
    publisher = home.config.publisher
    subject = Subject(publisher.organisation, publisher.country, options.common_name, options.email)
    if home.config.signing.key != HOME_KEY:
        return _request_outside(home, options, subject)
    if options.public_key is not None:
        raise RequestError("The signing key lies in this home, so its public half is known.", fix="Name none.")
    _refuse_keys_kept_elsewhere(home)
    waiting = pending_key(home.keys)
    if waiting is None:
        alg = algorithm_named(options.alg or _usual_algorithm(home.signing_chain())).name
        key = new_claim_key(alg)
        digest = public_key_sha256(key.public_key())
        write_private_file(home.keys / PENDING_KEY, private_pem(key))
        _record_new_key(home, alg, digest, options.actor)
    else:
        key = claim_key_from_pem(waiting)
        alg, digest = algorithm_of_key(key.public_key()).name, public_key_sha256(key.public_key())
        if options.alg not in ("", alg):
            raise RequestError(
                f"A key for {alg} waits for its certificate already, and {options.alg[:20]} was asked for.",
                fix=f"Install its certificate, or remove {home.keys / PENDING_KEY} if none will come.",
            )
    return CertificateRequest(request_certificate(key, subject), alg, digest, fresh=waiting is None)


def _request_outside(home: Home, options: RequestOptions, subject: Subject) -> CertificateRequest:
    """Let a key that is kept elsewhere sign the request; nothing in the home changes."""
    named = None if options.public_key is None else read_chain(options.public_key)
    chain = home.signing_chain() if named is None else place_for_key(named, now=home.clock())
    signer = home.signer_for(chain)
    if options.alg not in ("", signer.alg):
        raise RequestError(
            f"The key in [signing] key signs with {signer.alg}; {options.alg[:20]} was asked for.",
            fix="Leave out --algorithm.",
        )
    (leaf,) = certificates(chain)[:1]
    digest = public_key_sha256(claim_public_key(leaf.public_key()))
    return CertificateRequest(request_by_signer(signer, subject), signer.alg, digest, fresh=False, outside=True)


def install(home: Home, chain: Path, *, root: Path | None = None, actor: str | None = None) -> Exchanged:
    """Put the certificate that an authority issued in force.

    1. The chain passes the certificate profile.
    2. The key that waits, else the key in force, is the one the certificate names: it signs a nonce.
    3. The chain leads to a root that this home trusts, or to the one given, which is trusted from then on.
    4. It is written into the ledger, then all files are exchanged in one step.

    Args:
        home: whose keys.
        chain: certificates in PEM, leaf first.
        root: the authority's root certificate (PEM).
        actor: who asked, for the ledger.

    Raises:
        SigningError: the chain breaks a rule, each of which is named, or leads to no trusted root.
        KeyMismatch: neither key is the one that the certificate names.
        KeyUnavailable: a file or key cannot be used. Nothing has changed.
        LedgerError: the change cannot be written down, so it was not made.
    """
    chain_pem = read_chain(chain)
    _refuse_broken_rules(chain_pem, now=home.clock())  # 1
    waiting = pending_key(home.keys)
    key_name = HOME_KEY if waiting is None else f"file:{KEYS}/{PENDING_KEY}"
    home.signer_for(chain_pem, key=home.config.signing.key if waiting is None else key_name)  # 2
    root_pem = None if root is None else read_chain(root)
    _refuse_untrusted_chain(home, chain_pem, root_pem)  # 3
    if home.config.signing.chain != HOME_CHAIN:
        raise RequestError(
            f"The certificates are kept in {home.chain_path}, which is not the home's own file.",
            fix="Replace that file yourself; it passed every check.",
        )
    files = {SIGNING_CHAIN: chain_pem}
    files |= {} if waiting is None else {SIGNING_KEY: waiting}
    files |= {} if root_pem is None else {ROOT_CERTIFICATE: root_pem}
    exchanged = _exchange(home, _Change(files, "install", actor))  # 4
    pending_key(home.keys)  # removes it now that it is in force
    return exchanged


def _exchange(home: Home, change: _Change) -> Exchanged:
    old, new = certificate_facts(home.signing_chain()), certificate_facts(change.files[SIGNING_CHAIN])
    if old.sha256 == new.sha256:
        raise RequestError("This certificate is in force already; nothing was changed.")
    facts: dict[str, JsonValue] = {
        "purpose": "claim-signing",
        "how": change.how,
        "old_sha256": old.sha256,
        "new_sha256": new.sha256,
        "alg": new.alg,
        "subject": new.subject,
        "not_after": new.not_after.isoformat(),
        **change.facts,
    }

    def record() -> None:
        """Write the event down before the change counts."""
        with home.open_ledger() as ledger:
            ledger.append(NewEvent(type=EventType.KEY_ROTATED, actor=change.actor, facts=facts))

    name = f"{home.clock():%Y%m%dT%H%M%SZ}-{old.sha256[:12]}"
    return Exchanged(old, new, exchange(home.keys, change.files, retire_as=name, record=record))


def _record_new_key(home: Home, alg: str, digest: str, actor: str | None) -> None:
    facts: dict[str, JsonValue] = {"purpose": "claim-signing", "by": "csr", "alg": alg, "public_key_sha256": digest}
    recorded = False
    try:
        with home.open_ledger() as ledger:
            ledger.append(NewEvent(type=EventType.KEY_CREATED, actor=actor, facts=facts))
        recorded = True
    finally:
        if not recorded:
            (home.keys / PENDING_KEY).unlink(missing_ok=True)


def _refuse_keys_kept_elsewhere(home: Home) -> None:
    signing = home.config.signing
    if signing.key != HOME_KEY or signing.chain != HOME_CHAIN:
        raise RequestError(
            "The signing key is kept outside this home, so it is made and replaced there.",
            fix="Make the key and its request with your key store's tool, then: platemark keys install CHAIN",
        )


def _refuse_outside_authority(home: Home) -> None:
    (own,) = certificates(read_chain(home.keys / INTERMEDIATE_CERTIFICATE))[:1]
    if own not in certificates(home.signing_chain()):
        raise RequestError(
            "The certificate in force comes from an outside authority, which this home cannot issue for.",
            fix="Ask that authority for the next one: platemark keys csr",
        )


def _refuse_broken_rules(chain_pem: bytes, *, now: datetime) -> None:
    broken = [each for each in lint_certificate(chain_pem, now=now) if each.severity == "error"]
    if broken:
        raise SigningError(
            "This chain cannot sign claims: " + " ".join(f"{each.rule}: {each.message}" for each in broken),
            fix=broken[0].fix or "Ask the authority for a certificate with the usages that your request asked for.",
        )


def _refuse_untrusted_chain(home: Home, chain_pem: bytes, root_pem: bytes | None) -> None:
    given = () if root_pem is None else certificates(root_pem)
    if not all(is_authority(each) for each in given):
        raise SigningError(
            "The root that was named is not a certificate of an authority.", fix="Name the authority's root (PEM)."
        )
    own = (each for pem in home.trust_store().manifest_anchors for each in certificates(pem))
    last = certificates(chain_pem)[-1]
    if not any(last == each or is_issued_by(last, each) for each in (*given, *own)):
        raise SigningError(
            "This chain leads to no root that this home trusts, so its own clips would not verify here.",
            fix="Name the authority's root certificate: platemark keys install CHAIN --root ROOT.pem",
        )


def _usual_algorithm(chain_pem: bytes) -> str:
    alg = algorithm_of_key(leaf_public_key(chain_pem)).name
    return alg if alg in DEVELOPMENT_ALGORITHMS else DEVELOPMENT_ALGORITHMS[0]
