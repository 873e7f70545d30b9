"""A whole box inside a test: the real engine over a real folder, with a scripted CA, services in memory and a held clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from core.challenges.http01 import PREFIX
from core.config.model import TargetConfig
from core.engine import Engine
from core.errors import PortUnavailable
from core.events import Event, Report
from core.operations import Issued, IssueRequest
from core.paths import Paths
from core.ports import (
    CancelToken,
    ClientIdentity,
    Environment,
    HttpHandler,
    HttpRequest,
    Places,
    Response,
    StreamTransport,
    Transport,
    TransportFailure,
    no_peers,
)
from tests.support.acme_server import AcmeServer
from tests.support.clock import FakeClock, FakeRandom
from tests.support.name_servers import NameServers
from tests.support.services import Service, Services

CA_ADDRESS = "192.0.2.80"
"""Where the CA's requests for challenge files come from."""
CONFIG = """\
[issuers.ca]
directory = "https://ca.test/directory"
agree_tos = true

[defaults]
issuer = "ca"
"""


@dataclass
class FakeHost:
    """This machine, as the test wants it."""

    hostname: str = "box.example.com"
    own: list[str] = field(default_factory=lambda: ["192.0.2.10"])
    known: dict[str, list[str]] = field(default_factory=dict)

    def name(self) -> str:
        return self.hostname

    def addresses(self) -> Sequence[str]:
        return tuple(self.own)

    def resolve(self, name: str) -> Sequence[str]:
        return tuple(self.known.get(name, self.own))

    def listening(self, port: int) -> Sequence[str]:
        return ()

    def trusted_roots(self) -> str | None:
        return "/etc/ssl/certs"

    def user(self) -> str:
        return "tester"


class FakeListener:
    """A port that is free, or held by somebody."""

    def __init__(self) -> None:
        self.busy = False
        self.opened = 0
        self.handler: HttpHandler | None = None

    @contextmanager
    def listen(self, address: str, port: int, handler: HttpHandler) -> Iterator[int]:
        if self.busy:
            raise PortUnavailable(
                f"Port {port} is in use.",
                "nginx (pid 7) holds it.",
                "Use a webroot, or another port that is forwarded.",
            )
        self.opened += 1
        self.handler = handler
        try:
            yield port
        finally:
            self.handler = None

    def visit(self, token: str) -> None:
        """Ask for a challenge's file, as a CA does before it calls the challenge valid; nobody answers on a closed port."""
        if self.handler is not None:
            self.handler(HttpRequest(method="GET", path=f"{PREFIX}{token}", host="", peer=CA_ADDRESS))


class FakeWeb:
    """Port 80 of every address: what the box's own listener answers, or what `pages` holds."""

    def __init__(self, listener: FakeListener) -> None:
        self._listener = listener
        self.pages: dict[tuple[str, str], Response | TransportFailure] = {}
        """By address and URL; an empty URL stands for every one."""
        self.asked: list[tuple[str, str]] = []

    def get(self, url: str, *, address: str, timeout: float = 10.0, cancel: CancelToken | None = None) -> Response:
        self.asked.append((address, url))
        page = self.pages.get((address, url), self.pages.get((address, "")))
        if isinstance(page, TransportFailure):
            raise page
        if page is not None:
            return page
        if self._listener.handler is None:
            raise TransportFailure("unreachable", f"{address} cannot be reached: connection refused.")
        parts = urlsplit(url)
        asked = HttpRequest(method="GET", path=parts.path, host=parts.hostname or "", peer="192.0.2.99")
        answer = self._listener.handler(asked)
        return Response(status=answer.status, headers={}, body=answer.body)


class _Routed:
    """The transport of the box: the CA answers, and the DNS vendors at their own addresses."""

    def __init__(self, box: Appliance) -> None:
        self._box = box

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
        place: Transport = self._box.vendors.get(urlsplit(url).hostname or "", self._box.ca)
        return place.request(method, url, headers=headers, body=body, timeout=timeout, cancel=cancel)

    def close(self) -> None:
        self._box.ca.close()


class Appliance:
    """One box. `engine` is the real one; everything it meets is here to be set and looked at."""

    def __init__(self, home: Path, config: str = CONFIG) -> None:
        self.clock = FakeClock()
        self.ca = AcmeServer(self.clock)
        self.services = Services()
        self.host = FakeHost()
        self.listener = FakeListener()
        self.web = FakeWeb(self.listener)
        self.ca.visit = self.listener.visit
        self.random = FakeRandom()
        self.dns = NameServers()
        self.vendors: dict[str, Transport] = {}
        """By host name."""
        self.peers: Callable[[str | None, ClientIdentity | None], StreamTransport] = no_peers
        """The way to etcd; an engine made by `reopened` has it."""
        self.told: list[Report] = []
        self.paths = Paths(home / "etc", home / "state", home / "run", home / "log")
        self.root = home / "root"
        """Below it other programs' folders are looked for."""
        self.paths.etc.mkdir(parents=True)
        self.paths.config.write_text(config)
        self.engine = self.reopened()

    def reopened(self) -> Engine:
        """Return an engine as another process would have it."""
        return Engine(
            self.paths,
            Environment(
                clock=self.clock,
                random=self.random,
                transport=lambda _bundle: _Routed(self),
                peers=self.peers,
                runner=self.services,
                prober=self.services,
                listener=self.listener,
                host=self.host,
                resolver=self.dns,
                web_reader=self.web,
                places=Places(root=self.root),
            ),
        )

    @property
    def events(self) -> list[Event]:
        """What was told, in order."""
        return [report.event for report in self.told]

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def configure(self, text: str) -> None:
        """Append to the configuration."""
        with self.paths.config.open("a") as file:
            file.write(text)

    def add_service(self, folder: Path, name: str = "web") -> Service:
        """Add a service in memory and configure it as a target."""
        service = self.services.add(folder, name)
        target: TargetConfig = service.target
        lines = [f"\n[targets.{name}]", f'certificate = "{target.certificate}"', f'key = "{target.key}"']
        lines += [
            f"test = {list(target.test)!r}",
            f"reload = {list(target.reload)!r}",
            f"probe = {list(target.probe)!r}",
            "",
        ]
        self.configure("\n".join(lines))
        return service

    def issue(self, *domains: str, **given: object) -> Issued:
        """Issue and expect it to succeed."""
        request = IssueRequest(domains=domains, **given)
        result = self.engine.issue(request, report=self.told.append)
        assert isinstance(result, Issued)
        return result

    def live(self, name: str) -> bytes:
        """Return the live fullchain."""
        return (self.paths.live / name / "fullchain.pem").read_bytes()
