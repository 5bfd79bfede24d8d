"""Write claims with the C2PA library: the only code that hands it a signer.

One rule: what goes wrong inside a signer is kept and raised here. The library calls it from native code and reports
every exception there as a bad signature.
"""

import io
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, TypeVar

from c2pa import Builder, C2paBuilderIntent, C2paError, C2paSigningAlg, Context, Reader, Signer

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import PlatemarkError, SigningError
from platemark_provenance.fork_gate import native_work
from platemark_provenance.identity import combine_signers
from platemark_provenance.manifest_facts import Ingredient
from platemark_provenance.report_json import Store, mapping
from platemark_provenance.signers.claim_signer import ClaimSigner
from platemark_provenance.trust import Settings

FORMATS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
"""The kinds of files that are signed, by the ending of their names."""

THUMBNAIL_NAME = "thumbnail"
MAX_REPORT_CHARACTERS = 32 * 1024 * 1024
"""Our manifests report 10 kB, long edit histories some hundred; beyond this a report is an attack on memory."""

_T = TypeVar("_T")

Intent = Literal["new", "edit", "update"]
"""A clip made from nothing, one changed from a parent, or only more statements about a parent that stays as it is."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture of the clip, shown by viewers next to its manifest; `media_type` is that of an image."""

    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ClaimOrder:
    """Everything the library is told about one claim. `identity` and its labels and roles go together."""

    manifest: Mapping[str, JsonValue]
    media_type: str
    settings: Settings
    signer: ClaimSigner
    intent: Intent = "new"
    ingredients: tuple[Ingredient, ...] = ()
    thumbnail: Thumbnail | None = None
    time_authority: str | None = None
    identity: ClaimSigner | None = None
    identity_labels: tuple[str, ...] = ()
    identity_roles: tuple[str, ...] = ()
    embed: bool = True


class Watch:
    """Keeps what went wrong inside a `with` block, so that it can be raised where somebody can hear it."""

    error: BaseException | None = None

    def __enter__(self) -> "Watch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.error = self.error or error
        return True

    def raise_failure(self) -> None:
        """Raise what was kept, as one of our own errors unless it is one already or no error at all.

        Raises:
            SigningError: the signer failed; the cause is chained.
        """
        if self.error is None:
            return
        if isinstance(self.error, PlatemarkError) or not isinstance(self.error, Exception):
            raise self.error
        raise SigningError(
            f"The signing key could not be used: {type(self.error).__name__}.",
            fix="Check the key store or key service, then try again; nothing was written.",
        ) from self.error


