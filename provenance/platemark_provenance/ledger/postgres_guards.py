"""What keeps the log append-only on PostgreSQL, and the check that it is still there.

One rule: a guard is compared by what it does, not by its name. A test makes a database and compares it with this list.
"""

import hashlib

from sqlalchemy import Connection, text

from platemark_provenance.errors import LedgerCorrupt

_GUARDS = text(
    "SELECT 'function ' || p.proname AS name, p.prosrc || p.prosecdef || coalesce(p.proconfig::text, '') AS meaning "
    "FROM pg_proc p WHERE p.pronamespace = 'platemark'::regnamespace "
    "UNION ALL "
    "SELECT 'trigger ' || t.tgname, t.tgrelid::regclass::text || t.tgenabled::text || t.tgtype || f.proname "
    "FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid "
    "WHERE NOT t.tgisinternal AND c.relnamespace = 'platemark'::regnamespace "
    "UNION ALL "
    "SELECT 'row security ' || c.relname, 'on' FROM pg_class c "
    "WHERE c.relnamespace = 'platemark'::regnamespace AND c.relrowsecurity"
)

POSTGRES_GUARDS: dict[str, str] = {
    "function append": "41df36cf9e7a3744",
    "function extend_tiles": "a98decac8d8998c4",
    "function found": "59cc7560ad5da5b8",
    "function guard_checkpoint": "8fa49006007b22fc",
    "function guard_head": "e9898667c391efbe",
    "function guard_order": "9b72af9be8f52d77",
    "function guard_tile": "dadb8ffbba290a32",
    "function integrate": "87859079b2096e46",
    "function keep": "93397cd78f6ef6b4",
    "function keep_parts": "a886beb79a2498c9",
    "function my_desks": "313f21b06aba83b5",
    "function place": "ab31d29c32c61b9f",
    "function placed": "cc896c70509974b8",
    "function places": "ffcce6976fafe0f6",
    "function refuse_change": "089ee91280a1d3b2",
    "function remember_checkpoint": "da63fc929cf5da97",
    "function sees_all": "04fdc842f33a22b4",
    "function settle": "81bdc85bde0fa116",
    "function settle_here": "5016e88d195e4459",
    "function spelled": "777e3bee2880c501",
    "function stage": "7cfc276ab3a96226",
    "function subtree_root": "67377a6f1bbf0f1d",
    "row security actor": "b8d31e852725afb1",
    "row security event": "b8d31e852725afb1",
    "row security sealed_payload": "b8d31e852725afb1",
    "trigger checkpoint_in_order": "a11f30bffb6e17b0",
    "trigger checkpoint_no_change": "f80e3d82a9f4dac0",
    "trigger event_in_order": "91fc2142b7df8375",
    "trigger event_no_change": "15990dea69c3ddc6",
    "trigger head_only_grows": "0363f7b3a632bc20",
    "trigger head_stays": "f52a0a1cd1f0828a",
    "trigger tile_no_delete": "017bdd7c624aae36",
    "trigger tile_only_grows": "0d35f8993f4d301a",
}
"""First 16 hexadecimal digits of the SHA-256 of each function, trigger and switch, by name."""


def postgres_guards(connection: Connection) -> dict[str, str]:
    """Read what guards the log, by name."""
    rows = connection.execute(_GUARDS)
    return {row.name: hashlib.sha256(row.meaning.encode()).hexdigest()[:16] for row in rows}


def check_postgres_guards(connection: Connection) -> None:
    """Refuse a database whose guards are not exactly ours.

    Raises:
        LedgerCorrupt: one is missing, changed, switched off or added.
    """
    found = postgres_guards(connection)
    if found != POSTGRES_GUARDS:
        names = sorted(
            name for name in found.keys() | POSTGRES_GUARDS.keys() if found.get(name) != POSTGRES_GUARDS.get(name)
        )
        raise LedgerCorrupt(
            f"The ledger's append-only guards were changed: {', '.join(names)[:200]}.",
            fix="Find out who changed them, run `platemark audit verify` elsewhere, and restore them from a backup.",
        )
