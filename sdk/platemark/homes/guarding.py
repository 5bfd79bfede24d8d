"""The guard that a home's configuration names: a second opinion beside the rules.

One rule: what is configured and cannot be used is an error when the engine is opened, never a guard left out.
"""

from pathlib import Path

from platemark.config import PolicySettings
from platemark_policy.guard import Guard, ModerationService
from platemark_policy.local_guard import LocalGuard

FOLDER = "folder:"
"""How `[policy] guard` begins where it names a model on this machine."""


def guards_for(policy: PolicySettings, home: Path) -> tuple[Guard, ...]:
    """Give the guards to ask; none where none is configured.

    Args:
        policy: the configuration.
        home: folders are named from here.

    Raises:
        PolicyError: prompts may not go to the address, or the folder holds no model.
    """
    if not policy.guard:
        return ()
    if policy.guard.startswith(FOLDER):
        folder = home / policy.guard.removeprefix(FOLDER)
        return (LocalGuard(folder, form=policy.guard_form, timeout_s=policy.guard_seconds),)
    return (ModerationService(policy.guard, policy.guard_seconds, frozenset(policy.guard_hosts)),)
