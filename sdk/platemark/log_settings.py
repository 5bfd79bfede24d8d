"""What a home can be told about its log: its name, its witnesses, where its heads are anchored.

One rule: definitions only; `config` alone reads the file and the environment.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

_SECTION = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def without_pin(key: str) -> str:
    """Refuse the URI of a key that holds a PIN.

    Raises:
        ValueError: it does.
    """
    if "pin-value=" in key or "pin-source=" in key:
        raise ValueError('a PIN never stands in a configuration; name where it comes from: "env:NAME" or "prompt"')
    return key


class LedgerNaming(BaseModel):
    """The log's name in checkpoints and receipts, chosen once: a log under another name is another log.

    `url` is the address of a PostgreSQL server; without one the log is a file in the home. A password belongs in the
    environment (`PLATEMARK_LEDGER__URL`), not in the file.
    `kek` names the key that wraps the keys of people: a file, a token or a program, as `[signing] key` does; empty for
    one that is made from `payload.key`. `kek_secret` says where its PIN comes from.
    `search` keeps the words of prompts in the clear, so that `audit query --words` finds them; erasing deletes them.
    """

    model_config = _SECTION

    origin: str = Field(default="", max_length=200)
    search: Literal["off", "on"] = "off"
    kek: str = Field(default="", pattern="^([a-z][a-z0-9+.-]*:.+)?$", max_length=4096)
    kek_secret: str = Field(default="", pattern="^(env:[A-Za-z_][A-Za-z0-9_]*|prompt)?$", max_length=200)
    url: str = Field(default="", max_length=1_000, repr=False)

    @field_validator("kek")
    @classmethod
    def _holds_no_pin(cls, kek: str) -> str:
        return without_pin(kek)


class WitnessSettings(BaseModel):
    """What is wanted of the witnesses that were added to the log; see `platemark audit witness`.

    `best-effort` writes down which of them did not confirm the log; `require` makes no clip that fewer than `at_least`
    confirm. `timeout_s` is for each step of an answer.
    """

    model_config = _SECTION

    mode: Literal["best-effort", "require"] = "best-effort"
    at_least: int = Field(default=1, ge=1, le=16)
    timeout_s: float = Field(default=2.0, gt=0, le=60)


class AnchorSettings(BaseModel):
    """Where `audit anchor` leaves signed tree heads: directories, `s3://bucket/prefix`, or time-stamp authorities.

    `s3_endpoint` is for a store that is not Amazon's. Its keys come from the environment and never stand here.
    """

    model_config = _SECTION

    places: tuple[Annotated[str, Field(min_length=1, max_length=1024)], ...] = Field(default=(), max_length=16)
    s3_endpoint: str = Field(default="", pattern="^(https?://[!-~]+)?$", max_length=1024)
    s3_region: str = Field(default="us-east-1", pattern="^[a-z0-9-]{1,63}$")
