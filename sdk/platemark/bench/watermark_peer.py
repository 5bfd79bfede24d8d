"""The same attacks on RivaGAN's learned mark, whose weights are in the wheel of `invisible-watermark`.

One rule: the peer is run as its authors run it, 32 bits in one frame at a time, and only where it is installed.
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from platemark.bench.claims import Claim
from platemark.bench.watermark_attacks import ATTACKS, Attack, compare, make_copy
from platemark.bench.watermark_clips import BenchClip
from platemark.media.video import YuvFrame, to_yuv420

RGB = NDArray[np.uint8]
_BITS = 32
_LEVEL = 0.52
"""Where the authors cut a bit's score. Source: invisible-watermark 0.2.0, imwatermark/rivaGan.py."""
_FRAMES = 3
_NAMES = ("H.264 CRF 30", "H.264 CRF 40", "half scale", "mirror", "crop to a quarter of the area")


class Peer(Protocol):
    """A mark of 32 bits in single frames."""

    def encode(self, frame: RGB, bits: NDArray[np.uint8]) -> RGB:
        """Mark one frame (h, w, 3)."""
        ...

    def decode(self, frame: RGB) -> NDArray[np.uint8]:
        """Read the bits of one frame, whether it has a mark or not."""
        ...


class RivaGan:
    """RivaGAN's two networks. Source: Zhang et al., "Robust invisible video watermarking with attention", 2019."""

    def __init__(self, folder: Path) -> None:
        runtime = import_module("onnxruntime")
        one_thread = runtime.SessionOptions()
        one_thread.intra_op_num_threads = one_thread.inter_op_num_threads = 1
        self._encoder: Any = runtime.InferenceSession(str(folder / "rivagan_encoder.onnx"), one_thread)
        self._decoder: Any = runtime.InferenceSession(str(folder / "rivagan_decoder.onnx"), one_thread)

    def encode(self, frame: RGB, bits: NDArray[np.uint8]) -> RGB:
        """Mark one frame (h, w, 3)."""
        given = {"frame": _scaled(frame), "data": bits[None].astype(np.float32)}
        marked = np.clip(np.asarray(self._encoder.run(None, given)[0], np.float32), -1, 1)
        return np.asarray((marked[0, :, 0].transpose(1, 2, 0) + 1) * 127.5, np.uint8)[:, :, ::-1]

    def decode(self, frame: RGB) -> NDArray[np.uint8]:
        """Read the bits of one frame, whether it has a mark or not."""
        scores = np.asarray(self._decoder.run(None, {"frame": _scaled(frame)})[0], np.float32)[0]
        return np.asarray(scores > _LEVEL, np.uint8)


def find_peer() -> Peer | None:
    """Load RivaGAN where `invisible-watermark` and `onnxruntime` are installed; its other requirements are not used."""
    found = find_spec("imwatermark")
    if found is None or not found.submodule_search_locations or find_spec("onnxruntime") is None:
        return None
    return RivaGan(Path(found.submodule_search_locations[0]))


def measure_peer(clips: Sequence[BenchClip], *, peer: Peer | None = None) -> list[Claim]:
    """Do some of the attacks to the peer's marks; nothing is claimed where there is no peer.

    Args:
        clips: the clips to mark; of each only the first frames are used, for the peer needs seconds a frame.
        peer: what to measure instead of RivaGAN.
    """
    peer = peer or find_peer()
    if peer is None or not clips:
        return []
    bits = np.random.default_rng(3).integers(0, 2, _BITS).astype(np.uint8)
    marked = [tuple(_mark(peer, frame, bits) for frame in clip.frames[:_FRAMES]) for clip in clips]
    costs = [compare(clip.frames[:_FRAMES], frames, every=1) for clip, frames in zip(clips, marked, strict=True)]
    claims = [
        Claim("RivaGAN: PSNR, the worst clip", min(each.psnr_db for each in costs), "dB", None),
        Claim("RivaGAN: VMAF, mean of the clips", float(np.mean([each.vmaf for each in costs])), "", None),
    ]
    for attack in (each for each in ATTACKS if each.name in _NAMES):
        right = [_share_of_bits(peer, attack, frames, bits) for frames in marked]
        exact = 100 * float(np.mean([share == 1.0 for share in right]))
        claims.append(Claim(f"RivaGAN: all 32 bits after: {attack.name}", exact, "%", None, peer=f"{len(right)} clips"))
        claims.append(Claim(f"RivaGAN: bits right after: {attack.name}", 100 * float(np.mean(right)), "%", None))
    return claims


def _mark(peer: Peer, frame: YuvFrame, bits: NDArray[np.uint8]) -> YuvFrame:
    return to_yuv420(np.ascontiguousarray(peer.encode(_to_rgb(frame), bits)))


def _share_of_bits(peer: Peer, attack: Attack, frames: Sequence[YuvFrame], bits: NDArray[np.uint8]) -> float:
    """Read the middle frame of an attacked copy."""
    copied = make_copy(attack, frames).pictures
    return float(np.mean(peer.decode(_to_rgb(copied[len(copied) // 2])) == bits))


def _to_rgb(frame: YuvFrame) -> RGB:
    """Turn BT.709 limited range into RGB, chroma repeated. Source: ITU-R BT.709-6, item 3."""
    luma = (frame.y.astype(np.float32) - 16) / 219
    blue, red = (
        np.repeat(np.repeat((plane.astype(np.float32) - 128) / 224, 2, axis=0), 2, axis=1)[
            : luma.shape[0], : luma.shape[1]
        ]
        for plane in (frame.u, frame.v)
    )
    green = luma - 0.1873 * blue - 0.4681 * red
    picture = np.stack([luma + 1.5748 * red, green, luma + 1.8556 * blue], axis=-1)
    return np.asarray(np.clip(np.rint(255 * picture), 0, 255), np.uint8)


def _scaled(frame: RGB) -> NDArray[np.float32]:
    """Give one frame as (1, 3, 1, h, w) in [-1, 1], blue first, as the networks take it."""
    values = frame[:, :, ::-1].astype(np.float32) / 127.5 - 1
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None, :, None])
