"""Looking at the keys of a home: which there are, how long they last, and which rules a certificate breaks.

One rule: nothing here changes anything, and no part of a secret is ever shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from platemark.errors import PlatemarkError
from platemark.homes.home import Home
from platemark.homes.key_folder import (
    INTERMEDIATE_CERTIFICATE,
    LEDGER_KEY,
    PAYLOAD_SECRET,
    ROOT_CERTIFICATE,
    SIGNING_CHAIN,
    WATERMARK_SECRET,
    pending_key,
    retired_sets,
)
from platemark_provenance.certificate_facts import certificate_facts, public_key_sha256
from platemark_provenance.certificate_lint import EXPIRES_SOON, CertificateFinding, days_left, lint_certificate
from platemark_provenance.digest import JsonValue
from platemark_provenance.keys import load_ledger_signing_key, load_secret, read_chain
from platemark_provenance.new_keys import claim_key_from_pem
from platemark_provenance.signers.algorithms import algorithm_of_key
from platemark_provenance.signers.claim_signer import KeyMismatch

State = Literal["ok", "expires-soon", "expired", "unusable", "waiting", "retired"]


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """One key or certificate and how it stands.

    `days_left` is `None` for what does not run out. `note` says what is wrong, or what kind of thing it is; `fix`
    what to do about it. `sha256` is of a certificate or a public key, never of a secret.
    """

    name: str
    state: State
    note: str = ""
    fix: str = ""
    alg: str = ""
    subject: str = ""
    sha256: str = ""
    not_after: datetime | None = None
    days_left: int | None = None

    @property
    def ok(self) -> bool:
        """Say whether work can go on with it."""
        return self.state not in ("expired", "unusable")

    def to_json(self) -> dict[str, JsonValue]:
        """Give one entry of `keys status --json`."""
        return {
            "name": self.name,
            "state": self.state,
            "note": self.note,
            "fix": self.fix,
            "alg": self.alg,
            "subject": self.subject,
            "sha256": self.sha256,
            "not_after": None if self.not_after is None else self.not_after.isoformat(),
            "days_left": self.days_left,
        }


def key_status(home: Home) -> tuple[KeyStatus, ...]:
    """Examine every key of a home: what signs, who issued it, what waits, what was replaced, and the secrets.

    Certificates that run out within 30 days are `expires-soon`.
    """
    now = home.clock()
    found = [_attempt("claim signing", lambda: _signing(home, now))]
    for name, file in (("intermediate", INTERMEDIATE_CERTIFICATE), ("root", ROOT_CERTIFICATE)):
        if (home.keys / file).exists():
            found.append(_attempt(name, partial(_certificate, name, home.keys / file, now)))
    found.append(_attempt("waiting for a certificate", lambda: _waiting(home)))
    found.append(_attempt("ledger", lambda: _ledger(home)))
    for name, file in (("watermark", WATERMARK_SECRET), ("payload", PAYLOAD_SECRET)):
        found.append(_attempt(name, partial(_secret, name, home.keys / file)))
    retired = [each / SIGNING_CHAIN for each in retired_sets(home.keys) if (each / SIGNING_CHAIN).exists()]
    found += [_attempt("retired", partial(_retired, path, now)) for path in retired]
    return tuple(each for each in found if each is not None)


def lint_chain(chain: Path, *, now: datetime) -> tuple[CertificateFinding, ...]:
    """Name every rule that the certificates in a file break.

    Args:
        chain: certificates in PEM, leaf first.
        now: the moment validity is judged at, aware.

    Raises:
        KeyUnavailable: the file cannot be read.
    """
    return lint_certificate(read_chain(chain), now=now)


def lint_home(home: Home) -> tuple[CertificateFinding, ...]:
    """Name every rule that the certificates in force break, and whether the signing key is theirs.

    Raises:
        KeyUnavailable: the certificates cannot be read.
    """
    chain = home.signing_chain()
    return (*lint_certificate(chain, now=home.clock()), *_lint_key(home.claim_signer))


def lint_key_with(home: Home, chain: Path, *, key: str) -> tuple[CertificateFinding, ...]:
    """Name what is wrong with a key beside a file of certificates: `key.mismatch`, or `key.unavailable`.

    Args:
        home: gives the passphrase or PIN, and is what a relative path in the URI is relative to.
        chain: certificates in PEM, leaf first.
        key: the key's URI.
    """
    return _lint_key(lambda: home.signer_for(read_chain(chain), key=key))


def _lint_key(open_signer: Callable[[], object]) -> tuple[CertificateFinding, ...]:
    try:
        open_signer()
    except KeyMismatch as error:
        return (CertificateFinding("key.mismatch", "error", error.message, error.fix),)
    except PlatemarkError as error:
        return (CertificateFinding("key.unavailable", "error", error.message, error.fix),)
    return ()


def _attempt(name: str, look: Callable[[], KeyStatus | None]) -> KeyStatus | None:
    try:
        return look()
    except PlatemarkError as error:
        return KeyStatus(name, "unusable", error.message, error.fix)


def _signing(home: Home, now: datetime) -> KeyStatus:
    status = _certificate("claim signing", home.chain_path, now)
    broken = [each for each in lint_home(home) if each.severity == "error" and each.rule != "leaf.expired"]
    if not broken:
        return status
    first = broken[0]
    return KeyStatus(
        status.name,
        "unusable",
        f"{first.rule}: {first.message}",
        first.fix,
        status.alg,
        status.subject,
        status.sha256,
        status.not_after,
        status.days_left,
    )


def _certificate(name: str, path: Path, now: datetime) -> KeyStatus:
    chain = read_chain(path)
    facts, left = certificate_facts(chain), days_left(chain, now=now)
    state: State = "expired" if left < 0 else "expires-soon" if left < EXPIRES_SOON.days else "ok"
    fix = "" if state == "ok" else _renewal(name)
    return KeyStatus(
        name,
        state,
        fix=fix,
        alg=facts.alg,
        subject=facts.subject,
        sha256=facts.sha256,
        not_after=facts.not_after,
        days_left=left,
    )


def _renewal(name: str) -> str:
    if name == "claim signing":
        return "Run: platemark keys rotate (or, with a real authority: platemark keys csr)"
    return "Run: platemark keys rotate --authority"


def _waiting(home: Home) -> KeyStatus | None:
    pem = pending_key(home.keys)
    if pem is None:
        return None
    public_key = claim_key_from_pem(pem).public_key()
    return KeyStatus(
        "waiting for a certificate",
        "waiting",
        "its certificate was asked for",
        "When the answer comes: platemark keys install CHAIN",
        alg=algorithm_of_key(public_key).name,
        sha256=public_key_sha256(public_key),
    )


def _ledger(home: Home) -> KeyStatus:
    key = load_ledger_signing_key(home.keys / LEDGER_KEY)
    return KeyStatus("ledger", "ok", "signs checkpoints", alg="ed25519", sha256=public_key_sha256(key.public_key()))


def _secret(name: str, path: Path) -> KeyStatus:
    load_secret(path)
    return KeyStatus(name, "ok", "secret, does not run out")


def _retired(path: Path, now: datetime) -> KeyStatus:
    facts, left = certificate_facts(read_chain(path)), days_left(read_chain(path), now=now)
    return KeyStatus(
        "retired",
        "retired",
        f"kept in {path.parent.name}",
        alg=facts.alg,
        subject=facts.subject,
        sha256=facts.sha256,
        not_after=facts.not_after,
        days_left=left,
    )
