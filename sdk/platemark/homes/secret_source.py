"""Where a passphrase or PIN comes from: an environment variable, or a person at the terminal.

One rule: the configuration names the place and never the secret, and a secret never stands in a message.
"""

import getpass
import warnings
from dataclasses import dataclass, field

from platemark.config import secret_variable
from platemark.errors import KeyUnavailable


@dataclass(slots=True, repr=False)
class SecretSource:
    """Gives secrets as `[signing] secret` says. A person is asked once, and again after `forget`.

    Args:
        setting: `env:NAME`, `prompt`, or empty: then nobody knows a secret.
    """

    setting: str
    _answers: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, what: str) -> bytes:
        """Give the secret that opens something.

        Args:
            what: what it opens, for the person who is asked.

        Raises:
            KeyUnavailable: no place is named, the variable is empty, or there is no terminal to ask at.
        """
        if self.setting.startswith("env:"):
            return _from_environment(self.setting.removeprefix("env:"), what)
        if self.setting != "prompt":
            raise KeyUnavailable(
                f"{what} is locked, and nothing says where its passphrase or PIN comes from.",
                fix='Set [signing] secret = "env:NAME" or "prompt".',
            )
        if what not in self._answers:
            self._answers[what] = _ask(what)
        return self._answers[what]

    def forget(self) -> None:
        """Forget what was answered: a wrong PIN must not be tried again by itself."""
        self._answers.clear()


def _from_environment(name: str, what: str) -> bytes:
    secret = secret_variable(name)
    if not secret:
        raise KeyUnavailable(
            f"{what} is locked, and the environment variable {name}, which should open it, is not set.",
            fix=f"Set {name} for this process, for example from your secret store.",
        )
    return secret


def _ask(what: str) -> bytes:
    try:
        with warnings.catch_warnings():
            # getpass would fall back to a visible prompt; better none than one that shows the secret.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(f"Passphrase or PIN for {what}: ").encode("utf-8")
    except (getpass.GetPassWarning, EOFError, OSError) as error:
        raise KeyUnavailable(
            f"{what} is locked, and there is no terminal to ask for its passphrase or PIN.",
            fix='Set [signing] secret = "env:NAME" where nobody sits.',
        ) from error
