"""How quickly a prompt is screened, and how long a rule pack takes to load.

    python benchmarks/policy.py [--quick] [--json] [--plot DIR]

The same as `platemark bench policy`.
"""

import sys

from platemark.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", "policy", *sys.argv[1:]]))
