"""A home: one directory with the configuration, the keys and the ledger of one newsroom.

One rule: the configuration file is written last, so a directory that has it is complete. Beside
`platemark_provenance.signing` this is the only importer of the key reader.
"""

import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from platemark.config import (
    CONFIG_NAME,
    Config,
    default_config_text,
    environment_home,
    read_config,
    user_data_home,
)
from platemark.errors import HomeError
from platemark_migrations import upgrade
from platemark_policy.engine import Engine
from platemark_policy.pack import RulePack
from platemark_policy.rules import load_pack
from platemark_provenance.durable import sync_directory, write_whole
from platemark_provenance.keys import (
    ClaimSigner,
    load_claim_signer,
    load_ledger_signing_key,
    load_secret,
    write_private_file,
)
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.new_keys import new_ledger_key, new_secret
from platemark_provenance.pki import create_development_pki
from platemark_provenance.trust import TrustStore
from platemark_provenance.watermark.keys import WatermarkKeys, derive_keys

KEYS = "keys"
JOBS = "jobs"
LEDGER_FILE = "ledger.sqlite3"
CHECKPOINT_STATE = "checkpoint.state"
ROOT_CERTIFICATE = "root.pem"
SIGNING_CHAIN = "signing.chain.pem"
SIGNING_KEY = "signing.key"
LEDGER_KEY = "ledger.key"
LEDGER_PUBLIC = "ledger.pub.pem"
WATERMARK_SECRET = "watermark.key"  # noqa: S105  a file name
PAYLOAD_SECRET = "payload.key"  # noqa: S105  a file name
MAX_ANCHOR_BYTES = 1_048_576

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Give the present moment, aware and in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Home:
    """An existing home. Keys and database are opened when they are asked for, not before."""

    path: Path
    config: Config
    clock: Clock = utc_now

    @property
    def keys(self) -> Path:
        """Give the directory of the keys."""
        return self.path / KEYS

    @property
    def jobs(self) -> Path:
        """Give the directory of the locks that running jobs hold."""
        return self.path / JOBS

    @property
    def ledger_url(self) -> str:
        """Give the database's SQLAlchemy URL."""
        return ledger_url(self.path)

    def open_ledger(self) -> Ledger:
        """Open the ledger for reading and appending.

        Raises:
            KeyUnavailable: the ledger key or the payload key cannot be read.
            LedgerError: the database is missing, locked, corrupt, or of another schema.
        """
        settings = LedgerSettings(
            origin=self._origin(),
            signing_key=load_ledger_signing_key(self.keys / LEDGER_KEY),
            payload_key=load_secret(self.keys / PAYLOAD_SECRET),
            clock=self.clock,
            state_path=self.path / CHECKPOINT_STATE,
        )
        return Ledger.open(self.ledger_url, settings=settings)

    def claim_signer(self) -> ClaimSigner:
        """Open the claim-signing key and check it against its certificate.

        Raises:
            KeyUnavailable: key or chain is gone, garbled, too open, or they do not belong together.
        """
        return load_claim_signer(self.keys / SIGNING_KEY, self.keys / SIGNING_CHAIN)

    def watermark_keys(self) -> WatermarkKeys:
        """Derive the watermark keys from the master secret."""
        return derive_keys(load_secret(self.keys / WATERMARK_SECRET))

    def signing_chain(self) -> bytes:
        """Read the claim-signing certificate and its chain (PEM).

        Raises:
            HomeError: the file cannot be read.
        """
        return _read_anchor(self.keys / SIGNING_CHAIN)

    def policy_engine(self) -> Engine:
        """Open the policy engine with the pack in force."""
        return Engine(self.policy_pack(), input_key=load_secret(self.keys / PAYLOAD_SECRET))

    def policy_pack(self) -> RulePack:
        """Load the rule pack in force.

        Raises:
            RulePackError: the pack is malformed or fails its own examples.
        """
        chosen = self.config.policy.pack
        return load_pack((self.path / chosen) if chosen else None)

    def trust_store(self, extra: tuple[Path, ...] = ()) -> TrustStore:
        """Give the roots this home trusts: its own, those of its configuration, and `extra`.

        Raises:
            HomeError: a file of certificates cannot be read.
        """
        listed = tuple(self.path / name for name in self.config.trust.anchors)
        own = self.keys / ROOT_CERTIFICATE
        return trust_from_files((own, *listed, *extra))

    def _origin(self) -> str:
        name = "".join(c if c.isalnum() else "-" for c in self.config.publisher.organisation.lower()).strip("-")
        return f"platemark.local/{name or 'newsroom'}"


def ledger_url(home: Path) -> str:
    """Give the SQLAlchemy URL of the ledger in a home."""
    return f"sqlite:///{(home / LEDGER_FILE).resolve()}"


def trust_from_files(paths: tuple[Path, ...]) -> TrustStore:
    """Read root certificates (PEM) into a trust store for claim signers.

    Raises:
        HomeError: a file is missing, too large, or holds no certificate.
    """
    return TrustStore(manifest_anchors=tuple(_read_anchor(path) for path in paths))


def find_home(explicit: Path | None = None, *, start: Path | None = None) -> Path | None:
    """Find the home: the one named, `PLATEMARK_HOME`, the nearest above `start`, else the user's data directory.

    Returns:
        The directory, or `None` where nothing names one and the user's data directory holds none.
    """
    named = explicit or environment_home()
    if named is not None:
        return named.absolute()
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder
    fallback = user_data_home()
    return fallback if (fallback / CONFIG_NAME).is_file() else None


