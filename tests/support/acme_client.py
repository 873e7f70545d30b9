"""What a test of the ACME client needs besides the server: a session, a solver that proves nothing, a CSR, the events."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from core.acme.account_key import AccountKey
from core.acme.authorization import Challenge
from core.acme.session import AcmeSession
from core.events import Event, Narrator, Report
from core.ports import CancelToken, Transport
from tests.support.acme_server import AcmeServer
from tests.support.clock import FakeClock, FakeRandom

ACCOUNT_KEY = AccountKey.generate()
"""One for all tests: keys are no subject of most of them."""


def a_session(server: AcmeServer, *, transport: Transport | None = None, key: AccountKey | None = None) -> AcmeSession:
    """Return a session with `server` under its clock, without an account."""
    return AcmeSession(
        transport=transport or server,
        clock=server.clock,
        random=FakeRandom(),
        directory_url=server.directory_url,
        key=key or ACCOUNT_KEY,
        cancel=CancelToken(),
        issuer="test-ca",
    )


def a_csr(names: Sequence[str], key: ec.EllipticCurvePrivateKey | None = None) -> Callable[[], bytes]:
    """Return what makes the DER of a CSR for `names`."""
    signing = key or ec.generate_private_key(ec.SECP256R1())
    san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(san, critical=False)
    return lambda: builder.sign(signing, hashes.SHA256()).public_bytes(Encoding.DER)


class Told:
    """A narrator's other end: keeps the events."""

    def __init__(self, clock: FakeClock) -> None:
        self.events: list[Event] = []
        self.narrator = Narrator(report=self._report, now=clock.now, run="0badcafe")

    def _report(self, report: Report) -> None:
        self.events.append(report.event)

    def of(self, kind: type[Event]) -> list[Any]:
        """Return the events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]


class NoProof:
    """A solver for a CA that believes everything; remembers what was presented and whether it was taken away."""

    def __init__(self, type: str = "http-01") -> None:
        self.type = type
        self.presented: list[str] = []
        self.open = 0

    def where(self, challenge: Challenge) -> str:
        return f"http://{challenge.identifier}/"

    @contextlib.contextmanager
    def present(self, challenges: Sequence[Challenge], narrator: Narrator, cancel: CancelToken) -> Iterator[NoProof]:
        self.presented += [each.identifier for each in challenges]
        self.open += 1
        try:
            yield self
        finally:
            self.open -= 1

    def settle(self, seconds: float, cancel: CancelToken) -> None:
        cancel.check()
