"""An HTTP client for the API of a DNS provider: retries, responses as values, failures as errors with what, why and fix.

It uses the `Transport` port, so trust, proxies and deadlines are the same as for a CA. Temporary failures (429, 5xx, a broken
connection) are retried a few times, for at most a minute. A Retry-After is never undercut. A provider marks with `repeat=False`
what must not be sent twice blindly. No request, header or body is ever part of an error, and a secret that a provider repeats
in a message is removed from it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from core.dns.provider import Access, provider_error
from core.errors import DnsProviderError
from core.http import WHOLE_SECONDS, Backoff, Improper, improper, retry_after
from core.ports import Response, TransportFailure
from core.text import safe_line
from core.version import VERSION

REQUEST_SECONDS = 20.0
PAUSES_SECONDS = (0.5, 1.5, 4.0, 10.0)
_SHORTEST_SECONDS = 1.0
TEMPORARY = (429, 500, 502, 503, 504)
NOT_PROCESSED = (429, 503)
"""Refusals before any work was done: such a request may be sent again even if it must not be carried out twice."""
SHOWN_CHARACTERS = 200
LONGEST_RETRY = timedelta(days=1)
"""A longer Retry-After is ignored: a certificate cannot wait forever."""


class ApiResponse(Struct, frozen=True, kw_only=True):
    """A response of any status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The body as JSON; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def fields(self) -> Mapping[str, Any]:
        """The body as a JSON object; empty if it is not one."""
        found = self.json
        return found if isinstance(found, dict) else {}

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def is_transient(answer: ApiResponse) -> bool:
    """Return whether a retry may help, judged by the status alone."""
    return answer.status in TEMPORARY


class StaleRead(Exception):
    """A request that had to wait is now stale and is not sent again: read and build it again. Never leaves `core.dns`."""

    def __init__(self, error: DnsProviderError) -> None:
        super().__init__(error.what)
        self.error = error
        """Why the request had to wait."""


