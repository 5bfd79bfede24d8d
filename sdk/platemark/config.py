"""The only reader of `platemark.toml` and of the environment.

One rule: an unknown key is refused with the nearest name that exists; a typing error must never switch a check off.
Environment variables win over the file: `PLATEMARK_LABEL__LANGUAGE=ko` is `[label] language = "ko"`.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from platemark.clip import MAX_FPS, MAX_SECONDS, MIN_FPS, MIN_SECONDS, Size
from platemark.errors import HomeError, PlatemarkError, RequestError

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


class GenerationDefaults(BaseModel):
    """What a request gets where it does not say."""

    model_config = _SECTION

    model: str = Field(default="embedded", min_length=1, max_length=64)
    size: Annotated[str, BeforeValidator(_check_size)] = "512x512"
    fps: int = Field(default=12, ge=MIN_FPS, le=MAX_FPS)
    seconds: float = Field(default=2.0, ge=MIN_SECONDS, le=MAX_SECONDS)


class LabelDefaults(BaseModel):
    """The visible label: `auto` follows the prompt's language, an empty text means the standard wording."""

    model_config = _SECTION

    language: Literal["auto", "en", "ko"] = "auto"
    text: str = Field(default="", max_length=60)


class PolicySettings(BaseModel):
    """The rule pack in force; empty means the newsroom pack that comes with platemark."""

    model_config = _SECTION

    pack: str = Field(default="", max_length=1024)


class TrustSettings(BaseModel):
    """Files with further root certificates (PEM) whose signatures this home trusts."""

    model_config = _SECTION

    anchors: tuple[str, ...] = Field(default=(), max_length=64)


class Config(BaseSettings):
    """Everything a home can be told, checked. Values are frozen."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__", validate_default=True
    )

    format: int = HOME_FORMAT
    publisher: Publisher = Publisher()
    generation: GenerationDefaults = GenerationDefaults()
    label: LabelDefaults = LabelDefaults()
    policy: PolicySettings = PolicySettings()
    trust: TrustSettings = TrustSettings()

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


def default_config_text(*, organisation: str, country: str, language: str) -> str:
    """Give the text of a new home's configuration file."""
    return f"""# platemark home. Unknown keys are refused. Environment variables win: PLATEMARK_LABEL__LANGUAGE=ko
format = {HOME_FORMAT}

[publisher]
organisation = {_toml_string(organisation)}
country = {_toml_string(country)}

[generation]
model = "embedded"
size = "512x512"
fps = 12
seconds = 2.0

[label]
language = {_toml_string(language)}

[policy]
pack = ""        # empty: the newsroom pack that comes with platemark

[trust]
anchors = []     # files with further root certificates (PEM)
"""


def environment_home() -> Path | None:
    """Give the home that the environment names, if it names one."""
    value = os.environ.get(HOME_VARIABLE, "")
    return Path(value) if value else None


def user_data_home() -> Path:
    """Give the directory used when nothing else names a home (XDG Base Directory, `XDG_DATA_HOME`)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "share") / "platemark"


def _refuse_newer_format(path: Path, table: Mapping[str, object]) -> None:
    found = table.get("format", HOME_FORMAT)
    if isinstance(found, int) and found > HOME_FORMAT:
        raise HomeError(
            f"{path} has format {found}; this platemark knows formats up to {HOME_FORMAT}.",
            fix="Upgrade platemark, or use the version that made this home.",
        )


def _checked(path: Path, table: dict[str, object]) -> Config:
    _refuse_unknown_variables()
    try:
        return Config(**table)  # type: ignore[arg-type]  # pydantic checks every value
    except ValidationError as error:
        raise _explained(path, error) from error


def _refuse_unknown_variables() -> None:
    known = {
        f"{ENV_PREFIX}{section}__{key}".upper()
        for section, field in Config.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        for key in field.annotation.model_fields
    }
    for name in os.environ:
        if name.startswith(ENV_PREFIX) and "__" in name and name.upper() not in known:
            raise HomeError(f"The environment variable {name} names no setting.", fix=_nearest(name, known))


def _explained(path: Path, error: ValidationError) -> PlatemarkError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return HomeError(f"{path} has the unknown key {where!r}.", fix=_nearest(where, _known_keys()))
    return HomeError(f"{path}: {where} is not valid: {first['msg']}.", fix="Correct that value.")


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
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
