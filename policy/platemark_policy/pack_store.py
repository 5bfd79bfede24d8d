"""Keep the rule packs a publisher has put in force: signed, never older than the newest ever seen.

One rule: a pack is checked in full before it replaces the one in force; whatever is refused changes nothing. Each
version is kept in a folder of its own, and one small file says which is in force and which was the highest ever.
"""

import json
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from platemark_policy.errors import RulePackError
from platemark_policy.pack import RulePack
from platemark_policy.pack_signing import MAX_SIGNATURE_BYTES, SIGNATURE_SUFFIX, verify_pack, version_order
from platemark_policy.rules import load_pack

_STATE = "in-force.json"


@dataclass(frozen=True, slots=True)
class InForce:
    """Which pack is in force.

    Args:
        id: the pack's name.
        version: its version.
        highest: the highest version of it that was ever put in force here.
    """

    id: str
    version: str
    highest: str


class PackStore:
    """The folder of packs in a home.

    Args:
        folder: where packs are kept; made when the first one comes.
        publisher: the publisher's public key, 32 bytes.
    """

    def __init__(self, folder: Path, publisher: bytes) -> None:
        self._folder = folder
        self._publisher = publisher

    def install(self, main_file: Path) -> RulePack:
        """Check a signed pack and put it in force.

        Raises:
            RulePackError: it is unsound, unsigned, signed by somebody else, or older than one seen before. The pack
                that was in force stays.
        """
        pack = load_signed_pack(main_file, self._publisher)
        state = self.state()
        highest = state.highest if state is not None and state.id == pack.pack_id.id else "0"
        if version_order(pack.pack_id.version) < version_order(highest):
            raise RulePackError(
                f"{main_file.name}: version {pack.pack_id.version} is older than {highest}, which was in force here.",
                fix="Give it a higher version and sign it again.",
            )
        place = self._folder / f"{pack.pack_id.id}-{pack.pack_id.version}-{pack.pack_id.sha256[:12]}"
        self._copy(main_file, place)
        self._point_to(pack, place.name)
        return pack

    def in_force(self) -> RulePack | None:
        """Give the pack in force, checked again from its files; None where none was ever put in force.

        Raises:
            RulePackError: it was changed since, or its files are gone.
        """
        state = self._read_state()
        if state is None:
            return None
        folder, version = state["folder"], state["version"]
        pack = load_signed_pack(self._folder / folder / f"{state['id']}.yaml", self._publisher)
        if pack.pack_id.version != version or version_order(version) < version_order(state["highest"]):
            raise RulePackError("The pack in force is not the one that was put in force.", fix="Install it again.")
        return pack

    def state(self) -> InForce | None:
        """Give which pack is in force, None where none is.

        Raises:
            RulePackError: the note about it is garbled.
        """
        state = self._read_state()
        return None if state is None else InForce(state["id"], state["version"], state["highest"])

    def _copy(self, main_file: Path, place: Path) -> None:
        if place.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        try:
            name = f"{place.name.rsplit('-', 2)[0]}.yaml"
            shutil.copy2(main_file, draft / name)
            shutil.copy2(_signature_of(main_file), draft / f"{name}{SIGNATURE_SUFFIX}")
            lists = main_file.with_suffix("")
            if lists.is_dir():
                shutil.copytree(lists, draft / Path(name).stem)
            load_signed_pack(draft / name, self._publisher)
            draft.rename(place)
        except OSError as error:
            raise RulePackError(
                f"The pack cannot be kept ({error.strerror}).", fix="Check the home's rights."
            ) from error
        finally:
            with suppress(OSError):
                shutil.rmtree(draft)

    def _point_to(self, pack: RulePack, folder: str) -> None:
        name = pack.pack_id
        state = {"id": name.id, "version": name.version, "highest": name.version, "folder": folder}
        handle, draft = tempfile.mkstemp(prefix=".state-", dir=self._folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(self._folder / _STATE)

    def _read_state(self) -> dict[str, str] | None:
        try:
            state = json.loads((self._folder / _STATE).read_bytes())
            found = {key: str(state[key]) for key in ("id", "version", "highest", "folder")}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RulePackError(
                "The note of which pack is in force is garbled.", fix="Install the pack again."
            ) from error
        if Path(found["folder"]).name != found["folder"]:
            raise RulePackError("The note of which pack is in force is garbled.", fix="Install the pack again.")
        return found


def load_signed_pack(main_file: Path, publisher: bytes) -> RulePack:
    """Load a pack whose signature stands beside it and is the publisher's.

    Raises:
        RulePackError: the pack is unsound or unsigned, or the signature is not the publisher's for these bytes.
    """
    pack = load_pack(main_file)
    try:
        with _signature_of(main_file).open("rb") as file:
            content = file.read(MAX_SIGNATURE_BYTES + 1)
    except OSError as error:
        raise RulePackError(
            f"{main_file.name} is not signed: {_signature_of(main_file).name} cannot be read ({error.strerror}).",
            fix=f"Run: platemark policy sign {main_file.name}",
        ) from error
    if main_file.stem != pack.pack_id.id:
        raise RulePackError(f"{main_file.name} holds the pack {pack.pack_id.id!r}.", fix="Name the file as the pack.")
    verify_pack(pack.pack_id, content, publisher)
    return pack


def load_configured_pack(main_file: Path, publisher: bytes | None) -> RulePack:
    """Load the pack a configuration names; one that nobody signed for is used, and every decision says so and waits.

    Args:
        main_file: the pack's main file.
        publisher: the publisher's public key, None where the home knows none.

    Raises:
        RulePackError: it is unsound, or it has a signature and the signature is wrong.
    """
    if publisher is None or not _signature_of(main_file).exists():
        return replace(load_pack(main_file), is_unsigned=True)
    return load_signed_pack(main_file, publisher)


def _signature_of(main_file: Path) -> Path:
    return main_file.with_name(main_file.name + SIGNATURE_SUFFIX)
