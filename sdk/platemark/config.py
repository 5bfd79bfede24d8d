"""The only reader of `platemark.toml` and of the environment.

One rule: an unknown key is refused with the nearest name that exists; a typing error must never switch a check off.
Environment variables win over the file: `PLATEMARK_LABEL__LANGUAGE=ko` is `[label] language = "ko"`.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from platemark.clip import MAX_FPS, MAX_SECONDS, MIN_FPS, MIN_SECONDS, Size
from platemark.errors import HomeError, PlatemarkError, RequestError
from platemark.log_settings import AnchorSettings, LedgerNaming, WitnessSettings, without_pin

CONFIG_NAME = "platemark.toml"
HOME_FORMAT = 1
"""Raised when an older program could misread the directory. An older program refuses a newer format."""
MAX_CONFIG_BYTES = 65_536

ENV_PREFIX = "PLATEMARK_"
HOME_VARIABLE = "PLATEMARK_HOME"
_SECTION = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def _check_size(text: str) -> str:
    try:
        return str(Size.parse(text))
    except RequestError as error:
        raise ValueError(str(error)) from error


class Publisher(BaseModel):
    """Who signs: the organisation's name as it stands in certificates and in every verdict."""

    model_config = _SECTION

    organisation: str = Field(default="Unnamed newsroom", min_length=1, max_length=64)
    country: str = Field(default="KR", pattern="^[A-Z]{2}$")
    territories: tuple[Annotated[str, Field(pattern="^[A-Z]{2}$")], ...] = Field(default=(), max_length=250)

    @property
    def shown_in(self) -> tuple[str, ...]:
        """Give all countries where this publisher works and shows clips; some models' licences exclude some."""
        return (self.country, *self.territories)


class LocalModel(BaseModel):
    """A diffusers pipeline saved in a folder on this machine, and how it is run.

    `licence` names a licence where the folder does not say; `sha256` pins the folder's digest, as `models show` prints
    it.
    """

    model_config = _SECTION

    path: str = Field(min_length=1, max_length=4096)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    offload: Literal["none", "model", "sequential"] = "none"
    threads: int = Field(default=0, ge=0, le=1024)
    licence: str = Field(default="", max_length=200)
    sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")


_ModelName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9._-]{0,63}$")]


class GenerationDefaults(BaseModel):
    """What a request gets where it does not say; named model folders; threads of the embedded model (0: it chooses)."""

    model_config = _SECTION

    model: str = Field(default="embedded", min_length=1, max_length=4096)
    models: dict[_ModelName, LocalModel] = Field(default={}, max_length=64)
    threads: int = Field(default=0, ge=0, le=1024)
    size: Annotated[str, BeforeValidator(_check_size)] = "512x512"
    fps: int = Field(default=12, ge=MIN_FPS, le=MAX_FPS)
    seconds: float = Field(default=2.0, ge=MIN_SECONDS, le=MAX_SECONDS)


class LabelDefaults(BaseModel):
    """The visible label: `auto` follows the prompt's language, an empty text means the standard wording.

    `vtt`: its words also go into a caption file beside each clip. `icon`: a PNG that stands left of them.
    """

    model_config = _SECTION

    language: Literal["auto", "en", "ko", "zh"] = "auto"
    text: str = Field(default="", max_length=60)
    vtt: bool = False
    icon: str = Field(default="", max_length=4096, pattern="^(/.*)?$")


class AigcSettings(BaseModel):
    """China's `AIGC` statement in a clip's metadata: whether it is written, and the producer's registered name or code.

    Without a code the publisher's organisation stands there.
    """

    model_config = _SECTION

    write: bool = False
    producer: str = Field(default="", max_length=256)


