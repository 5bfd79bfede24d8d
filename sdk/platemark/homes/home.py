"""A home: one directory with the configuration, the keys and the ledger of one newsroom.

One rule: the configuration file is written last, so a directory that has it is complete. `claim_signer` is the one
way to the key that signs.
"""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from platemark.config import (
    CONFIG_NAME,
    Config,
    Publisher,
    default_config_text,
    default_origin,
    environment_home,
    read_config,
    user_data_home,
)
from platemark.errors import HomeError, KeyUnavailable
from platemark.homes.key_folder import (
    KEYS,
    LEDGER_KEY,
    LEDGER_PUBLIC,
    PAYLOAD_SECRET,
    WATERMARK_EPOCH,
    WATERMARK_SECRET,
    WEBHOOK_SECRET,
    finish_exchange,
    make_keys,
    own_roots,
    read_succession,
    reading,
)
from platemark.homes.key_wrapping import key_wrapper
from platemark.homes.secret_source import SecretSource
from platemark.homes.trust_files import trust_from_files
from platemark.homes.witness_roster import read_panel
from platemark_provenance.certificate_facts import certificate_facts
from platemark_provenance.digest import JsonValue, sha256_bytes
from platemark_provenance.durable import write_whole
from platemark_provenance.keys import load_ledger_signing_key, load_secret, read_chain, write_private_file
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.new_keys import new_secret
from platemark_provenance.pki import check_development_algorithm
from platemark_provenance.signers.algorithms import algorithm_of_key
from platemark_provenance.signers.claim_signer import ClaimSigner, leaf_public_key
from platemark_provenance.signers.uri import STANDARD_SIGNERS, AskSecret, SignerRequest, SignerTable
from platemark_provenance.trust import TrustStore
from platemark_provenance.trust_lists import TRUST_FOLDER, load_trust

# Slow to load, and needed by few commands each: imported where they are used.
if TYPE_CHECKING:
    from platemark.homes.records import RecordBook
    from platemark.homes.review_desk import ReviewDesk
    from platemark_policy.engine import Engine
    from platemark_policy.history import Limits
    from platemark_policy.pack import RulePack
    from platemark_provenance.ledger.store import Ledger
    from platemark_provenance.signers.wrapping import WrapperTable
    from platemark_provenance.timestamps import TimeStampPolicy
    from platemark_provenance.watermark.keys import WatermarkKeys

PACK_FOLDER = "packs"
"""Where the rule packs put in force are kept, inside a home."""

