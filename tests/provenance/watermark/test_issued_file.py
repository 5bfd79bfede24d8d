"""The index as a file: made once, brought up to date, and never believed when it is damaged."""

import logging
import stat
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from platemark_provenance.errors import WatermarkError
from platemark_provenance.watermark.carriers import SoftBits
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.issued_file import IssuedSource, open_issued
from platemark_provenance.watermark.keys import WatermarkKeys, derive_keys
from platemark_provenance.watermark.payload import WatermarkId, encode_payload, seal_payloads
from platemark_provenance.watermark.profile import BROADCAST_3

MASTER = b"a watermark master for tests onl"


def _ids(count: int, *, start: int = 0) -> list[WatermarkId]:
    return [WatermarkId((start + number).to_bytes(8, "big")) for number in range(count)]


@dataclass
class Ledger:
    """A ledger that counts how often it is read at length."""

    ids: list[WatermarkId]
    reads: int = 0
    stamps: list[bytes] = field(default_factory=list)

    def source(self) -> IssuedSource:
        return IssuedSource(f"{len(self.ids)} ids, last {self.ids[-1:]}".encode()[:44], self._read)

    def _read(self) -> Sequence[WatermarkId]:
        self.reads += 1
        return tuple(self.ids)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(_ids(300))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watermark-1.index"


def _best(index: IssuedIds, keys: WatermarkKeys, mark_id: WatermarkId) -> WatermarkId | None:
    signal = 1.0 - 2.0 * encode_payload(keys.mac, mark_id, BROADCAST_3.family)
    found = index.find_best(SoftBits(values=np.asarray(signal), length=float(np.linalg.norm(signal))))
    return None if found is None else found.mark_id


def test_an_index_that_is_not_there_is_made(path: Path, keys: WatermarkKeys, ledger: Ledger) -> None:
    index = open_issued(path, keys, ledger.source())

    assert path.exists()
    assert len(index) == 300
    assert _best(index, keys, ledger.ids[217]) == ledger.ids[217]


def test_a_second_opening_does_not_read_the_ledger(path: Path, keys: WatermarkKeys, ledger: Ledger) -> None:
    open_issued(path, keys, ledger.source())

    index = open_issued(path, keys, ledger.source())

    assert ledger.reads == 1
    assert _best(index, keys, ledger.ids[299]) == ledger.ids[299]
    assert ledger.ids[5] in index


def test_an_index_from_a_file_finds_what_one_from_memory_finds(path: Path, keys: WatermarkKeys, ledger: Ledger) -> None:
    open_issued(path, keys, ledger.source())
    mapped, held = open_issued(path, keys, ledger.source()), IssuedIds.from_ids(keys, ledger.ids)
    noise = np.random.default_rng(4).normal(size=336)
    soft = SoftBits(values=noise, length=float(np.linalg.norm(noise)))

    assert mapped.find_best(soft) == held.find_best(soft)
    np.testing.assert_array_equal(mapped.score_all(soft), held.score_all(soft))


def test_new_ids_are_added(path: Path, keys: WatermarkKeys, ledger: Ledger) -> None:
    open_issued(path, keys, ledger.source())
    ledger.ids += _ids(40, start=5_000)

    index = open_issued(path, keys, ledger.source())

    assert (len(index), ledger.reads) == (340, 2)
    np.testing.assert_array_equal(index.payloads, IssuedIds.from_ids(keys, ledger.ids).payloads)


