"""One digest over all files of a model, and a memory of it, since tens of gigabytes take a minute to read.

One rule: a remembered digest is used only for a file of the same size, inode and time of change to the nanosecond.
Whoever can write this user's cache could also write the model; pin the digest in the configuration to guard against
either.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from platemark.errors import GenerationError
from platemark_provenance.durable import write_whole

CACHE_FILE = "model-digests.json"
MAX_CACHE_BYTES = 4 * 2**20
MAX_REMEMBERED = 5_000


def hash_model(
    folder: Path,
    files: Sequence[str],
    *,
    cache: Path | None,
    hash_file: Callable[[Path], str] | None = None,
) -> str:
    """Give what `sha256sum FILES | sha256sum` prints inside the folder, files sorted by name.

    Args:
        folder: the model's.
        files: names in it.
        cache: a folder for remembered digests; none to read every byte again.
        hash_file: what reads a file; only tests give another.

    Raises:
        GenerationError: a file cannot be read.
    """
    known = {} if cache is None else _read_cache(cache / CACHE_FILE)
    found: dict[str, str] = {}
    try:
        for name in sorted(files):
            mark = _mark(folder / name)
            found[mark] = known.get(mark) or (hash_file or _sha256)(folder / name)
        lines = "".join(f"{found[_mark(folder / name)]}  {name}\n" for name in sorted(files))
    except (OSError, KeyError) as error:
        raise GenerationError("The model's files cannot be read, or change meanwhile.", fix="Try again.") from error
    if cache is not None and not found.keys() <= known.keys():
        _write_cache(cache / CACHE_FILE, known | found)
    return hashlib.sha256(lines.encode()).hexdigest()


def _mark(path: Path) -> str:
    facts = path.stat()
    return f"{path}:{facts.st_size}:{facts.st_ino}:{facts.st_mtime_ns}:{facts.st_ctime_ns}"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_cache(path: Path) -> dict[str, str]:
    """Read what is remembered; nothing where the file is missing, too long, or not ours."""
    try:
        if path.stat().st_size > MAX_CACHE_BYTES:
            return {}
        table = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(table, dict):
        return {}
    return {mark: digest for mark, digest in table.items() if isinstance(digest, str) and len(digest) == 64}


def _write_cache(path: Path, known: dict[str, str]) -> None:
    kept = dict(list(known.items())[-MAX_REMEMBERED:])
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, json.dumps(kept).encode())
    except OSError:  # a cache that cannot be written costs time, not truth
        return
