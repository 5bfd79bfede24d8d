"""How fast signing and verifying are, in how much memory, and how they stand up to damage.

    python benchmarks/signing.py [--quick] [--json] [--plot DIR]

The same as `platemark bench signing`.
"""

import sys

from platemark.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", "signing", *sys.argv[1:]]))