class PolicySettings(BaseModel):
    """The rule pack in force (empty: the newsroom pack that comes with platemark), and what is asked beside it.

    `guard` is an address that answers like OpenAI's moderation, on this machine or on one of `guard_hosts`, or
    `folder:PATH` of a guard model whose template `guard_form` names. `pictures`: whether everything waits or is blocked
    where no network can look for nudity; `rights`: whether a given file without a record of rights waits.
    """

    model_config = _SECTION

    pack: str = Field(default="", max_length=1024)
    guard: str = Field(default="", max_length=4096)
    guard_hosts: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = Field(default=(), max_length=16)
    guard_form: Literal["llama-guard", "shieldgemma", "granite-guardian"] = "llama-guard"
    guard_seconds: float = Field(default=10.0, gt=0, le=300)
    pictures: Literal["auto", "required"] = "auto"
    rights: Literal["optional", "required"] = "optional"
    refusals_an_hour: int = Field(default=30, ge=1, le=200)
    refusals_of_a_kind: int = Field(default=10, ge=1, le=200)


_Person = Annotated[str, Field(min_length=1, max_length=200)]


class ReviewSettings(BaseModel):
    """The review queue: who may decide (nobody named means anybody but the one who asked), and for how many hours.

    `overrulers` are those among them who may overrule a block; nobody named means every editor.
    """

    model_config = _SECTION

    editors: tuple[_Person, ...] = Field(default=(), max_length=200)
    overrulers: tuple[_Person, ...] = Field(default=(), max_length=200)
    hours: int = Field(default=72, ge=1, le=24 * 90)


class Approver(BaseModel):
    """Somebody who may act on clips: by name, from which accounts of the operating system (none: any), to do what."""

    model_config = _SECTION

    name: _Person
    os_users: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(default=(), max_length=100)
    may: tuple[Literal["publish", "correct", "withdraw"], ...] = ("publish", "correct", "withdraw")


class DeskSettings(BaseModel):
    """Who may do what at the desk; nobody named means anybody who has the home.

    `keepers` add and withdraw records of consent and rights, `installers` put rule packs in force, `approvers`
    publish, correct and withdraw clips. `separate_accounts`: a clip is not approved from the account of the operating
    system that it was made under.
    """

    model_config = _SECTION

    keepers: tuple[_Person, ...] = Field(default=(), max_length=200)
    installers: tuple[_Person, ...] = Field(default=(), max_length=200)
    approvers: tuple[Approver, ...] = Field(default=(), max_length=200)
    separate_accounts: bool = False


class PublishSettings(BaseModel):
    """The publish gate: whether clips are drafts until a second person approves, and the profiles they must pass."""

    model_config = _SECTION

    gate: bool = False
    profiles: tuple[Annotated[str, Field(pattern="^[a-z0-9][a-z0-9._-]{0,63}$")], ...] = Field(
        default=(), max_length=32
    )


class WebhookSettings(BaseModel):
    """Who is told what happened: one address, and the hosts that messages may go to.

    `private_network`: those hosts may lie in a private network, as an in-house system does.
    """

    model_config = _SECTION

    url: str = Field(default="", max_length=1024)
    hosts: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = Field(default=(), max_length=16)
    private_network: bool = False


class TrustSettings(BaseModel):
    """Files with further root certificates (PEM) whose signatures this home trusts."""

    model_config = _SECTION

    anchors: tuple[str, ...] = Field(default=(), max_length=64)


class VerifySettings(BaseModel):
    """The servers that `verify --online` may fetch a file's manifest from."""

    model_config = _SECTION

    hosts: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = Field(default=(), max_length=64)


class SigningSettings(BaseModel):
    """The key that signs claims, its certificates, and time-stamps.

    `secret` says where a passphrase or PIN comes from, never what it is: `env:NAME` or `prompt`.
    """

    model_config = _SECTION

    key: str = Field(default="file:keys/signing.key", pattern="^[a-z][a-z0-9+.-]*:.", max_length=4096)
    chain: str = Field(default="keys/signing.chain.pem", min_length=1, max_length=1024)
    algorithm: Literal["auto", "es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519"] = "auto"
    secret: str = Field(default="", pattern="^(env:[A-Za-z_][A-Za-z0-9_]*|prompt)?$", max_length=200)
    timestamp: Literal["off", "best-effort", "require"] = "off"
    tsa_url: str = Field(default="", max_length=1024)

    @field_validator("key")
    @classmethod
    def _holds_no_pin(cls, key: str) -> str:
        return without_pin(key)

    @field_validator("tsa_url")
    @classmethod
    def _is_a_plain_address(cls, address: str) -> str:
        try:
            parts = urlsplit(address)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        else:
            good = good and parts.username is None and parts.password is None and address.isprintable()
        if address and (not good or " " in address):
            raise ValueError("it must be like http://tsa.example.com/path, without a name or password")
        return address

    @model_validator(mode="after")
    def _time_stamps_have_a_source(self) -> Self:
        if self.timestamp != "off" and not self.tsa_url:
            raise ValueError(f'timestamp = "{self.timestamp}" needs tsa_url')
        return self