JOBS = "jobs"
LEDGER_FILE = "ledger.sqlite3"
CHECKPOINT_STATE = "checkpoint.state"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Give the present moment, aware and in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Home:
    """An existing home. Keys and database are opened when they are asked for, not before.

    `signers` opens the signing key by its URI; `ask_secret` gives its passphrase or PIN where it has one. `wrappers`
    opens the key that wraps the keys of people; None for those that come with platemark.
    """

    path: Path
    config: Config
    clock: Clock = utc_now
    signers: SignerTable = STANDARD_SIGNERS
    ask_secret: AskSecret = field(default_factory=lambda: SecretSource(""))
    wrappers: "WrapperTable | None" = None

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
        return self.config.ledger.url or ledger_url(self.path)

    def open_ledger(self) -> "Ledger":
        """Open the ledger for reading and appending; see `_open_ledger` for what is raised."""
        return self._open_ledger(read_only=False)

    def open_ledger_read_only(self) -> "Ledger":
        """Open the ledger for reading without a trace; see `_open_ledger` for what is raised."""
        return self._open_ledger(read_only=True)

    def _open_ledger(self, *, read_only: bool) -> "Ledger":
        """Open the ledger.

        Raises:
            KeyUnavailable: the ledger key or the payload key cannot be read.
            VerificationError: the log's earlier keys do not lead to this one.
            LedgerError: the database is missing, locked, corrupt, or of another schema.
        """
        from platemark_provenance.ledger.settings import LedgerSettings
        from platemark_provenance.ledger.store import Ledger

        # Not `reading`: an exchange of keys is written into the ledger while it holds the folder.
        finish_exchange(self.keys)
        signing_key = load_ledger_signing_key(self.keys / LEDGER_KEY)
        succession = read_succession(self.keys)
        settings = LedgerSettings(
            origin=self._origin(),
            signing_key=signing_key,
            succession=succession,
            read_only=read_only,
            wrapper=key_wrapper(self.path, self.config.ledger, self.wrappers),
            payload_key=load_secret(self.keys / PAYLOAD_SECRET),
            clock=self.clock,
            state_path=self.path / CHECKPOINT_STATE,
            keeps_words=self.config.ledger.search == "on",
            panel=read_panel(self.path, self.config.witnesses),
        )
        return Ledger.open(self.ledger_url, settings=settings)

    def claim_signer(self) -> ClaimSigner:
        """Open the claim-signing key that the configuration names and check it against its certificate.

        Raises:
            KeyMismatch: key and certificate do not belong together.
            KeyUnavailable: key or chain is gone, garbled, locked, too open, or the key store does not answer.
        """
        with reading(self.keys):
            return self.signer_for(read_chain(self.chain_path))

    def signer_for(self, chain_pem: bytes, *, key: str | None = None) -> ClaimSigner:
        """Open a claim-signing key with the given certificates; that they belong together is proved.

        Args:
            chain_pem: the certificates in PEM, leaf first.
            key: the key's URI; the configured one where it is left out.

        Raises:
            KeyMismatch: key and certificate do not belong together.
            KeyUnavailable: as `claim_signer`.
        """
        chosen = self.config.signing.algorithm
        alg = algorithm_of_key(leaf_public_key(chain_pem)).name if chosen == "auto" else chosen
        request = SignerRequest(chain_pem, alg, self.path, self.ask_secret)
        try:
            return self.signers.open(key or self.config.signing.key, request)
        except KeyUnavailable:
            if isinstance(self.ask_secret, SecretSource):
                self.ask_secret.forget()
            raise

    @property
    def chain_path(self) -> Path:
        """Give the file of the claim-signing certificates."""
        return self.path / self.config.signing.chain

    def check_watermark_secret(self) -> None:
        """Make sure that the watermark master secret can be read, without deriving anything from it.

        Raises:
            KeyUnavailable: it is gone, garbled or too open.
        """
        load_secret(self.keys / WATERMARK_SECRET)

    @property
    def watermark_epoch_path(self) -> Path:
        """Give the file that says in which epoch marks are made; epoch 1 has none."""
        return self.keys / WATERMARK_EPOCH

    def watermark_epoch(self) -> int:
        """Give the epoch that marks are made in, from 1.

        Raises:
            KeyUnavailable: the file of the epoch is garbled.
        """
        try:
            said = self.watermark_epoch_path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return 1
        except (OSError, UnicodeDecodeError):
            said = ""
        if not said.isdigit() or len(said) > 3 or int(said) == 0:
            raise KeyUnavailable(
                f"{self.watermark_epoch_path} should hold the number of the watermark epoch, and does not.",
                fix="Write the highest number there that `platemark audit query --type key.rotated` names for it.",
            )
        return int(said)

    def watermark_keys(self, epoch: int | None = None) -> "WatermarkKeys":
        """Derive the watermark keys of an epoch, of the one in force where none is named, from the master secret.

        Raises:
            KeyUnavailable: the secret or the epoch cannot be read.
        """
        from platemark_provenance.watermark.keys import derive_keys

        return derive_keys(load_secret(self.keys / WATERMARK_SECRET), epoch=epoch or self.watermark_epoch())

    def time_stamp_policy(self) -> "TimeStampPolicy":
        """Give whether signatures get an RFC 3161 time-stamp, and from which authority."""
        from platemark_provenance.timestamps import TimeStampPolicy

        return TimeStampPolicy(self.config.signing.timestamp, self.config.signing.tsa_url)

    def signing_chain(self) -> bytes:
        """Read the claim-signing certificate and its chain (PEM).

        Raises:
            KeyUnavailable: the file cannot be read.
        """
        return read_chain(self.chain_path)

    def policy_engine(self) -> "Engine":
        """Open the policy engine with the pack in force and the guard that the configuration names.

        Raises:
            KeyUnavailable: the payload key cannot be read.
            PolicyError: the pack cannot be used, or prompts may not go to the guard.
        """
        from platemark.homes.guarding import guards_for
        from platemark_policy.engine import Engine
        from platemark_policy.references import Demands

        policy = self.config.policy
        return Engine(
            self.policy_pack(),
            input_key=load_secret(self.keys / PAYLOAD_SECRET),
            guards=guards_for(policy, self.path),
            demands=Demands(looks=policy.pictures == "required", rights=policy.rights == "required"),
        )

    def record_book(self, ledger: "Ledger", engine: "Engine") -> "RecordBook":
        """Open the records of consent and rights that an open ledger holds, under this home's rules."""
        from platemark.homes.records import RecordBook

        return RecordBook(ledger, clock=self.clock, name_person=engine.name_person, keepers=self.config.desk.keepers)

    @property
    def refusal_limits(self) -> "Limits":
        """Give how many refusals within an hour are usual here."""
        from platemark_policy.history import Limits

        return Limits(self.config.policy.refusals_an_hour, self.config.policy.refusals_of_a_kind)

    def webhook_secret(self) -> bytes:
        """Give the secret shared with whoever receives webhooks; it is made the first time.

        Raises:
            KeyUnavailable: it cannot be read or made.
        """
        path = self.keys / WEBHOOK_SECRET
        if not path.exists():
            write_private_file(path, new_secret())
        return load_secret(path)

    def review_desk(self, ledger: "Ledger") -> "ReviewDesk":
        """Open the review queue that an open ledger holds, under this home's rules."""
        from platemark.homes.review_desk import ReviewDesk, ReviewRules

        review = self.config.review
        rules = ReviewRules(review.editors, timedelta(hours=review.hours), review.overrulers)
        return ReviewDesk(ledger, clock=self.clock, rules=rules)

    def policy_pack(self) -> "RulePack":
        """Load the rule pack in force: the one configured, else the one installed, else the one that comes with us.

        Raises:
            RulePackError: the pack is malformed or fails its own examples.
        """
        from platemark.homes.pack_keys import has_pack_key, pack_public_key
        from platemark_policy.pack_store import PackStore, load_configured_pack
        from platemark_policy.rules import load_pack

        publisher = pack_public_key(self.keys) if has_pack_key(self.keys) else None
        if self.config.policy.pack:
            return load_configured_pack(self.path / self.config.policy.pack, publisher)
        installed = PackStore(self.path / PACK_FOLDER, publisher).in_force() if publisher is not None else None
        return installed or load_pack(None)

    def trust_store(self, extra: tuple[Path, ...] = ()) -> TrustStore:
        """Give the roots this home trusts: its own, those they replaced, its configuration's, its lists, and `extra`.

        Raises:
            HomeError: a file of certificates cannot be read.
            VerificationError: a stored list was changed or is garbled.
        """
        listed = tuple(self.path / name for name in self.config.trust.anchors)
        files = trust_from_files((*own_roots(self.keys), *listed, *extra))
        return files.joined(load_trust(self.path / TRUST_FOLDER))

    def _origin(self) -> str:
        return self.config.ledger.origin or default_origin(self.config.publisher.organisation)


