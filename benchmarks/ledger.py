"""Whether the log keeps up: appending beside plain databases, checking, proving, asking, erasing, starting again.

    python benchmarks/ledger.py [--quick] [--json] [--plot DIR]

The same as `platemark bench ledger`.
"""

import sys

from platemark.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", "ledger", *sys.argv[1:]]))