def home_directory(path: Path | None) -> Path:
    """Give the directory that `init` works on: the one named, else the user's data directory."""
    return path.absolute() if path is not None else user_data_home()


def exists(path: Path | None) -> bool:
    """Say whether `init` would find a complete home there."""
    return (home_directory(path) / CONFIG_NAME).exists()


def open_home(path: Path, *, clock: Clock = utc_now) -> Home:
    """Open an existing home after checking that it is whole and that its keys are the owner's alone.

    Raises:
        HomeError: it is no home, half-made, from a newer version, or readable by others.
    """
    if path.is_dir() and not (path / CONFIG_NAME).exists() and (path / KEYS).exists():
        raise HomeError(
            f"{path} is a half-made home: {CONFIG_NAME} is missing.", fix=f"Finish it with: platemark init {path}"
        )
    config = read_config(path)
    keys = path / KEYS
    if not keys.is_dir():
        raise HomeError(
            f"{path} has no {KEYS} directory.",
            fix="Restore the keys from your backup; new ones would orphan every clip.",
        )
    mode = stat.S_IMODE(keys.stat().st_mode)
    if mode & 0o077:
        raise HomeError(
            f"The keys in {keys} are open to other users (mode {mode:04o}, expected 0700).",
            fix=f"Run: chmod 700 {keys}",
        )
    return Home(path, config, clock)


def init(
    path: str | Path | None = None,
    *,
    organisation: str = "Unnamed newsroom",
    country: str = "KR",
    language: str = "auto",
) -> Home:
    """Make a home, or finish a half-made one, or open the one that is there.

    Development keys are made: a root, an intermediate and a claim-signing certificate, a ledger key, a watermark
    master secret and a payload key. Nothing that exists is ever replaced.

    Args:
        path: the directory; the user's data directory where none is named.
        organisation: the publisher's name in certificates, 1 to 64 characters.
        country: two capital letters (ISO 3166-1 alpha-2).
        language: the label's language, `en`, `ko`, or `auto` to follow each prompt.

    Raises:
        HomeError: the directory cannot be made, or holds other things.
    """
    home = home_directory(Path(path) if path is not None else None)
    if (home / CONFIG_NAME).exists():
        return open_home(home)
    _check_names(organisation, country, language)
    try:
        _refuse_foreign_directory(home)
        home.mkdir(parents=True, exist_ok=True)
        _make_keys(home, organisation=organisation, country=country)
        (home / JOBS).mkdir(mode=0o700, exist_ok=True)
        upgrade(ledger_url(home))
        text = default_config_text(organisation=organisation, country=country, language=language)
        write_whole(home / CONFIG_NAME, text.encode("utf-8"))
    except OSError as error:
        raise HomeError(
            f"A home cannot be made in {home}: {error.strerror}.", fix="Choose a directory that you may write to."
        ) from error
    return open_home(home)


def _check_names(organisation: str, country: str, language: str) -> None:
    if not 1 <= len(organisation.strip()) <= 64 or not organisation.isprintable():
        raise HomeError(
            "The organisation's name must have 1 to 64 printable characters.", fix='For example: --org "Daily Example"'
        )
    if len(country) != 2 or not (country.isascii() and country.isupper()):
        raise HomeError(f"The country must be two capital letters; got {country[:8]!r}.", fix="For example: KR")
    if language not in ("auto", "en", "ko"):
        raise HomeError(
            f"The label's language must be auto, en or ko; got {language[:8]!r}.", fix="For example: --lang ko"
        )


def _refuse_foreign_directory(home: Path) -> None:
    ours = {KEYS, JOBS, LEDGER_FILE, f"{LEDGER_FILE}-wal", f"{LEDGER_FILE}-shm", f"{KEYS}.partial"}
    if home.exists() and not home.is_dir():
        raise HomeError(f"{home} is a file, not a directory.", fix="Name a directory.")
    strangers = sorted({p.name for p in home.iterdir()} - ours) if home.is_dir() else []
    visible = [name for name in strangers if not name.startswith(".")]
    if visible:
        raise HomeError(
            f"{home} holds other things ({', '.join(visible[:3])}).", fix="Name a new or an empty directory."
        )


def _make_keys(home: Path, *, organisation: str, country: str) -> None:
    """Make all keys in a side directory and move it into place at once: a half-made set is never used."""
    if (home / KEYS).exists():
        return
    partial = home / f"{KEYS}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    pki = create_development_pki(organisation, now=utc_now(), country=country)
    ledger_key = new_ledger_key()
    private = {
        "root.key": pki.root_key_pem,
        "intermediate.key": pki.intermediate_key_pem,
        SIGNING_KEY: pki.leaf_key_pem,
        LEDGER_KEY: ledger_key.private_pem,
        WATERMARK_SECRET: new_secret(),
        PAYLOAD_SECRET: new_secret(),
    }
    for name, content in private.items():
        write_private_file(partial / name, content)
    public = {
        ROOT_CERTIFICATE: pki.root_pem,
        "intermediate.pem": pki.intermediate_pem,
        SIGNING_CHAIN: pki.leaf_chain_pem,
        LEDGER_PUBLIC: ledger_key.public_pem,
    }
    for name, content in public.items():
        write_whole(partial / name, content)
    partial.rename(home / KEYS)
    sync_directory(home)


def _read_anchor(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_ANCHOR_BYTES:
            raise HomeError(
                f"{path} is over {MAX_ANCHOR_BYTES} bytes; a list of roots is smaller.", fix="Name a PEM file."
            )
        return path.read_bytes()
    except OSError as error:
        raise HomeError(
            f"The root certificates in {path} cannot be read ({error.strerror}).", fix="Name a PEM file."
        ) from error
