"""How fast, how small and how good the embedded model is.

    python benchmarks/generation.py [--quick] [--json] [--plot DIR]

The same as `platemark bench generation`.
"""

import sys

from platemark.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", "generation", *sys.argv[1:]]))
