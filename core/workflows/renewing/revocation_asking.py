"""Asks CAs whether certificates are revoked: by OCSP if the certificate names a responder, else by the CRLs that it names.

Time and bytes are limited for each run, each CRL is read once, and a host that does not respond is not asked again. Certificates
that were not checked are checked in the next run. An answer counts only with the CA's signature, so plain HTTP is enough
(RFC 5280 §8).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from core.concurrently import map_concurrently
from core.errors import Cancelled, CertdeckError
from core.ports import CancelToken, Transport
from core.regular import read_regular
from core.store import revocation
from core.store.revocation import PAUSE_SECONDS, Said
from core.stored_times import REVOCATION_ASKED, is_void
from core.upload.aia import shown_url
from core.workflows.context import View
from core.workflows.published import NotPublished, Reader, host_of
from core.workflows.uploading.trust import stores
from core.x509 import crl, ocsp
from core.x509.certificate import Certificate, MalformedCertificate, parse_der, parse_pem
from core.x509.revocation import Answer, ListPlace, NoAnswer, Places, places_of

MOST_SECONDS = 30.0
MOST_SECONDS_EACH = 10.0
MOST_BYTES = 32 * 1024 * 1024
_AT_ONCE = 8
_WITH_THE_OTHERS = PAUSE_SECONDS / 2
"""A certificate whose last check is longer ago than this is checked together with the due ones, so that only one run a day asks."""
_BUNDLE_BYTES = 4 * 1024 * 1024
_HEADERS = {"User-Agent": "certdeck"}


class CertificateToCheck(Struct, frozen=True, kw_only=True):
    """A certificate to check for revocation."""

    name: str
    sha256: str
    ca: str
    """Name of the configured issuer whose `ca_bundle` may have the CA's certificate. Empty: none."""
    read: Callable[[], bytes]
    """Returns its PEM chain, leaf first."""


class Answers(Struct, frozen=True, kw_only=True):
    """The results, by SHA-256 fingerprint."""

    said: Mapping[str, Said]
    """All known answers."""
    revoked: frozenset[str] = frozenset()


def ask(view: View, every: Sequence[CertificateToCheck], file: Path, cancel: CancelToken) -> Answers:
    """Ask about the certificates that were not checked recently, the longest ago first. `file`: stored answers. Never raises."""
    now = view.env.clock.now()
    had = revocation.load(file)
    known = {each.sha256: had[each.sha256] for each in every if each.sha256 in had}
    due = [each for each in every if _is_due(known.get(each.sha256), now.timestamp())]
    due.sort(key=lambda each: known[each.sha256].asked_at if each.sha256 in known else 0.0)
    try:
        opened = view.env.transport(None)
    except CertdeckError as exc:  # a machine without trusted roots
        return Answers(said=known | {each.sha256: _without(known, each, now, exc.what) for each in due})
    with closing(opened) as transport:
        asking = _Asking(view, transport, cancel, now)
        answers = map_concurrently(lambda each: asking.about(each, known.get(each.sha256)), due, at_once=_AT_ONCE)
    fresh = {each.sha256: said for each, said in zip(due, answers, strict=True) if said is not None}
    revoked = frozenset(sha256 for sha256, said in fresh.items() if _is_revoked(said))
    return Answers(said=known | fresh, revoked=revoked)


def _is_due(said: Said | None, now: float) -> bool:
    if said is None or is_void(said.asked_at, now, REVOCATION_ASKED):
        return True
    return said.asked_at + _WITH_THE_OTHERS <= now


def _is_revoked(said: Said) -> bool:
    return said.revoked_at is not None and not said.trouble


def _without(known: dict[str, Said], subject: CertificateToCheck, now: datetime, trouble: str) -> Said:
    """Return the state after a failed check: the last answer stays valid until its own end."""
    had = known.get(subject.sha256, Said(asked_at=0.0))
    return Said(
        asked_at=now.timestamp(),
        until=had.until,
        revoked_at=had.revoked_at,
        reason=had.reason,
        source=had.source,
        trouble=trouble,
    )


