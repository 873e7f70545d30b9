"""Services with their own protocols: DNS, mail, TLS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from core.concealed import Concealed
from core.ports.http import TransportFailure
from core.ports.machine import CancelToken, Completed


class DnsRecord(Struct, frozen=True, kw_only=True):
    """One resource record of a response."""

    name: str
    """Lower case, without a final dot."""
    type: str
    value: str
    """TXT: its strings joined. Names: as `name`. SOA: the primary server's name. Addresses: in their usual form."""


class DnsResponse(Struct, frozen=True, kw_only=True):
    """The response of a name server, or why there is none."""

    status: str
    """`NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED` …; `SILENT`: no response in time; `UNREACHABLE`: no route to it."""
    answer: tuple[DnsRecord, ...] = ()
    authority: tuple[DnsRecord, ...] = ()
    milliseconds: int = 0
    is_authenticated: bool = False
    """The server has validated it with DNSSEC (the AD bit, RFC 4035 §3.2.3)."""

    def values(self, type: str) -> tuple[str, ...]:
        """Return the values of the answer's records with this type."""
        return tuple(record.value for record in self.answer if record.type == type)


class Resolver(Protocol):
    """Queries DNS servers."""

    def ask(
        self, name: str, type: str, *, server: str | None = None, timeout: float = 3.0, unchecked: bool = False
    ) -> DnsResponse:
        """Send one query. Never raises; UDP first, then TCP if the response is truncated.

        Args:
            server: `ADDRESS`, `ADDRESS:PORT` or `[V6]:PORT`; None: this machine's resolvers, one after the other.
            timeout: seconds for one server.
            unchecked: accept the response even if DNSSEC validation fails (the CD bit, RFC 4035 §3.2.2).
        """


class DnsExchange(Protocol):
    """Sends complete DNS messages."""

    def exchange(
        self, server: str, port: int, messages: Sequence[bytes], *, timeout: float, cancel: CancelToken | None = None
    ) -> tuple[bytes, ...]:
        """Send DNS messages over one TCP connection, one after the other, and return a response for each.

        Args:
            server: a name or an address.
            timeout: seconds for the connection, and for each response.
            cancel: aborts the exchange shortly after it is set.

        Raises TransportFailure, and Cancelled (`cancelled`).
        """


class NoDnsExchange(Struct, frozen=True):
    """The default: messages cannot be exchanged with name servers."""

    def exchange(
        self, server: str, port: int, messages: Sequence[bytes], *, timeout: float, cancel: CancelToken | None = None
    ) -> tuple[bytes, ...]:
        raise TransportFailure("unreachable", f"There is no way to {server} from here.")


class MailServer(Concealed, Struct, frozen=True, kw_only=True):
    """A mail server and how to connect to it."""

    host: str
    port: int
    security: str
    """`none`, `starttls` (RFC 3207), `tls` (from the first byte, RFC 8314)."""
    ca_bundle: str | None = None
    """Additional trusted CAs beside the system's roots (path)."""
    username: str | None = None
    password: str | None = None
    helo: str = "[127.0.0.1]"
    """The name of this box in EHLO."""


class MailReply(Struct, frozen=True, kw_only=True):
    """The reply of a mail server."""

    said: str
    """The server's reply to the mail: its code and text. Foreign text."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Recipients that were refused, each with the server's reply."""


class MailFailure(Exception):
    """The mail was not accepted. `kind`: `unreachable`, `untrusted`, `timeout`, `no-starttls`, `no-tls`, `credentials`, `refused`.

    The text is for people and may contain the server's message.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Mailer(Protocol):
    """Sends mail through a server."""

    def send(
        self, server: MailServer, sender: str, recipients: Sequence[str], mail: bytes, *, timeout: float
    ) -> MailReply:
        """Send one mail (RFC 5321). Retries nothing; `timeout`: seconds for each reply.

        Raises MailFailure; ConfigError for an unusable CA bundle.
        """


class NoMailer(Struct, frozen=True):
    """The default: mail cannot be sent."""

    def send(
        self, server: MailServer, sender: str, recipients: Sequence[str], mail: bytes, *, timeout: float
    ) -> MailReply:
        raise MailFailure("unreachable", f"There is no connection to {server.host} from here.")


class Served(Struct, frozen=True, kw_only=True):
    """What a TLS service presents. Exactly one of `certificate` and `failure` is set."""

    certificate: bytes | None = None
    """DER of the leaf."""
    failure: str | None = None
    """Why nothing could be seen, for the user."""
    closed: bool = False
    """The connection failed: no program listens there, or there is no route to the address."""


class Prober(Protocol):
    """Queries what TLS services present."""

    def listeners(self, probe: str, *, timeout: float) -> Sequence[str]:
        """Return one address for each IPv4 and IPv6 address of a probe's host, in the same form. Never raises.

        Args:
            probe: as in the configuration, `HOST:PORT` or `DIALECT://HOST:PORT`; returned unchanged if the host does not resolve.
            timeout: seconds for name resolution.
        """

    def served(self, listener: str, *, server_name: str | None, timeout: float, key: str | None = None) -> Served:
        """Do one full TLS handshake with a listener, verifying only its key, and return the leaf. Never raises.

        Args:
            listener: one of `listeners`.
            server_name: for the server name indication; an address or None is not sent.
            timeout: seconds for connection, STARTTLS and handshake together.
            key: `rsa` or `ec`, to get only a certificate with such a key; None: the service chooses.
        """


class Talker(Protocol):
    """Sends messages to local programs."""

    def say(self, address: str, message: bytes, *, timeout: float) -> Completed:
        """Send one message to a service over a separate connection, and return its reply. Never raises.

        Args:
            address: path of a Unix socket, or `HOST:PORT`, for TLS without verification.
            timeout: seconds for the whole exchange.

        `returncode` is 0 for any reply: only its text tells whether it succeeded. 1: there was no reply, and `output` says why.
        """


class NoTalker(Struct, frozen=True):
    """The default: messages cannot be sent to services."""

    def say(self, address: str, message: bytes, *, timeout: float) -> Completed:
        return Completed(returncode=1, output=f"There is no connection to {address} from here.")