def test_macs_that_are_known_are_not_made_again(
    path: Path, keys: WatermarkKeys, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_issued(path, keys, ledger.source())
    ledger.ids += _ids(3, start=5_000)
    sealed: list[int] = []

    def seal(key: bytes, ids: Sequence[WatermarkId], family: str) -> NDArray[np.uint8]:
        sealed.append(len(ids))
        return seal_payloads(key, ids, family)

    monkeypatch.setattr("platemark_provenance.watermark.issued_file.seal_payloads", seal)

    open_issued(path, keys, ledger.source())

    assert sealed == [3]


@pytest.mark.parametrize("change", ["released", "replaced", "reordered"])
def test_ids_that_were_taken_back_or_replaced_are_gone(
    path: Path, keys: WatermarkKeys, ledger: Ledger, change: str
) -> None:
    open_issued(path, keys, ledger.source())
    after = {
        "released": ledger.ids[:10] + ledger.ids[11:],
        "replaced": [*ledger.ids[:10], WatermarkId(b"another."), *ledger.ids[11:]],
        "reordered": ledger.ids[::-1],
    }[change]

    index = open_issued(path, keys, IssuedSource(change.encode(), lambda: after))

    np.testing.assert_array_equal(index.payloads, IssuedIds.from_ids(keys, after).payloads)


def test_only_the_owner_may_read_it(path: Path, keys: WatermarkKeys, ledger: Ledger) -> None:
    open_issued(path, keys, ledger.source())

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_else_is_left_in_the_folder(path: Path, keys: WatermarkKeys, ledger: Ledger) -> None:
    open_issued(path, keys, ledger.source())

    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda whole: b"", "0 bytes"),
        (lambda whole: whole[:50], "50 bytes"),
        (lambda whole: whole[:-1], "ids take"),
        (lambda whole: whole + b"\x00", "ids take"),
        (lambda whole: b"XXXX" + whole[4:], "XXXX"),
        (lambda whole: whole[:4] + b"\x09" + whole[5:], "version 9"),
        (lambda whole: whole[:8] + struct.pack(">I", 7) + whole[12:], "epoch 7"),
        (lambda whole: whole[:12] + struct.pack(">Q", 2**63) + whole[20:], "ids take"),
        (lambda whole: whole[:70] + bytes([whole[70] ^ 1]) + whole[71:], "content was changed"),
        (lambda whole: whole[:-5] + bytes([whole[-5] ^ 128]) + whole[-4:], "content was changed"),
        (lambda whole: whole[:30] + bytes([whole[30] ^ 4]) + whole[31:], "content was changed"),
    ],
    ids=["empty", "head", "short", "long", "magic", "version", "epoch", "count", "code", "rows", "stamp"],
)
def test_a_damaged_index_is_made_again_and_said_to_be(
    path: Path, keys: WatermarkKeys, ledger: Ledger, caplog: pytest.LogCaptureFixture, damage: object, told: str
) -> None:
    open_issued(path, keys, ledger.source())
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))

    with caplog.at_level(logging.WARNING):
        index = open_issued(path, keys, ledger.source())

    assert "was damaged" in caplog.text
    assert told in caplog.text
    np.testing.assert_array_equal(index.payloads, IssuedIds.from_ids(keys, ledger.ids).payloads)


def test_after_the_repair_nothing_is_said_any_more(
    path: Path, keys: WatermarkKeys, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    open_issued(path, keys, ledger.source())
    path.write_bytes(b"nonsense" * 40)
    open_issued(path, keys, ledger.source())
    caplog.clear()

    index = open_issued(path, keys, ledger.source())

    assert caplog.text == ""
    assert len(index) == 300


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 64 + 32 + 13 * 20 - 1), bit=st.integers(0, 7))
def test_no_flipped_bit_is_believed(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    keys, ids = derive_keys(MASTER), _ids(20)
    path = tmp_path_factory.mktemp("flip") / "a.index"
    source = IssuedSource(b"20", lambda: ids)
    open_issued(path, keys, source)
    whole = bytearray(path.read_bytes())
    whole[at] ^= 1 << bit
    path.write_bytes(bytes(whole))

    index = open_issued(path, keys, source)

    np.testing.assert_array_equal(index.payloads, IssuedIds.from_ids(keys, ids).payloads)


def test_an_index_made_with_other_keys_is_not_believed(
    path: Path, keys: WatermarkKeys, other_keys: WatermarkKeys, ledger: Ledger
) -> None:
    open_issued(path, other_keys, ledger.source())

    index = open_issued(path, keys, ledger.source())

    assert _best(index, keys, ledger.ids[3]) == ledger.ids[3]


def test_where_it_cannot_be_written_it_is_held_in_memory(
    tmp_path: Path, keys: WatermarkKeys, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    index = open_issued(tmp_path / "no folder" / "a.index", keys, ledger.source())

    assert "held in memory" in caplog.text
    assert _best(index, keys, ledger.ids[1]) == ledger.ids[1]


def test_an_empty_ledger_has_an_empty_index(path: Path, keys: WatermarkKeys) -> None:
    source = IssuedSource(b"none", lambda: ())

    first, again = open_issued(path, keys, source), open_issued(path, keys, source)

    assert len(first) == len(again) == 0
    assert again.find_best(SoftBits(values=np.ones(336), length=18.0)) is None


def test_a_stamp_that_does_not_fit_is_refused(path: Path, keys: WatermarkKeys) -> None:
    with pytest.raises(WatermarkError, match="at most 44 bytes"):
        open_issued(path, keys, IssuedSource(b"x" * 45, tuple))


def test_an_index_that_is_open_outlives_its_replacement(path: Path, keys: WatermarkKeys, ledger: Ledger) -> None:
    open_issued(path, keys, ledger.source())
    early = open_issued(path, keys, ledger.source())
    before = early.payloads.copy()
    ledger.ids += _ids(10, start=9_000)

    open_issued(path, keys, ledger.source())

    np.testing.assert_array_equal(early.payloads, before)
