"""Under which licence a model folder lies, where that licence does not apply, and what it asks for.

One rule: the table is data, read from `model_licences.json`, and it fails closed: what any sign in the folder points to
counts, and an operator's word never takes a restriction away. A licence that nothing points to is said to be unknown.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter

from platemark.errors import LicenceForbids
from platemark.generation.model_folder import ModelFolder

TABLE = Path(__file__).parent / "model_licences.json"
UNKNOWN = "LicenseRef-unknown"
MAX_TEXT_BYTES = 65_536
_STRICT = ConfigDict(extra="forbid")
_TEXTS = ("LICENSE", "LICENCE", "LICENSE.txt", "LICENSE.md", "LICENCE.txt", "LICENCE.md")
_FRONT_MATTER = re.compile(r"^(license|license_name):\s*[\"']?([^\"'\n]{1,120})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class KnownLicence:
    """One row of the table.

    Attributes:
        id: an SPDX expression.
        names: as model cards write it, lower case.
        text_marks: words that its text holds near the start, lower case.
        pipelines: how the names of pipeline classes begin whose models are under it, whatever the folder says.
        excluded: countries (ISO 3166-1 alpha-2) and regions where it does not apply.
        conditions: what it asks for, in plain sentences.
        source: where it can be read.
    """

    id: str
    names: tuple[str, ...]
    text_marks: tuple[str, ...]
    pipelines: tuple[str, ...]
    excluded: tuple[str, ...]
    conditions: tuple[str, ...]
    source: str
    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class _Table:
    schema: str
    licences: tuple[KnownLicence, ...]
    regions: dict[str, tuple[str, ...]]
    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class ModelLicence:
    """What a publisher must know before a model's clips are shown.

    Attributes:
        expression: SPDX; several joined by AND where several signs point to different ones.
        excluded: countries where it does not apply, regions spelt out, sorted.
        conditions: what it asks for, in plain sentences.
        known: whether anything pointed to a licence.
    """

    expression: str
    excluded: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    known: bool = True


def find_licence(folder: ModelFolder, *, declared: str = "") -> ModelLicence:
    """Read what a folder says about its licence: its pipeline's class, its model card, its licence text.

    Args:
        folder: the model's.
        declared: what the operator wrote into the configuration; it names a licence where the folder does not, and
            never takes a restriction away.
    """
    table = _table()
    signs = {sign.strip().lower() for sign in (*_card_names(folder.path), declared) if sign.strip()}
    text = _licence_text(folder.path)
    found = [row for row in table.licences if _points_to(row, folder.pipeline, signs, text)]
    if found:
        return ModelLicence(
            " AND ".join(row.id for row in found),
            excluded=_countries(table, (area for row in found for area in row.excluded)),
            conditions=tuple(condition for row in found for condition in row.conditions),
        )
    if declared:
        return ModelLicence(declared, conditions=("The operator named this licence; platemark does not know it.",))
    return ModelLicence(
        UNKNOWN, known=False, conditions=("The folder names no licence that is known: find out before you publish.",)
    )


def check_territories(name: str, excluded: Sequence[str], territories: Iterable[str]) -> None:
    """Refuse a model whose licence does not apply where the publisher is, or shows its clips.

    Args:
        name: the model's.
        excluded: countries where its licence does not apply.
        territories: of the publisher, as ISO 3166-1 alpha-2.

    Raises:
        LicenceForbids: names the countries.
    """
    outside = sorted(set(excluded) & set(territories))
    if outside:
        raise LicenceForbids(
            f"The licence of the model {name!r} does not apply in {', '.join(outside)}, to its clips either.",
            fix="Use another model; platemark models show says what each licence asks for.",
        )


@lru_cache(maxsize=1)
def _table() -> _Table:
    return TypeAdapter(_Table).validate_json(TABLE.read_bytes())


def _points_to(row: KnownLicence, pipeline: str, signs: set[str], text: str) -> bool:
    return (
        any(pipeline.startswith(prefix) for prefix in row.pipelines)
        or any(sign in row.names for sign in signs)
        or any(sign == row.id.lower() for sign in signs)
        or any(mark in text for mark in row.text_marks)
    )


def _countries(table: _Table, areas: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({country for area in areas for country in table.regions.get(area, (area,))}))


def _card_names(folder: Path) -> list[str]:
    """Give what the front matter of a model card calls the licence."""
    text = _read_text(folder / "README.md")
    if not text.startswith("---"):
        return []
    return [match[2] for match in _FRONT_MATTER.finditer(text.split("\n---", 1)[0])]


def _licence_text(folder: Path) -> str:
    words = " ".join(_read_text(folder / name) for name in _TEXTS).lower()
    return " ".join(words.split())


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_TEXT_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