class _Output:
    """A file for the library to write to, which keeps the operating system's error that native code would swallow."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        """Read what was written."""
        return self._file.read(size)

    def tell(self) -> int:
        """Give the position."""
        return self._file.tell()

    def write(self, content: bytes) -> int:
        """Write, keeping an error."""
        return self._kept(lambda: self._file.write(content))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, keeping an error."""
        return self._kept(lambda: self._file.seek(offset, whence))

    def flush(self) -> None:
        """Flush, keeping an error."""
        self._kept(self._file.flush)

    def _kept(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except OSError as error:
            self.error = self.error or error
            raise


class ClaimRefused(SigningError):
    """The library would not write the claim, or did not believe what it had written; the signer itself worked."""


def write_claim(order: ClaimOrder, source: IO[bytes], output: IO[bytes]) -> bytes:
    """Sign a copy of `source` into `output`, which can be read too, and give the manifest store.

    Raises:
        ClaimRefused: the library refused the manifest, the certificate or the media.
        SigningError: the signer failed.
        OSError: an ingredient cannot be opened, or the output cannot be written.
    """
    watch, watched_output = Watch(), _Output(output)
    try:
        with ExitStack() as stack:
            stack.enter_context(native_work())
            context = stack.enter_context(Context.from_dict(order.settings))
            signer = stack.enter_context(native_signer(order, watch))
            builder = open_builder(order, context, stack)
            store: bytes = builder.sign(signer, order.media_type, source, watched_output)
    except (C2paError, UnicodeDecodeError) as error:
        watch.raise_failure()
        if watched_output.error is not None:
            raise watched_output.error from error
        raise claim_refused(error) from error
    return store


def claim_refused(error: Exception) -> ClaimRefused:
    """Give the error to raise where the library itself would not write a claim."""
    return ClaimRefused(
        f"The manifest could not be written and verified ({type(error).__name__.lstrip('_')}).",
        fix="Check the certificate (platemark keys lint) and that the file is whole.",
    )


def read_store(path: Path, settings: Settings) -> Store:
    """Give the library's report on a file; an empty one where there is no manifest or it cannot be read."""
    try:
        with (
            path.open("rb") as file,
            native_work(),
            Context.from_dict(settings) as context,
            Reader(None, file, context=context) as reader,
        ):
            report: str = reader.json()
            return Store(mapping(json.loads(report)) if len(report) <= MAX_REPORT_CHARACTERS else {})
    except (C2paError, ValueError, RecursionError):
        return Store({})


def _definition(order: ClaimOrder) -> dict[str, JsonValue]:
    definition: dict[str, JsonValue] = {**order.manifest, "format": order.media_type}
    if order.thumbnail is not None:
        definition["thumbnail"] = {"format": order.thumbnail.media_type, "identifier": THUMBNAIL_NAME}
    return definition


def open_builder(order: ClaimOrder, context: Context, stack: ExitStack) -> Builder:
    """Give the library's builder with everything in it that the order names, ready to sign.

    Args:
        order: what is to be claimed.
        context: the library's settings.
        stack: closes the files of the ingredients.

    Raises:
        C2paError: the library refuses the definition or an ingredient.
        OSError: an ingredient cannot be opened.
    """
    builder = Builder(json.dumps(_definition(order), allow_nan=False), context)
    stack.callback(builder.close)
    if order.intent == "edit":
        builder.set_intent(C2paBuilderIntent.EDIT)
    elif order.intent == "update":
        builder.set_intent(C2paBuilderIntent.UPDATE)
    if not order.embed:
        builder.set_no_embed()
    if order.thumbnail is not None:
        builder.add_resource(THUMBNAIL_NAME, io.BytesIO(order.thumbnail.content))
    for each in order.ingredients:
        file = stack.enter_context(each.path.open("rb"))
        builder.add_ingredient(json.dumps(_described(each)), _media_type(each.path), file)
    return builder


def _described(ingredient: Ingredient) -> dict[str, str]:
    described = {"title": ingredient.title, "relationship": ingredient.relationship, "label": ingredient.name}
    declared = {"digital_source_type": ingredient.source_type} if ingredient.source_type else {}
    return {**described, **declared}


def _media_type(path: Path) -> str:
    return FORMATS.get(path.suffix.lower(), "application/octet-stream")


def native_signer(order: ClaimOrder, watch: Watch) -> Signer:
    """Give the library a signer that calls ours under watch, and the identity's where there is one.

    Raises:
        C2paError: the library refuses the certificates.
        SigningError: an identity cannot be asserted.
    """
    claim = _from_signer(order.signer, watch, order.time_authority)
    if order.identity is None:
        return claim
    identity = _from_signer(order.identity, watch, None)
    return combine_signers(claim, identity, referenced=order.identity_labels, roles=order.identity_roles)


def _from_signer(signer: ClaimSigner, watch: Watch, time_authority: str | None) -> Signer:
    algorithm = C2paSigningAlg[signer.alg.upper()]
    chain = signer.chain_pem.decode("ascii")
    return Signer.from_callback(_watched(signer, watch), algorithm, chain, time_authority)


def _watched(signer: ClaimSigner, watch: Watch) -> Callable[[bytes], bytes]:
    def sign(data: bytes) -> bytes:
        """Let the signer work under watch; nothing comes back where it failed."""
        signature = b""
        with watch:
            signature = signer.sign(data)
        return signature

    return sign
