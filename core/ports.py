"""Where the engine meets the world: time, randomness, HTTP, sockets, child processes.

Each port is a protocol; `core.system` holds the real ones and tests hold doubles. There is no other seam: a test that
wants to patch one of our modules has found a missing port. Files are not a port: the engine works on real folders.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from core.concealed import Concealed
from core.errors import Cancelled


class CancelToken:
    """Lets one thread ask another to stop. Waiting on it ends at once when it is set."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask to stop. Idempotent, any thread."""
        self._event.set()

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise Cancelled (`cancelled`) when somebody asked to stop."""
        if self._event.is_set():
            raise Cancelled(
                "The operation was cancelled.",
                "It was stopped on request.",
                "Start it again at any time; an open order continues where it stopped.",
            )

    def wait(self, seconds: float) -> None:
        """Block for `seconds`, or raise Cancelled (`cancelled`) as soon as somebody asks to stop."""
        self._event.wait(seconds)
        self.check()


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the wall clock, aware UTC."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never jumps."""

    def sleep(self, seconds: float, cancel: CancelToken) -> None:
        """Block for `seconds`; raise Cancelled at once when asked to."""


class Random(Protocol):
    def token_bytes(self, count: int) -> bytes:
        """Return `count` bytes fit for cryptography."""

    def uniform(self, low: float, high: float) -> float:
        """Return a float in [low, high]."""


class Response(Struct, frozen=True, kw_only=True):
    """An HTTP answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    truncated: bool = False
    """The body was longer than the limit and was cut there."""
    header_lines: tuple[tuple[str, str], ...] = ()
    """Every header as it was sent, those that were sent twice included. Only of what a `WebReader` has read."""


class TransportFailure(Exception):
    """No HTTP answer. `kind`: `unreachable`, `untrusted`, `timeout`, `too-large`. Text is for people, holds no secret."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Transport(Protocol):
    """An HTTPS client with kept-alive connections. Thread-safe."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: float = 30.0,
        cancel: CancelToken | None = None,
    ) -> Response:
        """Send one request; follow no redirect, retry nothing. Bodies are cut at 4 MiB.

        Args:
            timeout: seconds for all of it, from the name's resolution to the last byte.
            cancel: leaves the request shortly after somebody asks to stop.

        Raises TransportFailure, and Cancelled (`cancelled`).
        """

    def close(self) -> None:
        """Close every connection."""


class StreamTransport(Transport, Protocol):
    """A transport for peers of this box: it uses no proxy, and can listen to an answer that goes on for ever."""

    def lines(
        self, url: str, *, headers: Mapping[str, str], body: bytes, idle: float, cancel: CancelToken | None = None
    ) -> Iterator[bytes]:
        """POST, and yield each line of a 200 answer as it comes, until the server ends it. Lines over 64 MiB end it too.

        Args:
            idle: seconds without a byte after which the connection is taken for dead.

        Raises TransportFailure (`timeout` after `idle`), and Cancelled (`cancelled`).
        """


class ClientIdentity(Struct, frozen=True, kw_only=True):
    """With what this box shows servers who it is: paths of PEM files."""

    certificate: str
    key: str


def no_peers(ca_bundle: str | None, identity: ClientIdentity | None) -> StreamTransport:
    """Be `Environment.peers` where nobody gave a way to other boxes."""
    raise TransportFailure("unreachable", "There is no connection to other boxes from here.")


class DnsRecord(Struct, frozen=True, kw_only=True):
    """One resource record of an answer."""

    name: str
    """Lower case, without a final dot."""
    type: str
    value: str
    """TXT: its strings joined. Names: as `name`. SOA: the primary server's name. Addresses as usual."""


class DnsReply(Struct, frozen=True, kw_only=True):
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
    def ask(
        self, name: str, type: str, *, server: str | None = None, timeout: float = 3.0, unchecked: bool = False
    ) -> DnsReply:
        """Ask one question. Never raises; UDP first, TCP where an answer does not fit.

        Args:
            server: `ADDRESS`, `ADDRESS:PORT` or `[V6]:PORT`; None: the resolvers of this machine, one after the other.
            unchecked: ask for the answer even where DNSSEC fails (the CD bit, RFC 4035 §3.2.2).
        """


class WebReader(Protocol):
    def get(self, url: str, *, address: str, timeout: float = 10.0, cancel: CancelToken | None = None) -> Response:
        """Send one GET to `address`, as a CA does that validates http-01 (RFC 8555 §8.3). Thread-safe.

        No proxy is used, no redirect followed, no TLS certificate verified; the body is cut at 64 KiB. The port is the URL's.

        Args:
            address: an IP address; where the connection goes, whatever the URL's host resolves to.
            timeout: seconds for all of it.

        Raises TransportFailure, and Cancelled (`cancelled`).
        """


class NoWebReader(Struct, frozen=True):
    """Where nobody gave a way to read web pages."""

    def get(self, url: str, *, address: str, timeout: float = 10.0, cancel: CancelToken | None = None) -> Response:
        raise TransportFailure("unreachable", f"There is no connection to {address} from here.")


class DnsExchange(Protocol):
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


class SystemLog(Protocol):
    def write(self, message: str, priority: int, fields: Mapping[str, str]) -> None:
        """Write one line to the system's log. Never raises, never waits.

        Args:
            priority: 3 error, 4 warning, 6 information (syslog(3)).
            fields: names in lower case, letters and `_`; where the log has no fields they stand behind the message.
        """


class NoSystemLog(Struct, frozen=True):
    """Where there is no log of the system's."""

    def write(self, message: str, priority: int, fields: Mapping[str, str]) -> None:
        """Write nothing."""


