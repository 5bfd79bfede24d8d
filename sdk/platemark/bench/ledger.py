"""Whether the log keeps up: appending beside plain databases, checking, proving, asking, erasing, starting again.

One rule: every figure stands beside a peer or a size of the same run, and the peer syncs to the disk as we do.
"""

from platemark.bench import audit
from platemark.bench.claims import Claim, Options
from platemark.bench.ledger_appends import measure_appends
from platemark.bench.ledger_server import measure_server


def measure(options: Options) -> list[Claim]:
    """Measure every row of the ledger's targets."""
    return [*measure_appends(options), *measure_server(options), *audit.measure(options)]
