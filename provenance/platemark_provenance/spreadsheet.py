"""Cells that a spreadsheet shows and never runs.

One rule: what can be taken for a formula gets one apostrophe in front, and so does what begins with one, so that
taking one away again gives every text back exactly as it was.
Source: OWASP, "CSV Injection".
"""

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "＝", "＋", "－", "＠")
"""The full-width signs are formulas in East Asian editions of the same spreadsheets."""


def safe_cell(value: object) -> str:
    """Spell a value as a cell; nothing becomes an empty one."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_STARTS) else text


def read_cell(cell: str) -> str:
    """Give back the text that `safe_cell` spelled."""
    return cell.removeprefix("'")
