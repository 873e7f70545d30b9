"""Shared code for requests to HTTP servers (CAs, DNS providers, webhooks): back-off, and detection of invalid responses.

There is one parser of Retry-After, one back-off, and one test for responses that cannot come from an API. Pure except for
`Backoff`, which waits on the given clock.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto

from core.errors import CertdeckError
from core.ports import CancelToken, Clock, Random, Response
from core.stored_times import LONGEST_LIMIT_SECONDS

WHOLE_SECONDS = 60.0
"""Maximum time for one request with its retries, waits included."""
LONGEST_WAIT = timedelta(seconds=LONGEST_LIMIT_SECONDS)
"""A longer Retry-After is treated as this: no limit of a CA is longer (Let's Encrypt: 7 days, 2026-08)."""
_READ_FOR_WORDS = 65536


class Backoff:
    """The waits between the attempts of one request; all attempts together take at most a minute."""

    def __init__(self, clock: Clock, random: Random, cancel: CancelToken, pauses: Sequence[float]) -> None:
        """`pauses`: seconds before the second, third … attempt."""
        self._clock = clock
        self._random = random
        self._cancel = cancel
        self._started = clock.monotonic()
        self._pauses = iter(pauses)

    def wait_or_raise(self, error: CertdeckError, until: datetime | None = None, ends: float = math.inf) -> None:
        """Wait as `wait` does; raise `error` if it does not wait."""
        if not self.wait(until, ends):
            raise error

    def wait(self, until: datetime | None = None, ends: float = math.inf) -> bool:
        """Wait, at least until `until`, and return True; return False at once if no attempt is left, or the wait would be too long.

        Args:
            ends: seconds of the monotonic clock after which there is no further attempt.
        """
        pause = next(self._pauses, None)
        if pause is None:
            return False
        pause *= self._random.uniform(0.8, 1.2)  # many boxes must not retry at the same instant
        if until is not None:
            pause = max(pause, (until - self._clock.now()).total_seconds())
        if self._clock.monotonic() + pause > min(self._started + WHOLE_SECONDS, ends):
            return False
        self._clock.sleep(pause, self._cancel)
        return True


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Return when the server accepts requests again, from seconds or an HTTP date (RFC 9110 §10.2.3).

    Args:
        headers: names in lower case.
        now: by our clock, like the result: a date is measured against the response's own Date, whatever our clock shows.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        wait = timedelta(seconds=min(int(value[:12]), LONGEST_WAIT.total_seconds()))
    else:
        moment = http_date(value)
        if moment is None:
            return None
        wait = moment - (http_date(headers.get("date", "")) or now)
    return now + max(timedelta(0), min(wait, LONGEST_WAIT))


def http_date(value: str) -> datetime | None:
    """Return an HTTP date as aware UTC; HTTP dates are always GMT, whatever they state."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


class Improper(Enum):
    """Why a response cannot come from the API."""

    REDIRECT = auto()
    ENDLESS = auto()
    """Larger than any response of the API."""
    PAGE = auto()
    """A web page: a network's login page, a message of a firewall or proxy, another site."""


def improper(response: Response) -> Improper | None:
    """Judge a response without parsing it. None: it may be valid."""
    if 300 <= response.status < 400:
        return Improper.REDIRECT
    if response.truncated:
        return Improper.ENDLESS
    return Improper.PAGE if is_page(response) else None


def is_page(response: Response) -> bool:
    """Return whether the body is a web page. An empty body is not, whatever its content type."""
    begin = response.body[:256].lstrip().lower()
    if not begin:
        return False
    return "html" in response.headers.get("content-type", "").lower() or begin.startswith((b"<!doctype", b"<html"))


def first_words(response: Response) -> str:
    """Return the message of a response that is not in the API's own format: a page's title, a message in JSON, the first line.

    Empty if there is none. Foreign text: the caller has to clean it before it is shown.
    """
    import html

    body = response.body[:_READ_FOR_WORDS]
    text = body.decode("utf-8", "replace")
    if is_page(response):
        found = re.search(r"<(title|h1)\b[^>]*>(.*?)</\1\b", text, re.IGNORECASE | re.DOTALL)
        return html.unescape(re.sub(r"<[^>]*>", " ", found[2])).strip() if found else ""
    if text.lstrip()[:1] in ("{", "["):
        return _message(body)
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return "" if "\ufffd" in line or line.startswith("<") else line


def _message(body: bytes) -> str:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict):
        return ""
    keys = ("detail", "title", "message", "error", "description", "reason")
    return next((value for key in keys if isinstance(value := said.get(key), str) and value.strip()), "").strip()
