"""The requests of one account to one CA: signatures, nonces, and retries.

Problems in transport are handled here, once for all resources: stale nonces are replaced, temporary failures of a CA are
retried for up to a minute, Retry-After is respected, and a response that is not ACME becomes an error that describes it. A
session may be shared by threads: all orders of a run use one, and with it one pool of nonces and of connections.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from core.acme import directory as directories
from core.acme import problem as problems
from core.acme.account_key import AccountKey
from core.acme.gate import USUAL_LIMIT, Gate, OpenGate, reach_of, time_in
from core.acme.nonces import NoncePool
from core.acme.problem_type import ProblemType
from core.acme.response import AcmeResponse, looks_like_json, read
from core.acme.wire import object_in, plain
from core.errors import (
    AcmeProblem,
    DirectoryInvalid,
    DirectoryUnreachable,
    DirectoryUntrusted,
    IssuerError,
    RateLimited,
)
from core.http import LONGEST_WAIT, Backoff, Improper, first_words, http_date, improper
from core.ports import CancelToken, Clock, Random, Response, Transport, TransportFailure
from core.request_kind import RequestKind
from core.web_address import split_address

UNREACHED_TRIES = 2
"""For requests before any work is done: a user should see soon that the CA is unreachable."""
NONCE_TRIES = 20
"""With 40 % refused nonces, one request in a hundred million fails. A refusal brings a fresh nonce: a try is one request."""
REQUEST_SECONDS = 30.0
TEMPORARY = (500, 502, 503, 504)
PAUSES_SECONDS = (0.25, 1.0, 3.0, 8.0)
SHORT_SECONDS = 10.0
"""A rate limit that ends within this time is waited for; longer ones are left to the caller."""
_OUT_OF_DATE = r"certificate (has expired|is not yet valid)"
"""OpenSSL's messages for X509_V_ERR_CERT_HAS_EXPIRED and X509_V_ERR_CERT_NOT_YET_VALID."""