class _Asking:
    """The requests of one run. Thread-safe."""

    def __init__(self, view: View, transport: Transport, cancel: CancelToken, now: datetime) -> None:
        self._view = view
        self._transport = transport
        self._now = now
        self._reader = Reader(view.env, cancel, seconds=MOST_SECONDS, size=MOST_BYTES, seconds_each=MOST_SECONDS_EACH)
        self._lock = threading.Lock()
        self._lists: dict[str, _List] = {}
        self._silent: dict[str, str] = {}
        """Hosts that did not respond, with the error text."""
        self._system = stores(view, None)[0]

    def about(self, subject: CertificateToCheck, had: Said | None) -> Said | None:
        """Ask about one certificate. None: left to the next run. Never raises."""
        if self._reader.is_used_up:
            return None
        try:
            answer, source = self._asked(subject)
        except Cancelled:
            return None
        except (NoAnswer, CertdeckError) as exc:
            known = {} if had is None else {subject.sha256: had}
            trouble = exc.what if isinstance(exc, CertdeckError) else str(exc)
            return _without(known, subject, self._now, trouble)
        except Exception as exc:
            logging.getLogger(__name__).error("asking about %s failed", subject.name, exc_info=exc)
            return _without({}, subject, self._now, "the response was unexpected")
        return Said(
            asked_at=self._now.timestamp(),
            until=answer.until.timestamp(),
            revoked_at=None if answer.revoked_at is None else answer.revoked_at.timestamp(),
            reason=answer.reason,
            source=source,
        )

    def _asked(self, subject: CertificateToCheck) -> tuple[Answer, str]:
        try:
            leaf, *chain = parse_pem(subject.read())
        except MalformedCertificate as exc:
            raise NoAnswer(str(exc)) from exc
        places = places_of(leaf)
        issuers = [*chain, *self._others(subject, leaf, is_alone=not chain)]
        trouble = NoAnswer("it contains no URL for revocation checks")
        for url, look in self._ways(leaf, issuers, places):
            try:
                return look(), shown_url(url)
            except (NoAnswer, NotPublished) as exc:
                trouble = NoAnswer(f"{shown_url(url)}: {str(exc).rstrip('.')}")
        raise trouble

    def _ways(
        self, leaf: Certificate, issuers: Sequence[Certificate], places: Places
    ) -> list[tuple[str, Callable[[], Answer]]]:
        ways: list[tuple[str, Callable[[], Answer]]] = [
            (url, partial(self._by_responder, url, leaf, issuers)) for url in places.responders
        ]
        for place in places.lists:
            ways += [(url, partial(self._by_list, url, leaf, issuers, place)) for url in place.urls]
        return ways

    def _by_responder(self, url: str, leaf: Certificate, issuers: Sequence[Certificate]) -> Answer:
        question = ocsp.question(leaf, issuers)
        headers = {**_HEADERS, "Content-Type": ocsp.REQUEST_TYPE, "Accept": "application/ocsp-response"}
        return ocsp.said(self._read(url, headers, question.body), question, self._now)

    def _by_list(self, url: str, leaf: Certificate, issuers: Sequence[Certificate], place: ListPlace) -> Answer:
        with self._lock:
            held = self._lists.setdefault(url, _List())
        found = held.get(lambda: crl.parse(self._read(url, {**_HEADERS, "Accept": "application/pkix-crl"}, None)))
        return crl.said(found, leaf, issuers, place, self._now)

    def _read(self, url: str, headers: dict[str, str], body: bytes | None) -> bytes:
        host = host_of(url)
        if host in self._silent:
            raise NotPublished(self._silent[host])
        try:
            return self._reader.read(self._transport, url, headers=headers, body=body)
        except NotPublished as exc:
            if exc.is_unreachable:
                self._silent[host] = str(exc)
            raise

    def _others(self, subject: CertificateToCheck, leaf: Certificate, *, is_alone: bool) -> list[Certificate]:
        """Return certificates that may be the CA's if the chain lacks it, as when a CA issues directly from its root."""
        found: list[Certificate] = []
        entry = self._view.config.issuers.get(subject.ca or "")
        if entry is not None and entry.ca_bundle:
            with suppress(OSError, MalformedCertificate):
                found += parse_pem(read_regular(Path(entry.ca_bundle), _BUNDLE_BYTES))
        if is_alone:
            with suppress(MalformedCertificate), self._lock:
                found += [parse_der(each) for each in self._system.named(leaf.native.issuer.public_bytes())]
        return found


class _List:
    """A CRL that the first caller reads. The others get the same CRL or the same error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: x509.CertificateRevocationList | None = None
        self._trouble: NoAnswer | NotPublished | None = None

    def get(self, read: Callable[[], x509.CertificateRevocationList]) -> x509.CertificateRevocationList:
        with self._lock:
            if self._trouble is not None:
                raise self._trouble
            if self._found is None:
                try:
                    self._found = read()
                except (NoAnswer, NotPublished) as exc:
                    self._trouble = exc
                    raise
            return self._found
