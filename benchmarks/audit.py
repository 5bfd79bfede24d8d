"""How quickly the log answers, lets a person go, and starts again after a crash.

    python benchmarks/audit.py [--quick] [--json] [--plot DIR]

The same as `platemark bench audit`.
"""

import sys

from platemark.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", "audit", *sys.argv[1:]]))
