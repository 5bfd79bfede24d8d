"""A home's webhooks: what its configuration asks for, joined with its ledger and its secret.

One rule: telling never holds up or fails the work it tells of; what was not taken is tried again later.
"""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from platemark.errors import PlatemarkError, RequestError
from platemark.homes.home import Home
from platemark.webhooks.outbox import STATE_FILE, Delivery, Outbox, Place
from platemark.webhooks.sending import check_address, send
from platemark_policy.allowed_server import Server
from platemark_provenance.ledger.event import Event
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.store import Ledger

FOLDER = "webhooks"
_PAGE = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Telling:
    """The webhooks of one home."""

    home: Home
    ledger: Ledger

    @property
    def configured(self) -> bool:
        """Say whether anybody is to be told."""
        return bool(self.home.config.webhooks.url)

    def deliver(self) -> Delivery:
        """Tell what has happened since the last time. The first time, only what happens from then on.

        Raises:
            RequestError: no address is configured, or it is not an allowed one.
            HomeError: the file that remembers the place is damaged.
            KeyUnavailable: the secret cannot be read.
        """
        self._server()
        with self._alone() as free:
            if not free:
                return Delivery(waiting=True, problem="another program is telling them at this moment")
            outbox = self.outbox()
            if not (outbox.folder / STATE_FILE).is_file():
                outbox.start_at(self.ledger.head().size)
            return outbox.deliver(self._events(outbox.place()))

    def deliver_quietly(self) -> None:
        """Tell what can be told now; a failure is a line in the program's log and nothing else."""
        if not self.configured:
            return
        try:
            self.deliver()
        except PlatemarkError as error:
            log.warning("webhooks: %s", error.message)

    def outbox(self) -> Outbox:
        """Open the folder that remembers what was told. The address is looked at when something is sent.

        Raises:
            KeyUnavailable: the secret cannot be read.
        """
        return Outbox(
            folder=self._folder,
            secret=self.home.webhook_secret(),
            clock=self.home.clock,
            send=self._send,
        )

    def _send(self, body: bytes, headers: dict[str, str]) -> str:
        return send(self._server(), body, headers)

    def _server(self) -> Server:
        settings = self.home.config.webhooks
        if not settings.url:
            raise RequestError("No webhook is configured.", fix="Set [webhooks] url and hosts in platemark.toml.")
        return check_address(settings.url, hosts=settings.hosts, private_network=settings.private_network)

    @property
    def _folder(self) -> Path:
        return self.home.path / FOLDER

    def _events(self, place: Place) -> Iterator[Event]:
        after = str(place.next_seq - 1) if place.next_seq else None
        while True:
            page = self.ledger.page(Filter(order="oldest"), after=after, limit=_PAGE)
            yield from page.events
            if page.next is None:
                return
            after = page.next

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Let one program at a time tell; the others leave it to that one."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with (self._folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
