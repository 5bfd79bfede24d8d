"""Gather what the classifier may learn from: the sentences written here, and public sets read from a folder by name.

One rule: a set that is not named in `MAY_TRAIN` never reaches the weights; it is read only to be measured.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from examples import written
from fit import letter_matrix
from scipy.sparse import csr_matrix

from platemark_policy.disguise import reveal
from platemark_policy.encoder import encode
from platemark_policy.normalize import normalize
from platemark_policy.passages import passages

# MIT, Apache-2.0, CC-BY-4.0 or CC0; see the card for each.
MAY_TRAIN = (
    "xstest", "harmbench", "advbench", "multijail", "catqa", "square_ko", "curse_ko", "vbench", "vbench2",
    "coco30k", "newsroom_probe",
)  # fmt: skip
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Row:
    """One text and what is known about it.

    Args:
        text: as given.
        label: allow, review or block.
        source: the set it is from.
        lang: en or ko.
        group: rows of one group are never on both sides of a split.
        pieces: the passages the classifier reads; the first is the whole where it is short enough.
    """

    text: str
    label: str
    source: str
    lang: str
    group: str
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Rows, and the senses of every passage in them.

    Args:
        rows: everything that was read.
        index: passage to its row in the arrays.
        vectors: (n, 512).
        letters: (n, BUCKETS).
    """

    rows: tuple[Row, ...]
    index: dict[str, int]
    vectors: npt.NDArray[np.float64]
    letters: csr_matrix


def read_corpus(folder: Path, cache: Path | None) -> Corpus:
    """Read every set in a folder and the sentences written here, and encode their passages."""
    rows = [*_written_rows(), *_public_rows(folder)]
    pieces = list(dict.fromkeys(piece for row in rows for piece in row.pieces))
    known = _read_cache(cache)
    missing = [piece for piece in pieces if piece not in known]
    known |= dict(zip(missing, encode(missing), strict=True))
    vectors = np.stack([known[piece] for piece in pieces]).astype(np.float64)
    if cache is not None:
        np.savez(cache, pieces=np.array(pieces), vectors=vectors.astype(np.float32))
    return Corpus(tuple(rows), {piece: place for place, piece in enumerate(pieces)}, vectors, letter_matrix(pieces))


def _read_cache(cache: Path | None) -> dict[str, npt.NDArray[np.float32]]:
    if cache is None or not cache.is_file():
        return {}
    with np.load(cache, allow_pickle=False) as stored:
        return dict(zip(stored["pieces"].tolist(), stored["vectors"], strict=True))


def _written_rows() -> Iterator[Row]:
    for example in written(per_line=14, seed=1):
        label = "block" if example.harmful else "allow"
        yield _row(example.text, label, example.source, example.lang, example.group)


def _public_rows(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            given = json.loads(line)
            source, label = given["source"], given["label"]
            # Its "review" rows are ordinary questions about the news.
            label = "allow" if source == "square_ko" else label
            yield _row(given["text"], label, source, given["lang"], f"{source}:{given['id']}")


def _row(text: str, label: str, source: str, lang: str, group: str) -> Row:
    plain = normalize(text[:_LONGEST])
    return Row(text, label, source, lang, group, passages((plain, *reveal(plain))))
