"""Services that are spoken to in protocols of their own: DNS, mail, TLS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from core.concealed import Concealed
from core.ports.http import TransportFailure
from core.ports.machine import CancelToken, Completed


class DnsRecord(Struct, frozen=True, kw_only=True):
    """One resource record of an answer."""

    name: str
    """Lower case, without a final dot."""
    type: str
    value: str
    """TXT: its strings joined. Names: as `name`. SOA: the primary server's name. Addresses as usual."""


class DnsResponse(Struct, frozen=True, kw_only=True):
    """What a name server said, or why it said nothing."""

    status: str
    """`NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED` …; `SILENT`: no answer in time; `UNREACHABLE`: no way there."""
    answer: tuple[DnsRecord, ...] = ()
    authority: tuple[DnsRecord, ...] = ()
    milliseconds: int = 0
    is_authenticated: bool = False
    """The server has verified it by DNSSEC (the AD bit, RFC 4035 §3.2.3)."""

    def values(self, type: str) -> tuple[str, ...]:
        """Return the values of the answer's records of a type."""
        return tuple(record.value for record in self.answer if record.type == type)


class Resolver(Protocol):
    """Asks DNS servers."""

    def ask(
        self, name: str, type: str, *, server: str | None = None, timeout: float = 3.0, unchecked: bool = False
    ) -> DnsResponse:
        """Ask one question. Never raises; UDP first, TCP where an answer does not fit.

        Args:
            server: `ADDRESS`, `ADDRESS:PORT` or `[V6]:PORT`; None: the resolvers of this machine, one after the other.
            unchecked: ask for the answer even where DNSSEC fails (the CD bit, RFC 4035 §3.2.2).
        """


class DnsExchange(Protocol):
    """Sends DNS messages that are complete already."""

    def exchange(
        self, server: str, port: int, messages: Sequence[bytes], *, timeout: float, cancel: CancelToken | None = None
    ) -> tuple[bytes, ...]:
        """Send whole DNS messages over one TCP connection, one after the other, and return an answer for each.

        Args:
            server: a name or an address.
            timeout: seconds for the connection, and for each answer.
            cancel: leaves the exchange shortly after somebody asks to stop.

        Raises TransportFailure, and Cancelled (`cancelled`).
        """


class NoDnsExchange(Struct, frozen=True):
    """Where nobody gave a way to exchange messages with name servers."""

    def exchange(
        self, server: str, port: int, messages: Sequence[bytes], *, timeout: float, cancel: CancelToken | None = None
    ) -> tuple[bytes, ...]:
        raise TransportFailure("unreachable", f"There is no way to {server} from here.")


class MailServer(Concealed, Struct, frozen=True, kw_only=True):
    """A server that takes mail, and how it is spoken to."""

    host: str
    port: int
    security: str
    """`none`, `starttls` (RFC 3207), `tls` (from the first byte, RFC 8314)."""
    ca_bundle: str | None = None
    """Extra trust beside the system's roots (path)."""
    username: str | None = None
    password: str | None = None
    helo: str = "[127.0.0.1]"
    """What this box calls itself."""


class MailReply(Struct, frozen=True, kw_only=True):
    """What a mail server said."""

    said: str
    """The server's answer to the mail: its number and text. Foreign text."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Recipients that it did not take, and what it said of each."""


class MailFailure(Exception):
    """The mail was not taken. `kind`: `unreachable`, `untrusted`, `timeout`, `no-starttls`, `no-tls`, `credentials`, `refused`.

    The text is for people and may hold what the server said.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Mailer(Protocol):
    """Hands mail to a server."""

    def send(
        self, server: MailServer, sender: str, recipients: Sequence[str], mail: bytes, *, timeout: float
    ) -> MailReply:
        """Send one mail (RFC 5321). Retries nothing; `timeout`: seconds for each answer.

        Raises MailFailure; ConfigError for a CA bundle that cannot be used.
        """


class NoMailer(Struct, frozen=True):
    """Where nobody gave a way to send mail."""

    def send(
        self, server: MailServer, sender: str, recipients: Sequence[str], mail: bytes, *, timeout: float
    ) -> MailReply:
        raise MailFailure("unreachable", f"There is no connection to {server.host} from here.")


class Served(Struct, frozen=True, kw_only=True):
    """What a TLS service presents. Exactly one of the two is set."""

    certificate: bytes | None = None
    """DER of the leaf."""
    failure: str | None = None
    """Why nothing could be seen, for people."""
    closed: bool = False
    """Nobody takes connections there: nothing listens, or there is no way to the address."""


class Prober(Protocol):
    """Looks at what TLS services present."""

    def listeners(self, probe: str, *, timeout: float) -> Sequence[str]:
        """Return one address for each IPv4 and IPv6 address of a probe's host, in the same form. Never raises.

        Args:
            probe: as in the configuration, `HOST:PORT` or `DIALECT://HOST:PORT`. A host that does not resolve comes back as it is.
            timeout: seconds for looking the name up.
        """

    def served(self, listener: str, *, server_name: str | None, timeout: float, key: str | None = None) -> Served:
        """Do one full TLS handshake with a listener, verifying nothing but its key, and return the leaf. Never raises.

        Args:
            listener: one of `listeners`.
            server_name: for the server name indication; an address or None is not indicated.
            timeout: seconds for connection, STARTTLS and handshake together.
            key: `rsa` or `ec`, where only a certificate with such a key is wanted; None: whichever the service chooses.
        """


class Talker(Protocol):
    """Speaks with local programs."""

    def say(self, address: str, message: bytes, *, timeout: float) -> Completed:
        """Say one message to a service over a connection of its own, and return its answer. Never raises.

        Args:
            address: path of a Unix socket, or `HOST:PORT`, where TLS is spoken and nothing verified.
            timeout: seconds for all of it.

        `returncode` is 0 for any answer: whether it is a good one, its text tells. 1: there was none, and `output` says why.
        """


class NoTalker(Struct, frozen=True):
    """Where nobody gave a way to talk to services."""

    def say(self, address: str, message: bytes, *, timeout: float) -> Completed:
        return Completed(returncode=1, output=f"There is no connection to {address} from here.")
