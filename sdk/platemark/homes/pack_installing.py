"""Putting a rule pack in force in a home: who may, and what the log is told.

One rule: the pack is checked whole before the log is told, and the log is told which pack it is by its digest.
"""

from pathlib import Path

from platemark.errors import ReviewRefused
from platemark.homes.home import PACK_FOLDER, Home
from platemark.homes.pack_keys import pack_public_key
from platemark_policy.pack import RulePack
from platemark_policy.pack_store import PackStore
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import EventType, NewEvent


def install_pack(home: Home, pack: Path, *, installer: str = "") -> RulePack:
    """Put a signed pack in force.

    Args:
        home: in which.
        pack: its main file, with the signature beside it.
        installer: who does it, by name; may be left out where `[desk] installers` names nobody.

    Raises:
        ReviewRefused: this person may not.
        RulePackError: the pack is malformed, unsigned, older than the one in force, or fails its examples; the pack in
            force stays.
        LedgerError: it cannot be written down.
    """
    allowed = home.config.desk.installers
    if allowed and installer not in allowed:
        raise ReviewRefused(
            "Only the installers of this home may put a rule pack in force.",
            fix="They are listed in [desk] installers; give the name with --as.",
        )
    with home.open_ledger() as ledger:
        done = PackStore(home.path / PACK_FOLDER, pack_public_key(home.keys)).install(pack)
        facts: dict[str, JsonValue] = {
            "pack": done.pack_id.id,
            "version": done.pack_id.version,
            "sha256": done.pack_id.sha256,
            "permissive": done.is_permissive,
        }
        ledger.append(NewEvent(type=EventType.POLICY_CHANGED, actor=installer or None, facts=facts))
    return done