OUTPUT_LIMIT_BYTES = 16 * 1024
"""What is kept of a program's output, unless more is asked for."""


class Completed(Struct, frozen=True, kw_only=True):
    """A child process that ended."""

    returncode: int
    """Negative: killed by that signal."""
    output: str
    """stdout and stderr together, decoded with replacement, the last `output_limit` bytes."""
    timed_out: bool = False


class Runner(Protocol):
    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        cancel: CancelToken | None = None,
        extra_env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        output_limit: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        """Run a program without a shell, in its own process group, with a scrubbed environment.

        Ends the whole group when it takes longer than `timeout` seconds. A program that cannot be started comes back as
        returncode 127 with the reason in `output`.

        Args:
            output_limit: bytes of the output that are kept, the last ones.
        """


class Served(Struct, frozen=True, kw_only=True):
    """What a TLS service presents. Exactly one of the two is set."""

    certificate: bytes | None = None
    """DER of the leaf."""
    failure: str | None = None
    """Why nothing could be seen, for people."""
    closed: bool = False
    """Nobody takes connections there: nothing listens, or there is no way to the address."""


class Prober(Protocol):
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


class HttpRequest(Struct, frozen=True, kw_only=True):
    """A request to our own small listener."""

    method: str
    path: str
    host: str
    """The Host header, lower case, without port; empty when there was none."""
    peer: str
    """Address of the one who asks."""


class HttpReply(Struct, frozen=True, kw_only=True):
    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


HttpHandler = Callable[[HttpRequest], HttpReply]


class Listener(Protocol):
    def listen(self, address: str, port: int, handler: HttpHandler) -> AbstractContextManager[int]:
        """Answer plain HTTP on `address:port` (IPv4 or IPv6; `0.0.0.0` takes IPv6 too where there is any) until the context ends.

        Yields the port. GET and HEAD only; request heads over 8 KiB, connections idle over 5 s and more than 64 at once are cut.
        Raises PortUnavailable (`port-unavailable`) naming the program that holds the port where that can be found out.
        """


class Host(Protocol):
    """This machine."""

    def name(self) -> str:
        """Return the fully qualified host name, or the short one."""

    def addresses(self) -> Sequence[str]:
        """Return the addresses of the box that others can reach: no loopback, no link-local."""

    def resolve(self, name: str) -> Sequence[str]:
        """Return the IPv4 and IPv6 addresses of `name`; empty when it does not resolve. Blocks for seconds at worst."""

    def listening(self, port: int) -> Sequence[str]:
        """Return who listens on a TCP port and on which address, one entry for each address, for people."""

    def trusted_roots(self) -> str | None:
        """Return where the system keeps the certificate authorities that it trusts (path); None where it has none."""

    def user(self) -> str:
        """Return who does this: `name`, or `name (via sudo)`, or `systemd`."""


class RunningProgram(Struct, frozen=True, kw_only=True):
    """A program of this box that takes TCP connections or datagrams. Everything but its numbers is foreign text."""

    name: str
    """File name of its executable, or what it calls itself where the executable cannot be seen."""
    path: str = ""
    """Of its executable; empty where that cannot be seen."""
    pid: int
    uid: int
    """Effective user: root, or the service's own account."""
    arguments: tuple[str, ...] = ()
    """As the process shows them now: some programs write a title over them."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of its environment, those that name a folder of configuration."""
    sockets: tuple[tuple[str, int], ...] = ()
    """Address and port of each listening TCP socket; `0.0.0.0` and `::` are all addresses."""
    folder: str = ""
    is_contained: bool = False
    """It sees another root file system: its paths are not those of this box."""
    is_private: bool = False
    """It has a mount namespace of its own: its /tmp may be another one (systemd's `PrivateTmp=`)."""


class Places(Struct, frozen=True, kw_only=True):
    """Where this box keeps what starts programs by themselves."""

    units: Path = Path("/etc/systemd/system")
    systemd: Path = Path("/run/systemd/system")
    """A folder that is there when systemd runs the box."""
    cron: Path = Path("/etc/cron.d")
    root: Path = Path("/")
    """Where other programs' folders are looked for."""
    is_root: bool = False
    program: Callable[[], str | None] = lambda: None
    """Finds the `certdeck` script of the running installation, absolute; None when there is none."""


class Environment(Struct, frozen=True, kw_only=True):
    """All ports together."""

    clock: Clock
    random: Random
    transport: Callable[[str | None], Transport]
    """Make a transport that trusts the system's roots and the given CA bundle (path)."""
    runner: Runner
    prober: Prober
    listener: Listener
    host: Host
    resolver: Resolver
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables, read once."""
    places: Places = Places()
    dns_exchange: DnsExchange = NoDnsExchange()
    web_reader: WebReader = NoWebReader()
    mailer: Mailer = NoMailer()
    system_log: SystemLog = NoSystemLog()
    talker: Talker = NoTalker()
    reads_as: Callable[[str, Path], bool | None] = lambda account, file: None
    """Tells whether an account of this machine can read a file; None where this cannot be found out."""
    peers: Callable[[str | None, ClientIdentity | None], StreamTransport] = no_peers
    """Make a transport for peers; trusts the system's roots and the given CA bundle (path)."""
    check_command: Callable[[Sequence[str]], None] = lambda argv: None
    """Raises UntrustedPath (`untrusted-path`) where this process is root and another account can change what names the configured
    command `argv`, or the program itself. Asked before each command that comes from the configuration."""
    programs: Callable[[], Sequence[RunningProgram]] = lambda: ()
    """Returns the programs that listen on TCP ports of this box. Never raises."""
