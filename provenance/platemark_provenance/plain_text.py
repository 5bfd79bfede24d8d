"""Make text from outside safe to show and to sign: bounded, on one line, without invisible characters.

One rule: only what cannot be seen is dropped; no letter of any script is replaced.
"""

import unicodedata

_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Letters, marks and symbols that show nothing: fillers, a joiner, the empty Braille cell. Source: Unicode,
Default_Ignorable_Code_Point outside category C, without the selectors that choose how a picture or letter looks."""


def plain_text(text: str, limit: int) -> str:
    """Keep the visible characters, join words with single spaces, and cut at `limit` characters.

    Control and format characters (which hold every bidirectional override), surrogates, unassigned characters
    and letters that show nothing go; runs of white space become one space. What is cut ends with an ellipsis.
    """
    bounded = text[: limit * 4]  # a 200 kB title must not cost 200 kB of work
    spaced = "".join(" " if each.isspace() else each for each in bounded)
    visible = "".join(each for each in spaced if unicodedata.category(each)[0] != "C" and each not in _UNSEEN)
    joined = " ".join(visible.split())
    return joined if len(joined) <= limit else joined[: limit - 1].rstrip() + "…"
