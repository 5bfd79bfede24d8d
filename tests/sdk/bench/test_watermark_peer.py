"""The peer of the mark's benchmark: measured with the same attacks, or left out where it is not there."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from platemark.bench import watermark_peer
from platemark.bench.watermark_clips import BenchClip, draw_clips
from platemark.bench.watermark_peer import find_peer, measure_peer
from platemark.clip import Size

RGB = NDArray[np.uint8]
SIZE = Size(128, 128)


class LoudPeer:
    """A mark that nobody can miss: one bit a column of bright or dark squares along the upper edge."""

    def __init__(self, *, forgets: bool = False) -> None:
        self.forgets = forgets

    def encode(self, frame: RGB, bits: NDArray[np.uint8]) -> RGB:
        """Draw the bits."""
        marked = frame.copy()
        marked[:24] = np.repeat(np.where(bits, 230, 20).astype(np.uint8), 4)[None, :, None]
        return marked

    def decode(self, frame: RGB) -> NDArray[np.uint8]:
        """Read the bits, or none of them."""
        read = frame[4:20].mean(axis=(0, 2)).reshape(32, -1).mean(axis=1) > 128
        return np.asarray(read if not self.forgets else np.zeros(32), np.uint8)


@pytest.fixture(scope="module")
def clip() -> BenchClip:
    return next(draw_clips(SIZE, 3))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(watermark_peer, "_NAMES", ("H.264 CRF 30", "mirror"))
    yield


@pytest.mark.usefixtures("few")
def test_a_peer_is_measured_with_the_attacks_that_are_named(clip: BenchClip) -> None:
    claims = {each.claim: each.value for each in measure_peer([clip], peer=LoudPeer())}

    assert claims["RivaGAN: all 32 bits after: H.264 CRF 30"] == 100
    assert claims["RivaGAN: bits right after: H.264 CRF 30"] == 100
    assert claims["RivaGAN: all 32 bits after: mirror"] == 0
    assert claims["RivaGAN: PSNR, the worst clip"] < 40


@pytest.mark.usefixtures("few")
def test_a_peer_that_reads_nothing_has_no_exact_reading(clip: BenchClip) -> None:
    claims = {each.claim: each.value for each in measure_peer([clip], peer=LoudPeer(forgets=True))}

    assert claims["RivaGAN: all 32 bits after: H.264 CRF 30"] == 0
    assert 20 < claims["RivaGAN: bits right after: H.264 CRF 30"] < 80


@pytest.mark.usefixtures("few")
def test_nothing_is_promised_for_a_peer(clip: BenchClip) -> None:
    assert {each.target for each in measure_peer([clip], peer=LoudPeer())} == {None}


def test_without_clips_nothing_is_claimed() -> None:
    assert measure_peer([], peer=LoudPeer()) == []


def test_where_the_peer_is_not_installed_nothing_is_claimed(clip: BenchClip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watermark_peer, "find_spec", lambda name: None)

    assert find_peer() is None
    assert measure_peer([clip]) == []


def test_a_package_without_its_files_is_not_taken_for_the_peer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "imwatermark.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert find_peer() is None