def ledger_url(home: Path) -> str:
    """Give the SQLAlchemy URL of the ledger in a home."""
    return f"sqlite:///{(home / LEDGER_FILE).resolve()}"


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
    """Give the directory that `init` works on: the one named, else `PLATEMARK_HOME`, else the user's data directory."""
    named = path or environment_home()
    return named.absolute() if named is not None else user_data_home()


def exists(path: Path | None) -> bool:
    """Say whether `init` would find a complete home there."""
    return (home_directory(path) / CONFIG_NAME).exists()


def open_home(
    path: Path,
    *,
    clock: Clock = utc_now,
    signers: SignerTable = STANDARD_SIGNERS,
    ask_secret: AskSecret | None = None,
) -> Home:
    """Open an existing home after checking that it is whole and that its keys are the owner's alone.

    Args:
        path: the directory.
        clock: gives the present moment, aware and in UTC.
        signers: which scheme of `[signing] key` is opened by whom; extend it for a key service of your own.
        ask_secret: gives the signing key's passphrase or PIN; as `[signing] secret` says where it is left out.

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
    finish_exchange(keys)
    return Home(path, config, clock, signers, ask_secret or SecretSource(config.signing.secret))


def init(
    path: str | Path | None = None,
    *,
    organisation: str = "Unnamed newsroom",
    country: str = "KR",
    language: str = "auto",
    alg: str = "es256",
    clock: Clock = utc_now,
) -> Home:
    """Make a home, or finish a half-made one, or open the one that is there.

    Development keys are made: a root, an intermediate and a claim-signing certificate, a ledger key, a watermark
    master secret and a payload key. Nothing that exists is ever replaced.

    Args:
        path: the directory; the user's data directory where none is named.
        organisation: the publisher's name in certificates, 1 to 64 characters.
        country: two capital letters (ISO 3166-1 alpha-2).
        language: the label's language, `en`, `ko`, or `auto` to follow each prompt.
        alg: what claims are signed with: es256, es384, ps256 or ed25519.
        clock: gives the present moment, aware and in UTC.

    Raises:
        HomeError: the directory cannot be made, or holds other things.
        SigningError: the algorithm is none of these.
    """
    home = home_directory(Path(path) if path is not None else None)
    if (home / CONFIG_NAME).exists():
        return open_home(home, clock=clock)
    _check_names(organisation, country, language)
    check_development_algorithm(alg)
    from platemark_migrations import upgrade  # Alembic takes a fifth of a second to load

    try:
        _refuse_foreign_directory(home)
        home.mkdir(parents=True, exist_ok=True)
        with _alone_in(home):
            if (home / CONFIG_NAME).exists():
                return open_home(home, clock=clock)  # somebody else made it while we waited
            make_keys(home, organisation=organisation, country=country, alg=alg, now=clock())
            (home / JOBS).mkdir(mode=0o700, exist_ok=True)
            upgrade(ledger_url(home))
            text = default_config_text(organisation=organisation, country=country, language=language)
            _record_keys(Home(home, Config(publisher=Publisher(organisation=organisation, country=country)), clock))
            write_whole(home / CONFIG_NAME, text.encode("utf-8"))
    except OSError as error:
        raise HomeError(
            f"A home cannot be made in {home}: {error.strerror}.", fix="Choose a directory that you may write to."
        ) from error
    return open_home(home, clock=clock)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep every other process that makes a home in this directory waiting."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _record_keys(home: Home) -> None:
    """Write down which keys the home was made with. The events' ids are made from the keys: a retry adds none."""
    leaf = certificate_facts(home.signing_chain())
    made: dict[str, dict[str, JsonValue]] = {
        leaf.sha256: {"purpose": "claim-signing", "by": "init", **leaf.to_json()},
        sha256_bytes((home.keys / LEDGER_PUBLIC).read_bytes()): {"purpose": "ledger", "by": "init", "alg": "ed25519"},
    }
    with home.open_ledger() as ledger:
        for digest, facts in made.items():
            event_id = str(uuid5(NAMESPACE_URL, f"platemark:key.created:{digest}"))
            ledger.append(NewEvent(type=EventType.KEY_CREATED, facts=facts | {"sha256": digest}, event_id=event_id))


def _check_names(organisation: str, country: str, language: str) -> None:
    if not organisation.strip() or len(organisation) > 64 or not organisation.isprintable():
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
    database = {f"{LEDGER_FILE}{end}" for end in ("", "-wal", "-shm", "-journal")}
    ours = {CONFIG_NAME, KEYS, JOBS, CHECKPOINT_STATE, f"{KEYS}.partial", *database}
    if home.exists() and not home.is_dir():
        raise HomeError(f"{home} is a file, not a directory.", fix="Name a directory.")
    strangers = sorted({p.name for p in home.iterdir()} - ours) if home.is_dir() else []
    visible = [name for name in strangers if not name.startswith(".")]
    if visible:
        raise HomeError(
            f"{home} holds other things ({', '.join(visible[:3])}).", fix="Name a new or an empty directory."
        )
