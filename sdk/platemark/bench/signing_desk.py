"""What the signing benchmark works on: keys, a manifest and clips of any size, all made on the spot.

One rule: nothing comes from outside, so that anyone can run it anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer

from platemark.homes.home import init, open_home
from platemark_provenance.digest import JsonValue
from platemark_provenance.manifest import (
    GeneratorFacts,
    LabelFacts,
    LedgerFacts,
    ManifestFacts,
    PictureFacts,
    PolicyFacts,
    build_text_to_video_manifest,
)
from platemark_provenance.signing import ClaimSigner, SignedAsset, sign_file
from platemark_provenance.trust import TrustStore


@dataclass(frozen=True, slots=True)
class Desk:
    """A signer, the trust that goes with it, a manifest, and a folder to work in."""

    folder: Path
    signer: ClaimSigner
    trust: TrustStore
    manifest: Mapping[str, JsonValue]

    def sign(self, source: Path, name: str) -> SignedAsset:
        """Sign a clip under a new name in the folder."""
        return sign_file(source, self.folder / name, manifest=self.manifest, signer=self.signer, trust=self.trust)


def open_desk(folder: Path) -> Desk:
    """Make a home with development keys in the folder and open the desk, or open the desk that is there."""
    place = folder / "desk"
    home = open_home(place) if place.exists() else init(place, organisation="Benchmark News")
    return Desk(folder=folder, signer=home.claim_signer(), trust=home.trust_store(), manifest=_manifest())


def make_clip(path: Path, *, size_bytes: int, seed: int = 5) -> Path:
    """Write a clip of about that size that plays: frames of noise as Motion JPEG, four of them over and over."""
    side = (640, 360) if size_bytes < 16_000_000 else (1920, 1080)
    packets = _noise_packets(side, seed)
    with av.open(str(path), "w", format="mp4") as container:
        stream = _add_stream(container, side)
        written = frame = 0
        while written < size_bytes:
            content = packets[frame % len(packets)]
            packet = av.Packet(content)
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 25), True
            packet.pts = packet.dts = frame
            packet.duration = 1
            container.mux(packet)
            written += len(content)
            frame += 1
    return path


def _noise_packets(side: tuple[int, int], seed: int) -> list[bytes]:
    """Encode four frames of noise."""
    width, height = side
    random = np.random.default_rng(seed)
    packets: list[bytes] = []
    with av.open("/dev/null", "w", format="mp4") as container:
        stream = _add_stream(container, side)
        for _ in range(4):
            planes = random.integers(0, 256, (height * 3 // 2, width), dtype=np.uint8)
            packets += map(bytes, stream.encode(av.VideoFrame.from_ndarray(planes, format="yuvj420p")))
        packets += map(bytes, stream.encode(None))
    return packets


def _add_stream(container: OutputContainer, side: tuple[int, int]) -> av.VideoStream:
    stream = container.add_stream("mjpeg", rate=25)
    stream.width, stream.height = side
    stream.pix_fmt = "yuvj420p"
    stream.options = {"qmin": "1", "qmax": "1"}
    return stream


def _manifest() -> Mapping[str, JsonValue]:
    facts = ManifestFacts(
        clip_id="01890a5d-ac96-774b-bcce-b302099a8057",
        title="City lights at night.mp4",
        organisation="Benchmark News",
        created_at=datetime.now(UTC),
        sdk_version="0.1.0",
        generator=GeneratorFacts("embedded", "1", "small world", "2", "ab" * 32),
        picture=PictureFacts((128, 128), (512, 512), Fraction(24), 48),
        label=LabelFacts("AI-generated", "en", (380, 26, 106, 40)),
        policy=PolicyFacts("newsroom", "1.0.0", "cd" * 32, "allow", "decision-1"),
        ledger=LedgerFacts("example.news/ledger", 3, "ef" * 32),
        watermark_id="00112233445566ff",
    )
    return build_text_to_video_manifest(facts)
