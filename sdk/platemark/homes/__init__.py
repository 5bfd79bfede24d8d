"""A newsroom's home: its keys, its trust lists, its review desk, and whether all of it is in order."""
