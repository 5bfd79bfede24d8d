"""Latents kept on disk until their clip is out, so that a decode that fails never samples again.

One rule: they lie in a folder of the home that only its owner reads, named by a digest of everything that decides them,
and they go with the clip: published, refused or cancelled, nothing stays.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from platemark.errors import GenerationError
from platemark.generation.backend import GeneratorInfo, ResolvedRequest
from platemark_provenance.digest import JsonValue, canonical_json

if TYPE_CHECKING:
    from torch import Tensor

LATENTS_FOLDER = "latents"
"""Its name in the home's folder of jobs."""
MAX_KEPT = 8
"""Jobs whose latents are kept at a time: what failed longest ago goes first."""


class LatentKeeper(Protocol):
    """What a generator hands its latents to before it decodes them."""

    def find(self, part: str) -> "Mapping[str, Tensor] | None":
        """Give what was kept under a name by an earlier try; none where nothing was."""
        ...

    def keep(self, part: str, tensors: "Mapping[str, Tensor]") -> None:
        """Keep tensors under a name."""
        ...


class NothingKept:
    """A keeper that keeps nothing: for previews, tests, and callers who decode at once."""

    def find(self, part: str) -> None:
        """Find nothing."""
        del part

    def keep(self, part: str, tensors: "Mapping[str, Tensor]") -> None:
        """Forget it."""
        del part, tensors


NOTHING_KEPT = NothingKept()


class KeptLatents:
    """Latents of one clip, in files of one folder.

    Args:
        folder: where the files lie; made when the first one is written.
        key: of the clip; see `latents_key`.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._key = key

    def find(self, part: str) -> "Mapping[str, Tensor] | None":
        """Give what was kept under a name; none where nothing was, or the file is not whole."""
        from safetensors import SafetensorError
        from safetensors.torch import load

        try:
            return load(self._path(part).read_bytes())
        except (OSError, SafetensorError):
            return None

    def keep(self, part: str, tensors: "Mapping[str, Tensor]") -> None:
        """Keep tensors under a name, whole or not at all.

        Raises:
            GenerationError: the disk is full, or the folder cannot be written.
        """
        from safetensors.torch import save

        path = self._path(part)
        whole = path.with_suffix(".part")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room()
            content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
            descriptor = os.open(whole, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            whole.replace(path)
        except OSError as error:
            whole.unlink(missing_ok=True)
            raise GenerationError(
                f"The latents cannot be kept before they are decoded ({error.strerror}).",
                fix="Free space in the home's file system.",
            ) from error

    def remove(self) -> None:
        """Remove all that was kept of this clip."""
        with suppress(OSError):
            for path in self._folder.glob(f"{self._key}.*"):
                path.unlink(missing_ok=True)

    def _path(self, part: str) -> Path:
        return self._folder / f"{self._key}.{part}.safetensors"

    def _make_room(self) -> None:
        """Remove what belongs to the clips that failed longest ago, this one left out."""
        newest: dict[str, float] = {}
        for path in self._folder.iterdir():
            key = path.name.split(".")[0]
            with suppress(FileNotFoundError):
                newest[key] = max(newest.get(key, 0.0), path.stat().st_mtime)
        newest.pop(self._key, None)
        for key in sorted(newest, key=newest.__getitem__, reverse=True)[MAX_KEPT - 1 :]:
            KeptLatents(self._folder, key).remove()


def latents_key(info: GeneratorInfo, resolved: ResolvedRequest) -> str:
    """Give a digest of everything that decides a clip's latents: equal keys, equal latents."""
    request = resolved.request
    facts: dict[str, JsonValue] = {
        "model": [info.name, info.version, info.weights_sha256 or ""],
        "prompt": request.prompt,
        "size": str(request.size),
        "native": [resolved.native_width, resolved.native_height, resolved.native_frames],
        "frames": [request.frames, request.fps],
        "seed": str(request.seed),
        "sampling": [resolved.steps, repr(resolved.guidance), repr(request.controls)],
        "conditioning": request.conditioning.to_json(),
    }
    return hashlib.sha256(canonical_json(facts)).hexdigest()[:32]
