"""How often a mark comes back from damaged copies, and what it costs the picture.

    python benchmarks/watermark.py [--quick] [--clips DIR] [--json] [--plot DIR]

The same as `platemark bench watermark`.
"""

import sys

from platemark.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", "watermark", *sys.argv[1:]]))
