"""Getting a finished clip to its final path: whole, or not at all.

One rule: nothing is ever written at the final path; a finished file is moved there in one step.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platemark.errors import OutputError
from platemark.media.destination import output_error
from platemark_provenance.durable import sync_directory, write_whole

RECEIPT_SUFFIX = ".tlog-proof"
CUE_SUFFIX = ".vtt"
MAX_NAME_BYTES = 255 - len(f".{RECEIPT_SUFFIX}.part")
"""NAME_MAX of Linux's file systems, less what the receipt's own temporary name needs."""
PART_STEM_BYTES = 100


@dataclass(frozen=True, slots=True)
class OutputPaths:
    """The final path of one job and the hidden files beside it that lead there.

    All lie in one directory, so that the last step is a rename inside one file system.
    """

    final: Path
    job_id: str

    @property
    def rendered(self) -> Path:
        """Give the path of the encoded, not yet signed clip."""
        return self._part("render")

    @property
    def signed(self) -> Path:
        """Give the path of the signed clip before it is moved."""
        return self._part("signed")

    @property
    def receipt(self) -> Path:
        """Give the path of the receipt beside the clip."""
        return self.final.with_name(self.final.name + RECEIPT_SUFFIX)

    @property
    def cue(self) -> Path:
        """Give the path of the label's cue: the clip's name with another ending, as players look for it."""
        return self.final.with_suffix(CUE_SUFFIX)

    @property
    def cue_part(self) -> Path:
        """Give the path of the cue before it is moved."""
        return self._part("cue")

    def _part(self, step: str) -> Path:
        # The ending stays: the C2PA library and Pillow choose the format by it.
        stem = self.final.stem.encode("utf-8", "surrogateescape")[:PART_STEM_BYTES].decode("utf-8", "ignore")
        return self.final.with_name(f".{stem}.{self.job_id[-12:]}.{step}.part{self.final.suffix}")

    def remove_parts(self) -> tuple[Path, ...]:
        """Remove the hidden files, and give those that were there."""
        removed = []
        for part in (self.rendered, self.signed, self.cue_part):
            with contextlib.suppress(FileNotFoundError):
                part.unlink()
                removed.append(part)
        return tuple(removed)


def check_final_path(final: Path, *, overwrite: bool | None, endings: tuple[str, ...] = (".mp4",)) -> None:
    """Refuse an output path that exists, is a directory, has an impossible name, or lies where nothing can be written.

    Args:
        final: where the file shall go.
        overwrite: whether it may exist; None where nobody can ask for that.
        endings: the endings that fit what is made, in lower case.

    Raises:
        OutputError: says which and what to do.
    """
    check_output_name(final, endings=endings)
    for path in (final, final.with_name(final.name + RECEIPT_SUFFIX)):
        check_free(path, overwrite=overwrite)


def check_free(path: Path, *, overwrite: bool | None) -> None:
    """Refuse a path whose directory is missing, or, without `overwrite`, one where something is already.

    Args:
        path: where a file shall go.
        overwrite: whether it may exist; None where nobody can ask for that.

    Raises:
        OutputError: says which.
    """
    try:
        if not path.parent.is_dir():
            raise OutputError(f"The directory {path.parent} does not exist.", fix="Make it first.")
        if path.exists() and not overwrite:
            if overwrite is None:
                raise OutputError(f"{path} exists already.", fix="Choose another name with --out.")
            raise OutputError(f"{path} exists already.", fix="Choose another name, or pass --overwrite.")
    except OSError as error:
        raise output_error(error.errno, path) from error


def check_output_name(final: Path, *, endings: tuple[str, ...]) -> None:
    """Refuse a name that a file cannot have, that is a directory's, or that does not say what the file will be.

    Args:
        final: where the file shall go.
        endings: the endings that fit, in lower case.

    Raises:
        OutputError: says which and what to do.
    """
    try:
        length = len(final.name.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise OutputError("The output's name is not text in UTF-8.", fix="Choose another name.") from error
    if not 0 < length <= MAX_NAME_BYTES or "\0" in str(final):
        raise OutputError(
            f"The output's name must have 1 to {MAX_NAME_BYTES} bytes and no NUL; it has {length} bytes.",
            fix="Choose another name.",
        )
    try:
        is_folder = final.is_dir()
    except OSError as error:
        raise output_error(error.errno, final) from error
    if is_folder:
        raise OutputError(f"{final} is a directory.", fix="Name a file, for example clip.mp4.")
    if final.suffix.lower() not in endings:
        raise OutputError(
            f"The output must be named {' or '.join(endings)}; got {final.name!r}.",
            fix=f"For example clip{endings[0]}.",
        )


def create_part(part: Path) -> None:
    """Create an empty hidden file, to find out early whether the directory can be written.

    Raises:
        OutputError: the directory is read-only, full, or not ours.
    """
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except OSError as error:
        raise output_error(error.errno, part) from error


def move_into_place(part: Path, final: Path, *, overwrite: bool) -> None:
    """Move a finished file to its final path in one step and make the directory entry durable.

    Without `overwrite` a hard link is made first: it fails where a rename would silently replace a file that
    somebody else has put there meanwhile.

    Raises:
        OutputError: the path exists by now, or the directory cannot be written.
    """
    try:
        if overwrite:
            part.replace(final)
        else:
            _link_or_rename(part, final)
        sync_directory(final.parent)
    except FileExistsError as error:
        raise OutputError(
            f"{final} was made by somebody else meanwhile.", fix="Choose another name; nothing was replaced."
        ) from error
    except OSError as error:
        raise output_error(error.errno, final) from error


def write_receipt(path: Path, content: bytes) -> None:
    """Write the receipt beside a clip, or its hidden cue, whole or not at all.

    Raises:
        OutputError: the directory cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise output_error(error.errno, path) from error


@contextlib.contextmanager
def job_lock(folder: Path, job_id: str) -> Iterator[None]:
    """Hold the lock of a running job; the operating system lets go of it when the process dies."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{job_id}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def is_running(folder: Path, job_id: str) -> bool:
    """Say whether some process still works on a job."""
    path = folder / f"{job_id}.lock"
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    path.unlink(missing_ok=True)
    return False


def _link_or_rename(part: Path, final: Path) -> None:
    try:
        os.link(part, final)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        # A file system without hard links (FAT, some network shares): check, then rename.
        if final.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final)) from error
        part.replace(final)
        return
    part.unlink()
