"""`python -m platemark`: the same as the command `platemark`."""

from platemark.cli.process import run

if __name__ == "__main__":
    run()