class Api:
    """The API of one provider at one base address."""

    def __init__(
        self, access: Access, endpoint: str, *, title: str, is_temporary: Callable[[ApiResponse], bool] = is_transient
    ) -> None:
        """Prepare a client; does not use the network yet.

        Args:
            endpoint: the provider's own address; the setting `endpoint` of the entry takes precedence.
            title: the provider's name in messages.
            is_temporary: for APIs whose status codes have other meanings.
        """
        self.access = access
        self.title = title
        self._is_temporary = is_temporary
        self._concealed: set[str] = set()
        self._silent_until = math.inf
        """When waiting for an API that does not respond ends; monotonic clock, in seconds."""
        self._places = _places(access.settings.get("endpoint") or endpoint, endpoint)
        self._transport = access.env.transport(access.settings.get("ca_bundle") or None)

    @property
    def endpoint(self) -> str:
        """The base address of the API, without a slash at the end."""
        return self._places[0]

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        data: object = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
        must_be_fresh: bool = False,
        timeout: float = REQUEST_SECONDS,
    ) -> ApiResponse:
        """Send a request and return the response, also if it is a refusal. `data` is sent as JSON, `form` as a form.

        Args:
            path: below the endpoint, with its leading slash.
            repeat: False: not sent again if the response was lost or the server failed half-way (429 and 503 are refusals before
                any work, so these are retried anyway).
            must_be_fresh: the request was built from what was read just now, and could undo what others have written since. It is
                not sent again; where a retry would be due, `call` waits the same time and raises StaleRead.
            timeout: seconds for one attempt.

        Raises:
            StaleRead: see `must_be_fresh`.
            DnsProviderError: no response, or only temporary failures (`reason`: `unreachable`, `rate-limited`, `temporary`);
                a redirect or an endless response (`refused`).
            Cancelled.
        """
        sent = {"User-Agent": f"certdeck/{VERSION}", "Accept": "application/json", **(headers or {})}
        if data is not None:
            body = json.dumps(data, separators=(",", ":")).encode()
            sent.setdefault("Content-Type", "application/json")
        elif form is not None:
            body = urlencode(form).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        below = path + (f"?{urlencode(query)}" if query else "")

        def send(place: str) -> ApiResponse:
            return self._sent(
                method, place + below, sent, body, repeat=repeat, must_be_fresh=must_be_fresh, timeout=timeout
            )

        answer = send(self._places[0])
        if answer.status != 404:
            self._places = self._places[:1]
        elif len(self._places) > 1:
            other = send(self._places[1])
            if other.status != 404:
                self._places, answer = self._places[1:], other
        return answer

    def _sent(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        repeat: bool,
        must_be_fresh: bool,
        timeout: float,
    ) -> ApiResponse:
        """Send a request until there is a final response or the retries are used up. Raises as `call` does."""
        env, cancel = self.access.env, self.access.cancel
        backoff = Backoff(env.clock, env.random, cancel, PAUSES_SECONDS)
        while True:
            cancel.check()
            until = None
            try:
                response = self._response(method, url, headers, body, timeout)
                answer = self._answer(response)
            except TransportFailure as failure:
                error = self._unreachable(failure)
                if not repeat or failure.kind == "untrusted":
                    raise error from failure
            else:
                if not self._is_temporary(answer):
                    return answer
                until = _retry_at(answer, env.clock.now())
                error = self._stumbled(answer, until)
                if not repeat and answer.status not in NOT_PROCESSED:
                    raise error
            backoff.wait_or_raise(error, until, self._silent_until)
            if must_be_fresh:
                raise StaleRead(error)

    def _response(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> Response:
        """Send a request once, within what is left of the time limit for an API that does not respond.

        The limit spans all requests, from the first one without a response to the next response: otherwise each step of an
        attempt (read, write, remove) would wait for the full time again.
        """
        clock = self.access.env.clock
        started = clock.monotonic()
        if self._silent_until + WHOLE_SECONDS < started:
            self._silent_until = math.inf  # that was long ago: try again
        left = self._ends(started) - started
        if left < _SHORTEST_SECONDS:
            raise TransportFailure("timeout", f"It did not respond within {WHOLE_SECONDS:.0f} s.")
        try:
            response = self._transport.request(
                method, url, headers=headers, body=body, timeout=min(timeout, left), cancel=self.access.cancel
            )
        except TransportFailure:
            self._silent_until = min(self._silent_until, started + WHOLE_SECONDS)
            raise
        self._silent_until = math.inf
        return response

    def _ends(self, started: float) -> float:
        """Return when waiting ends for a request that started at `started`."""
        return min(started + WHOLE_SECONDS, self._silent_until)

    def close(self) -> None:
        self._transport.close()

    # -- failures that every API can have -----------------------------------------------------------------------------

    def nonsense(self, why: str) -> DnsProviderError:
        """Return the error for a response that cannot come from this API."""
        return provider_error(
            self.access,
            "refused",
            f"{self._place} is not the API of {self.title}.",
            self._without_secrets(why),
            "Check `endpoint`, and make sure that no proxy or network login page intercepts the requests.",
        )

    def credentials(self, said: str, fix: str) -> DnsProviderError:
        """Return the error for rejected credentials. `said`: the provider's own message."""
        return provider_error(
            self.access,
            "credentials",
            f"{self.title} rejected the credentials of {self.access.name}.",
            f"It says: {self.words(said)}" if said else "It gave no reason.",
            fix,
        )

    def refused(self, what: str, status: int, said: str, fix: str) -> DnsProviderError:
        """Return the error for a refusal that has no more specific message."""
        return provider_error(
            self.access,
            "refused",
            what,
            f"{self.title} returned {status}: {self.words(said)}" if said else f"{self.title} returned {status}.",
            fix,
            details={"status": status},
        )

    def words(self, said: str) -> str:
        """Return a provider's message for use in a sentence, without secrets."""
        return shown(self._without_secrets(said))

    def conceal(self, secret: str) -> None:
        """Keep a secret that was obtained on the way, such as an access token, out of every error."""
        self._concealed.add(secret)

    def _without_secrets(self, text: str) -> str:
        for secret in (*self.access.secrets.values(), *self._concealed):
            for form in {secret, secret.strip()} - {""}:
                text = text.replace(form, "…")
        return text

    @property
    def _place(self) -> str:
        return urlsplit(self.endpoint).netloc.rpartition("@")[2] or "its endpoint"

    def _answer(self, response: Response) -> ApiResponse:
        oddity = improper(response)
        if oddity is Improper.REDIRECT:
            raise self.nonsense("It redirects to another URL, which the API never does.")
        if oddity is Improper.ENDLESS:
            raise self.nonsense("Its response is larger than any valid response.")
        return ApiResponse(status=response.status, headers=response.headers, body=response.body)

    def _unreachable(self, failure: TransportFailure) -> DnsProviderError:
        return provider_error(
            self.access,
            "unreachable",
            f"{self.title} cannot be reached.",
            str(failure),
            "Check this box's clock, ca_bundle and endpoint."
            if failure.kind == "untrusted"
            else "Check this box's network, DNS and proxy settings, and that a firewall allows connections to port 443.",
        )

    def _stumbled(self, answer: ApiResponse, until: datetime | None) -> DnsProviderError:
        """Return the error for a temporary failure. `until`: when the provider accepts requests again, if it says so."""
        now = self.access.env.clock.now()
        seconds = (until - now).total_seconds() if until is not None else 0.0
        if answer.status == 429:
            error = provider_error(
                self.access,
                "rate-limited",
                f"{self.title} accepts no more requests at the moment.",
                f"Its rate limit is exceeded. It accepts requests again in {_duration(seconds)}."
                if seconds
                else "Its rate limit is exceeded, also after retries.",
                "Try again later. Other programs that use the same account count towards the limit.",
                details={"status": answer.status},
            )
        else:
            error = provider_error(
                self.access,
                "temporary",
                f"{self.title} is having problems (HTTP {answer.status}).",
                "Its server failed to handle a request.",
                "Try again later. The provider's status page may have details.",
                details={"status": answer.status},
            )
        if seconds:
            error.retry_at = now + min(timedelta(seconds=seconds), LONGEST_RETRY)
        return error


def shown(said: str) -> str:
    """Return a provider's message for use in a sentence: one line, bounded, printable, with a final period."""
    words = safe_line(said, SHOWN_CHARACTERS)
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def _retry_at(answer: ApiResponse, now: datetime) -> datetime | None:
    """Return when to retry, from the Retry-After header or the body; None if neither can be read."""
    in_body = answer.fields.get("retryAfterSec")  # GoDaddy
    told = {"retry-after": str(in_body)} if isinstance(in_body, int) else {}
    return retry_after({**told, **answer.headers}, now)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{math.ceil(minutes / 60)} hours"


def _places(given: str, usual: str) -> tuple[str, ...]:
    """Return the possible base addresses of an API, the more likely one first.

    An endpoint may include the API's own path (`https://proxy.example/client/v4`) or omit it. Where that is unclear, the first
    response other than 404 decides.
    """
    given, own = given.rstrip("/"), urlsplit(usual).path.rstrip("/")
    parts = urlsplit(given)
    usual_there = f"{parts.scheme}://{parts.netloc}{own}"
    return tuple(dict.fromkeys((given, usual_there) if parts.path else (usual_there, given)))
