"""From what was typed to what the library takes, for the commands that make clips.

One rule: what was not said stays out, so that the library's own defaults hold.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from platemark.errors import RequestError


def said_options(said: Mapping[str, Any], passed_on: Sequence[str]) -> dict[str, Any]:
    """Give the options that mean the same to every such command, under the library's names.

    Args:
        said: every option of the command line by its name.
        passed_on: those that the library knows under the same name.

    Raises:
        RequestError: a refused source is allowed without a reason, or the other way round.
    """
    options = {name: said[name] for name in passed_on if said[name] not in (None, "")}
    if said["label_lang"] is not None:
        options["label_language"] = said["label_lang"]
    if said["label_icon"] is not None:
        # A batch keeps what was said and may go on from another folder.
        options["label_icon"] = str(said["label_icon"].absolute())
    allowed, reason = said["allow_source"] or (), said["reason"]
    if bool(allowed) != bool(reason):
        raise RequestError("--allow-source and --reason go together.", fix="Give both, or neither.")
    if allowed:
        from platemark.making.sources import override_for

        options["override"] = override_for(allowed, reason=reason)
    return options
