"""Damage to signed clips, by the thousand: every one of them must be noticed and none may stop the verifier.

One rule: damage follows from a seed, so that a case that fails can be made again. A reading that still says trusted
must be, word for word, the reading of the clip as it was signed, but for the padding that no signature covers.
"""

import random
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from platemark.bench.signing_desk import Desk
from platemark_provenance.verification import ProvenanceReading, read_provenance

Damage = Callable[[random.Random, bytes], bytes]

_KINDS = (b"free", b"skip", b"uuid", b"mdat", b"moov", b"ftyp", b"jumb", b"mfra", b"\0\0\0\0", b"\xff\xfe\x80%")
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the damaged copies.

    Attributes:
        cases: how many copies were read.
        tampered: how many were called tampered.
        changed_and_trusted: the seeds of copies that were called trusted with another reading than the original's.
        crashed: the seeds of copies that raised, and what.
    """

    cases: int
    tampered: int
    changed_and_trusted: tuple[int, ...]
    crashed: tuple[tuple[int, str], ...]

    @property
    def escaped(self) -> int:
        """Count what must never happen."""
        return len(self.changed_and_trusted) + len(self.crashed)


def box_of(content: bytes, kind: bytes) -> range:
    """Give the bytes of a top-level box, its header left out."""
    for start, size, found in boxes(content):
        if found == kind:
            return range(start + 8, start + size)
    raise LookupError(kind.decode("latin-1"))


def boxes(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Walk the top-level boxes: start, size, kind."""
    at = 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        size = size if size >= 8 else len(content) - at
        yield at, size, kind
        at += size


def flip_media(dice: random.Random, content: bytes) -> bytes:
    """Flip one bit in the media data."""
    return _flip(dice, content, box_of(content, b"mdat"))


def flip_manifest(dice: random.Random, content: bytes) -> bytes:
    """Flip one bit in the manifest's box."""
    return _flip(dice, content, box_of(content, b"uuid"))


def truncate(dice: random.Random, content: bytes) -> bytes:
    """Cut the file off anywhere."""
    return content[: dice.randrange(len(content))]


def add_box(dice: random.Random, content: bytes) -> bytes:
    """Put a box of random kind, size and content between two boxes, with a size field that may lie."""
    places = [start for start, _, _ in boxes(content)] + [len(content)]
    kind = dice.choice((*_KINDS, dice.randbytes(4)))
    body = (_C2PA if kind == b"uuid" and dice.random() < 0.5 else b"") + dice.randbytes(dice.randrange(64))
    honest = 8 + len(body)
    size = dice.choice((honest, honest, honest, 0, 1, 7, honest + 1, 2**31, 2**32 - 1))
    at = dice.choice(places)
    return content[:at] + struct.pack(">I4s", size, kind) + body + content[at:]


def run_campaign(desk: Desk, signed: Path, damage: Damage, *, cases: int, first_seed: int = 0) -> Tally:
    """Damage so many copies of a signed clip, and read each of them."""
    content, copy = signed.read_bytes(), desk.folder / "damaged.mp4"
    whole = replace(read_provenance(signed, desk.trust), path=copy)
    tampered, changed, crashed = 0, [], []
    # In a thread of its own, so that whatever a reading raises comes back as a value: finding it is what this is for.
    with ThreadPoolExecutor(1) as elsewhere:
        for seed in range(first_seed, first_seed + cases):
            copy.write_bytes(damage(random.Random(seed), content))
            ended = elsewhere.submit(read_provenance, copy, desk.trust)
            error = ended.exception()
            if error is not None:
                crashed.append((seed, f"{type(error).__name__}: {error}"))
                continue
            reading = ended.result()
            tampered += reading.integrity == "tampered"
            if is_believed(reading) and replace(reading, unsigned_bytes=whole.unsigned_bytes) != whole:
                changed.append(seed)
    copy.unlink()
    return Tally(cases, tampered, tuple(changed), tuple(crashed))


def is_believed(reading: ProvenanceReading) -> bool:
    """Say whether a reader would take the manifest at its word."""
    return reading.integrity == "intact" and reading.signer == "trusted"


def _flip(dice: random.Random, content: bytes, where: range) -> bytes:
    changed = bytearray(content)
    changed[dice.choice(where)] ^= 1 << dice.randrange(8)
    return bytes(changed)
