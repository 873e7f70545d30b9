"""The ports between the engine and the outside world: time, randomness, HTTP, sockets, child processes.

Each port is a protocol; `core.system` has the real implementations and tests have doubles. There is no other seam: a test that
needs to patch one of our modules has found a missing port. Files are not a port: the engine works on real folders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from core.ports.http import (
    ClientIdentity,
    HttpHandler,
    HttpReply,
    HttpRequest,
    Listener,
    NoWebReader,
    Response,
    StreamTransport,
    Transport,
    TransportFailure,
    WebReader,
    no_peers,
)
from core.ports.machine import (
    OUTPUT_LIMIT_BYTES,
    CancelToken,
    Clock,
    Completed,
    Host,
    NoSystemLog,
    Places,
    Random,
    Runner,
    RunningProgram,
    SystemLog,
)
from core.ports.services import (
    DnsExchange,
    DnsRecord,
    DnsResponse,
    Mailer,
    MailFailure,
    MailReply,
    MailServer,
    NoDnsExchange,
    NoMailer,
    NoTalker,
    Prober,
    Resolver,
    Served,
    Talker,
)

__all__ = [
    "OUTPUT_LIMIT_BYTES",
    "CancelToken",
    "ClientIdentity",
    "Clock",
    "Completed",
    "DnsExchange",
    "DnsRecord",
    "DnsResponse",
    "Environment",
    "Host",
    "HttpHandler",
    "HttpReply",
    "HttpRequest",
    "Listener",
    "MailFailure",
    "MailReply",
    "MailServer",
    "Mailer",
    "NoDnsExchange",
    "NoMailer",
    "NoSystemLog",
    "NoTalker",
    "NoWebReader",
    "Places",
    "Prober",
    "Random",
    "Resolver",
    "Response",
    "Runner",
    "RunningProgram",
    "Served",
    "StreamTransport",
    "SystemLog",
    "Talker",
    "Transport",
    "TransportFailure",
    "WebReader",
    "no_peers",
]


class Environment(Struct, frozen=True, kw_only=True):
    """All ports together."""

    clock: Clock
    random: Random
    transport: Callable[[str | None], Transport]
    """Creates a transport that trusts the system's roots and the given CA bundle (path)."""
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
    """Returns whether an account of this machine can read a file; None if that cannot be determined."""
    peers: Callable[[str | None, ClientIdentity | None], StreamTransport] = no_peers
    """Creates a transport for peers that trusts the system's roots and the given CA bundle (path)."""
    check_command: Callable[[Sequence[str]], None] = lambda argv: None
    """Raises UntrustedPath (`untrusted-path`) if this process is root and another account can change a path in the configured
    command `argv`, or the program itself. Called before each command that comes from the configuration."""
    programs: Callable[[], Sequence[RunningProgram]] = lambda: ()
    """Returns the programs that listen on TCP ports of this box. Never raises."""
