"""`python -m platemark`: the same as the command `platemark`."""

import sys

from platemark.cli import main

if __name__ == "__main__":
    sys.exit(main())