class Config(BaseSettings):
    """Everything a home can be told, checked. Values are frozen."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__", validate_default=True
    )

    format: int = HOME_FORMAT
    publisher: Publisher = Publisher()
    generation: GenerationDefaults = GenerationDefaults()
    label: LabelDefaults = LabelDefaults()
    aigc: AigcSettings = AigcSettings()
    policy: PolicySettings = PolicySettings()
    review: ReviewSettings = ReviewSettings()
    desk: DeskSettings = DeskSettings()
    publish: PublishSettings = PublishSettings()
    webhooks: WebhookSettings = WebhookSettings()
    signing: SigningSettings = SigningSettings()
    ledger: LedgerNaming = LedgerNaming()
    witnesses: WitnessSettings = WitnessSettings()
    anchors: AnchorSettings = AnchorSettings()
    trust: TrustSettings = TrustSettings()
    verify: VerifySettings = VerifySettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, and read nothing else."""
        return env_settings, init_settings


def read_config(home: Path) -> Config:
    """Read and check the configuration of one home.

    Raises:
        HomeError: there is no such file, it is not TOML, it is from a newer version, or a key or value is wrong.
    """
    path = home / CONFIG_NAME
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise HomeError(
            f"{home} is not a platemark home: {CONFIG_NAME} cannot be read ({error.strerror}).",
            fix=f"Make one with: platemark init {home}",
        ) from error
    if len(raw) > MAX_CONFIG_BYTES:
        raise HomeError(
            f"{path} has {len(raw)} bytes; a configuration has at most {MAX_CONFIG_BYTES}.",
            fix="Restore the file from a backup.",
        )
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except ValueError as error:
        raise HomeError(f"{path} is not valid TOML: {error}.", fix="Correct the line it names.") from error
    _refuse_newer_format(path, table)
    return _checked(path, table)


_NEW_CONFIG = """# platemark home. Unknown keys are refused. Environment variables win: PLATEMARK_LABEL__LANGUAGE=ko
format = {format}

[publisher]
organisation = {organisation}
country = {country}

[generation]
model = "embedded"
size = "512x512"
fps = 12
seconds = 2.0

[label]
language = {language}
vtt = false      # true: the label's words also go into a caption file beside each clip (CLIP.vtt)
icon = ""        # a PNG with transparency that stands left of the label's words: "/srv/desk/ai.png"

[aigc]
write = false    # true: clips carry China's AIGC statement in their metadata (GB 45438-2025)
producer = ""    # the producer's registered name or code; empty: the organisation

[policy]
pack = ""        # empty: the newsroom pack that comes with platemark
guard = ""       # a second opinion: an address like http://127.0.0.1:8080/v1/moderations, or folder:PATH of a model

[desk]
keepers = []     # names of those who may add records of consent and rights; empty: anybody
installers = []  # names of those who may put rule packs in force; empty: anybody

[review]
editors = []     # names of those who may decide; empty: anybody but the one who asked
overrulers = []  # names of those who may overrule a block; empty: every editor
hours = 72       # how long a ticket, and then an approval, counts

[publish]
gate = false     # true: clips are drafts until a second person approves them (platemark publish)
profiles = []    # what a clip must pass to be published, such as ["eu-art50", "kr-ai-basic"]

[webhooks]
url = ""         # who is told what happened, such as "https://cms.example/hooks/platemark"
hosts = []       # the hosts that messages may go to, such as ["cms.example"]

[signing]
key = "file:keys/signing.key"       # or pkcs11:…, exec:…, or a scheme that a package adds
chain = "keys/signing.chain.pem"
secret = ""      # where a passphrase or PIN comes from: "env:NAME" or "prompt"; never what it is
timestamp = "off"                   # or "best-effort" or "require", with tsa_url

[ledger]
origin = {origin}   # this log's name; never change it

[witnesses]
mode = "best-effort"   # or "require": no clip that fewer than at_least witnesses confirm
at_least = 1

[anchors]
places = []      # where platemark audit anchor leaves signed tree heads: "/mnt/worm", "s3://bucket/log", "https://tsa…"

[trust]
anchors = []     # files with further root certificates (PEM)

[verify]
hosts = []       # the servers that verify --online may fetch a manifest from; otherwise nothing is ever fetched
"""