class AcmeSession:
    """The requests of one account. `kid`: the account URL; until it is known, requests contain the public key."""

    def __init__(
        self,
        *,
        transport: Transport,
        clock: Clock,
        random: Random,
        directory_url: str,
        key: AccountKey,
        cancel: CancelToken,
        kid: str | None = None,
        user_agent: str = "certdeck",
        issuer: str = "",
        compared: Callable[[float | None], None] = lambda _seconds: None,
        gate: Gate | None = None,
    ) -> None:
        """Prepare a session; sends nothing yet.

        Args:
            compared: called with our clock minus the CA's for each response, in seconds; None if the CA's server certificate is not
                valid at the time that our clock shows.
            gate: consulted before each request, and informed of limits.
        """
        self.clock = clock
        self.random = random
        self.cancel = cancel
        self.key = key
        self.kid = kid
        self.directory_url = directory_url
        self.issuer = issuer or urlsplit(directory_url).hostname or directory_url
        """The CA's name in messages."""
        self.clock_skew: timedelta | None = None
        """Our clock minus the CA's, from its last Date header; accurate to about two seconds."""
        self._compared = compared
        self._gate: Gate = gate or OpenGate()
        self._transport = transport
        self._user_agent = user_agent
        self._nonces = NoncePool()
        self._directory: directories.Directory | None = None
        self._lock = threading.Lock()

    @property
    def directory(self) -> directories.Directory:
        """The CA's directory, fetched on first use. Raises DirectoryUnreachable, DirectoryUntrusted, DirectoryInvalid."""
        with self._lock:
            if self._directory is None:
                self._directory = self._fetch_directory()
            return self._directory

    def now_there(self) -> datetime:
        """Return the current time by the CA's clock, if known: expiry times from the CA refer to that clock."""
        return self.clock.now() - (self.clock_skew or timedelta())

    def post(
        self,
        url: str,
        payload: dict[str, Any] | None,
        *,
        kind: RequestKind = RequestKind.ORDER,
        key: AccountKey | None = None,
        resend: bool = True,
        accept: str | None = None,
        names: Sequence[str] = (),
        replaces: bool = False,
        reads_body: bool = True,
    ) -> AcmeResponse:
        """Send a signed request; `payload=None` only reads (POST-as-GET, RFC 8555 §6.3).

        Args:
            kind: what the request is about; selects the text for a refusal.
            key: sign with this key, and send its public half instead of the account's URL.
            resend: False if a request whose response was lost must not be repeated blindly.
            accept: the Accept header.
            names: the names of an order.
            replaces: an order names the certificate that it replaces.
            reads_body: False if a status below 300 is sufficient, whatever the body is.

        Raises:
            RateLimited (`rate-limited`): the CA refused, or a known limit is closed; then nothing was sent.
            AcmeProblem or a subclass: the CA refused.
            DirectoryUnreachable, DirectoryUntrusted, DirectoryInvalid: no usable response.
        """
        signing, kid = (self.key, self.kid) if key is None else (key, None)
        content = b"" if payload is None else json.dumps(payload).encode()
        headers = {"Content-Type": "application/jose+json"}
        if accept is not None:
            headers["Accept"] = accept

        def send() -> Response:
            nonce = self._nonces.take() or self._fresh_nonce()
            return self._send("POST", url, headers, signing.sign(content, url=url, nonce=nonce, kid=kid))

        return self._let_in(
            kind, names, lambda: self._asked(url, send, kind, resend=resend, reads_body=reads_body), replaces=replaces
        )

    def get(self, url: str, *, kind: RequestKind = RequestKind.ORDER) -> AcmeResponse:
        """Send a request without a signature: the directory and renewal information. Raises as `post` does."""

        def send() -> Response:
            return self._send("GET", url, {}, None)

        return self._let_in(kind, (), lambda: self._asked(url, send, kind, resend=True, tries=UNREACHED_TRIES))

    def _let_in(
        self, kind: RequestKind, names: Sequence[str], ask: Callable[[], AcmeResponse], *, replaces: bool = False
    ) -> AcmeResponse:
        """Send when the gate is open, and tell the gate whether the CA accepts such requests."""
        self._gate.enter(kind, names, replaces=replaces)
        try:
            reply = ask()
        except BaseException as exc:
            if isinstance(exc, AcmeProblem) and not isinstance(exc, RateLimited):
                self._gate.answered(kind)  # refused, but not because of a limit
            else:
                self._gate.unanswered(kind)
            raise
        self._gate.answered(kind)
        if kind is RequestKind.NEW_ORDER:
            self._gate.ordered(names)
        return reply

    def _asked(
        self,
        url: str,
        send: Callable[[], Response],
        kind: RequestKind,
        *,
        resend: bool,
        reads_body: bool = True,
        tries: int | None = None,
    ) -> AcmeResponse:
        """Send until there is a final response or the retries are used up.

        `tries`: maximum number of attempts while the CA is unreachable; None: as many as the back-off allows.
        """
        backoff = Backoff(self.clock, self.random, self.cancel, PAUSES_SECONDS)
        bad_nonces = unreached = 0
        while True:
            self.cancel.check()
            try:
                response = send()
            except TransportFailure as failure:
                error = self._unreachable(failure)
                unreached += 1
                if failure.kind == "untrusted" or not resend or unreached == tries:
                    raise error from failure
                backoff.wait_or_raise(error)
                continue
            reply = read(url, response, self.clock.now())
            if response.status < 300 and not reads_body:
                return reply
            if response.status < 400:
                self._refuse_nonsense(reply)
                return reply
            problem = problems.of_reply(reply)
            if problem.known is ProblemType.BAD_NONCE and bad_nonces < NONCE_TRIES:
                bad_nonces += 1
                self._keep_only(response)
            elif response.status in TEMPORARY and (resend or response.status == 503):
                if response.status == 503 and reply.retry_after is not None and not self._is_soon(reply.retry_after):
                    self._gate.refused(kind, reply.retry_after, "", problem.detail)
                backoff.wait_or_raise(self._stumbled(response.status, problem, reply), reply.retry_after)
            elif response.status == 429 and self._is_soon(reply.retry_after):
                until = reply.retry_after or self.clock.now()
                self._gate.refused(kind, until, "", problem.detail)  # other orders wait, too
                backoff.wait_or_raise(self._refused(problem, reply, kind), until)
            elif response.status in TEMPORARY:
                raise self._stumbled(response.status, problem, reply)
            elif problem.word == "rateLimited" or response.status == 429:
                raise self._limited(kind, problem, reply)
            else:
                if not problem.type and response.status not in (404, 429):
                    self._refuse_nonsense(reply)
                raise self._refused(problem, reply, kind)

    def _is_soon(self, moment: datetime | None) -> bool:
        return moment is not None and (moment - self.clock.now()).total_seconds() <= SHORT_SECONDS

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Response:
        if not url.startswith("https://"):
            raise directories.not_https(self.issuer, url, self.directory_url)
        if split_address(url) is None:
            raise directories.no_address(self.issuer, url)
        sent = {"User-Agent": self._user_agent, **headers}
        response = self._transport.request(
            method, url, headers=sent, body=body, timeout=REQUEST_SECONDS, cancel=self.cancel
        )
        self._nonces.put(response.headers.get("replay-nonce"))
        their_time = http_date(response.headers.get("date", ""))
        if their_time is not None:
            self.clock_skew = self.clock.now() - their_time
            self._compared(self.clock_skew.total_seconds())
        return response

    def _fresh_nonce(self) -> str | None:
        """Request a nonce. None: the CA returned none, so it will refuse the request and send one with the refusal."""
        response = self._send("HEAD", self.directory.new_nonce, {}, None)
        if response.status >= 400 or response.headers.get("replay-nonce") is None:
            response = self._send("GET", self.directory.new_nonce, {}, None)
        nonce = self._nonces.take()
        if nonce is None and response.status < 400:
            raise DirectoryInvalid(
                f"{self.issuer} returned no nonce, so no request can be sent.",
                "The response of its newNonce URL has no Replay-Nonce header. A proxy on the way may have removed it.",
                "Check the directory URL, and whether a proxy alters the traffic.",
            )
        return nonce

    def _keep_only(self, response: Response) -> None:
        """Drop all nonces except the one that came with the refusal: the others are as old as the refused one."""
        self._nonces.clear()
        self._nonces.put(response.headers.get("replay-nonce"))

    def _fetch_directory(self) -> directories.Directory:
        url = self.directory_url
        reply = self.get(url, kind=RequestKind.DIRECTORY)
        if not reply.json:
            raise self._nonsense(url, f"The response is not a JSON object. {problems.quoted(reply)}")
        return directories.parse(url, reply.json, issuer=self.issuer)

    def _refuse_nonsense(self, reply: AcmeResponse) -> None:
        """Raise DirectoryInvalid for a response that no ACME server sends; the message has its status and its first words."""
        url, response = reply.url, reply.response
        oddity = improper(response)
        if oddity is Improper.REDIRECT:
            raise DirectoryInvalid(
                f"{plain(url, 200)} redirects to another URL.",
                f"It returned HTTP {response.status} and redirects to "
                f"{plain(response.headers.get('location'), 200) or 'nowhere'}. ACME servers do not redirect.",
                "The network's login page may have intercepted the request. If the CA has moved, set its new "
                "address as the issuer's directory.",
            )
        if oddity is Improper.ENDLESS:
            raise self._nonsense(url, f"The response (HTTP {response.status}) is larger than any ACME message.")
        if oddity is Improper.PAGE:
            title = plain(first_words(response), problems.WORDS_LIMIT)
            titled = f', "{title}"' if title else ""
            raise self._nonsense(
                url,
                f"The response is a web page (HTTP {response.status}{titled}): a network's login page, a notice of a "
                "firewall or proxy, or another site.",
            )
        if not reply.json and looks_like_json(response) and object_in(response.body) is None:
            raise self._nonsense(url, f"The response (HTTP {response.status}) is not valid JSON.")

    def _nonsense(self, url: str, why: str) -> DirectoryInvalid:
        return DirectoryInvalid(
            f"The server at {plain(url, 200)} does not speak ACME.",
            why,
            "Check the directory URL of the issuer, and open it from this box: make sure that no proxy or "
            "login page intercepts it.",
        )

    def _unreachable(self, failure: TransportFailure) -> DirectoryUnreachable | DirectoryUntrusted:
        if failure.kind == "untrusted":
            if re.search(_OUT_OF_DATE, str(failure)):
                self._compared(None)
            return DirectoryUntrusted(
                f"The server certificate of {self.issuer} is not trusted.",
                str(failure),
                "Check this box's clock and the directory URL. For a private CA, set ca_bundle to its root.",
            )
        return DirectoryUnreachable(
            f"{self.issuer} cannot be reached.",
            str(failure),
            "Check this box's network, DNS and proxy settings, and that a firewall allows outgoing connections to port 443.",
            details={"kind": failure.kind},
        )

    def _stumbled(self, status: int, problem: problems.Problem, reply: AcmeResponse) -> DirectoryUnreachable:
        said = f' Its message: "{problem.detail}".' if problem.detail else ""
        return DirectoryUnreachable(
            f"{self.issuer} is having problems (HTTP {status}).",
            f"The server failed several times in a row.{said}",
            "Try again later. The CA's status page may have details.",
            retry_at=reply.retry_after,
            details={"status": status, "type": problem.type},
        )

    def _limited(self, kind: RequestKind, problem: problems.Problem, reply: AcmeResponse) -> IssuerError:
        """Return the error for a refusal because of a limit, and close that kind of request in the limit's scope."""
        reach = reach_of(problem)
        until = reply.retry_after or time_in(problem, self.clock_skew)
        if until is None and reach.is_closing:
            until = self.clock.now() + USUAL_LIMIT
        if until is not None and reach.is_closing:
            until = min(until, self.clock.now() + LONGEST_WAIT)
            self._gate.refused(kind, until, reach.domain, problem.detail)
        return problems.error_for(problem, issuer=self.issuer, kind=kind, retry_at=until, links=reply.links)

    def _refused(self, problem: problems.Problem, reply: AcmeResponse, kind: RequestKind) -> IssuerError:
        return problems.error_for(problem, issuer=self.issuer, kind=kind, retry_at=reply.retry_after, links=reply.links)
