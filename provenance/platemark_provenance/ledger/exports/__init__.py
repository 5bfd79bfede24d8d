"""The log in forms that other programs read; see `writing`."""