def default_config_text(*, organisation: str, country: str, language: str) -> str:
    """Give the text of a new home's configuration file."""
    return _NEW_CONFIG.format(
        format=HOME_FORMAT,
        organisation=_toml_string(organisation),
        country=_toml_string(country),
        language=_toml_string(language),
        origin=_toml_string(default_origin(organisation)),
    )


def default_origin(organisation: str) -> str:
    """Give the name a new home's log gets."""
    name = "".join(c if c.isalnum() else "-" for c in organisation.lower()).strip("-")
    return f"platemark.local/{name or 'newsroom'}"


def environment_home() -> Path | None:
    """Give the home that the environment names, if it names one."""
    value = os.environ.get(HOME_VARIABLE, "")
    return Path(value) if value else None


def secret_variable(name: str) -> bytes:
    """Give the secret that an environment variable holds; empty where it is not set."""
    return os.environb.get(os.fsencode(name), b"")


def user_cache() -> Path:
    """Give the folder for what can be found out again (XDG Base Directory, `XDG_CACHE_HOME`)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "platemark"


def user_data_home() -> Path:
    """Give the directory used when nothing else names a home (XDG Base Directory, `XDG_DATA_HOME`)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "share") / "platemark"


def _refuse_newer_format(path: Path, table: Mapping[str, object]) -> None:
    found = table.get("format", HOME_FORMAT)
    if type(found) is not int or found > HOME_FORMAT:
        raise HomeError(
            f"{path} has format {found!r}; this platemark knows formats up to {HOME_FORMAT}.",
            fix="Upgrade platemark, or use the version that made this home.",
        )


def _checked(path: Path, table: dict[str, object]) -> Config:
    _refuse_unknown_variables()
    try:
        return Config(**table)  # type: ignore[arg-type]  # pydantic checks every value
    except SettingsError as error:
        raise HomeError(
            f"An environment variable does not fit its setting: {error}.", fix='Lists are written as JSON: ["a", "b"].'
        ) from error
    except ValidationError as error:
        raise _explained(path, error) from error


def _refuse_unknown_variables() -> None:
    """Refuse variables that can only be meant for us and name nothing: what they should switch on would stay off."""
    sections = {name.upper() for name in Config.model_fields}
    known = {f"{ENV_PREFIX}{key.replace('.', '__')}".upper() for key in _known_keys() if "." in key}
    for name in os.environ:
        rest = name.removeprefix(ENV_PREFIX)
        ours = rest != name and ("__" in rest or rest.split("_")[0] in sections)
        if ours and name not in known:
            raise HomeError(f"The environment variable {name} names no setting.", fix=_nearest(name, known))


def _explained(path: Path, error: ValidationError) -> PlatemarkError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return HomeError(f"{path} has the unknown key {where!r}.", fix=_nearest(where, _known_keys()))
    variable = f"{ENV_PREFIX}{'__'.join(str(part) for part in first['loc'][:2])}".upper()
    source = f"The environment variable {variable}" if variable in os.environ else f"{path}: {where}"
    return HomeError(f"{source} is not valid: {first['msg']}.", fix="Correct that value.")


def _known_keys() -> set[str]:
    keys: set[str] = set()
    for section, field in Config.model_fields.items():
        keys.add(section)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys.update(f"{section}.{key}" for key in field.annotation.model_fields)
    return keys


def _nearest(name: str, known: set[str]) -> str:
    match = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return f"Did you mean {match[0]!r}?" if match else "Remove it."


def _toml_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
