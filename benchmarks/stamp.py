"""What stamping a 1080p clip costs, in memory and in processor time by stage.

    python benchmarks/stamp.py [--quick] [--json] [--plot DIR]

The same as `platemark bench stamp`.
"""

import sys

from platemark.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", "stamp", *sys.argv[1:]]))
