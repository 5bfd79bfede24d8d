"""What an erasure does not reach: copies of the database that were made before it.

One rule: copies are named, never deleted; they may be the only backup there is.
"""

from pathlib import Path

from platemark.homes.home import LEDGER_FILE, Home


def backups_of(home: Home) -> tuple[Path, ...]:
    """Give the copies of the ledger that upgrades left in a home, by name."""
    return tuple(sorted(home.path.glob(f"{LEDGER_FILE}.*.backup*")))
