"""Under which account of the operating system this program runs.

One rule: this is what the machine says, not who sits in front of it: whoever shares the account, or administers the
machine, is the same to us. It is a name, so the log keeps it sealed.
"""

import os
import pwd

ACCOUNT_FACT = "os_user"
"""The sealed fact of an event that holds it."""


def os_account() -> str:
    """Give the name of the account, or its number where it has none."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid:{number}"
