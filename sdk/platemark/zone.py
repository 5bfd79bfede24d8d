"""Times as people read and write them. The log itself knows UTC only.

One rule: a zone is chosen at the edge, for one command, and never stored.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platemark.errors import RequestError


def parse_zone(name: str) -> tzinfo:
    """Give the zone of that name, such as `Asia/Seoul`.

    Raises:
        RequestError: this machine knows no such zone.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RequestError(
            f"There is no time zone {name[:40]!r}.", fix="Use an IANA name such as Asia/Seoul, or UTC."
        ) from error


def parse_moment(option: str, text: str | None, zone: tzinfo) -> datetime | None:
    """Read an ISO 8601 date or time; one that names no zone of its own is meant in `zone`.

    Args:
        option: the option it was given with, for the message.
        text: None where it was not given.
        zone: the reader's zone.

    Raises:
        RequestError: it is not one.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RequestError(
            f"{option} must be an ISO 8601 date or time; got {text[:40]!r}.", fix="For example 2026-11-22T09:00+09:00."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def show_moment(moment: datetime, zone: tzinfo) -> str:
    """Spell a time for people, to the second."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def month_bounds(month: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Give the first moment of a month and the first after it, as that zone's calendar has them.

    Args:
        month: such as `2026-11`.
        zone: whose midnight begins the month.

    Raises:
        RequestError: it is no month.
    """
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    except ValueError as error:
        raise RequestError(f"A month is written 2026-11; got {month[:20]!r}.") from error
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first, following
