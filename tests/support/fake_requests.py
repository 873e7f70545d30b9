"""The part of the engine's double that makes signing requests: values, no keys.

engine.requests["shop"]      # what has been made; a test may put others in
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from core.engine import ignore
from core.errors import AlreadyThere, NotFound
from core.events import Changed, Event, Reporter
from core.identifiers import parse_identifiers
from core.ports import CancelToken
from core.upload.values import CsrRequest, SigningRequest
from core.workflows.uploading.csr import advice
from core.x509.subject import parse_subject, subject_text
from tests.support.lineages import NOW

PEM = "-----BEGIN CERTIFICATE REQUEST-----\nTUlIb0FBQUE=\n-----END CERTIFICATE REQUEST-----\n"


def signing_request(name: str = "shop", *domains: str, **fields: Any) -> SigningRequest:
    """Make a request for `domains`."""
    names = domains or ("shop.example.com", "www.shop.example.com")
    values: dict[str, Any] = {"key_type": "ec-256", "subject": "", "created": NOW, "pem": PEM, "advice": advice(names)}
    return SigningRequest(name=name, domains=names, **values | fields)


class FakeRequests:
    """Mixed into FakeEngine, by FakeUploads."""

    if TYPE_CHECKING:

        def _called(self, method: str, **given: Any) -> None: ...
        def _tell(
            self,
            operation: str,
            report: Reporter,
            cancel: CancelToken | None,
            events: Iterable[Event],
            about: str,
            outcome: str = "done",
        ) -> None: ...

    @property
    def requests(self) -> dict[str, SigningRequest]:
        found: dict[str, SigningRequest] = self.__dict__.setdefault("_requests", {})
        return found

    def make_csr(
        self,
        request: CsrRequest,
        *,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> SigningRequest:
        self._called("make_csr", **{**asdict(request), "domains": tuple(request.domains)})
        name, key_type, subject = request.name, request.key_type, request.subject
        names = tuple(each.value for each in parse_identifiers(request.domains))
        had = self.requests.get(name)
        if had is not None and not request.replace:
            if had.domains != names:
                raise AlreadyThere(
                    f"The signing request {name} already exists, for {', '.join(had.domains)}.",
                    "A new request has a new key.",
                    "Add --replace.",
                    details={"needs": "replace"},
                )
            return had
        made = signing_request(
            name, *names, key_type=key_type or "ec-256", subject=subject_text(parse_subject(subject or "")), is_new=True
        )
        self._tell(
            "signing request",
            report,
            cancel,
            [Changed(what=f"created a private key and a signing request, {name}")],
            name,
        )
        self.requests[name] = made
        return made

    def csrs(self) -> tuple[SigningRequest, ...]:
        self._called("csrs")
        return tuple(self.requests[name] for name in sorted(self.requests))

    def csr(self, name: str) -> SigningRequest:
        self._called("csr", name=name)
        if name not in self.requests:
            raise NotFound(f"There is no signing request called {name}.", "None was made.", "Make one.")
        return self.requests[name]

    def write_csr(self, name: str, out: Path) -> None:
        self._called("write_csr", name=name, out=out)

    def remove_csr(self, name: str, *, report: Reporter = ignore) -> None:
        self.csr(name)
        self._called("remove_csr", name=name)
        del self.requests[name]
