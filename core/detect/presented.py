"""Queries which certificate the ports of services present: all in parallel, each for a few seconds at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime

from msgspec import Struct

from core.concurrently import map_concurrently
from core.detect.ports import address
from core.detected import OURS, UNKNOWN, UNMANAGED, Presented
from core.ports import Prober
from core.severity import days_left, severity

SECONDS = 3.0
_AT_ONCE = 32
LABEL_BELOW_WILDCARD = "certdeck"


class Question(Struct, frozen=True):
    """One port to probe, with every dialect that it may speak."""

    host: str
    port: int
    dialects: tuple[str, ...]
    name: str = ""
    """Server name to send (SNI); empty: none."""


def ask(prober: Prober, questions: Sequence[Question], own: Set[str], now: datetime) -> Mapping[Question, Presented]:
    """Return what each port presents: the result of the first dialect that returned a certificate.

    Args:
        own: fingerprints of certdeck's certificates.
    """
    every = tuple(dict.fromkeys((each, dialect) for each in questions for dialect in each.dialects))

    def one(item: tuple[Question, str]) -> Presented:
        return _presented(prober, *item, own, now)

    answers = dict(zip(every, map_concurrently(one, every, at_once=_AT_ONCE), strict=True))
    return {each: _best([answers[each, dialect] for dialect in each.dialects]) for each in questions}


def _best(answers: Sequence[Presented]) -> Presented:
    return next((each for each in answers if each.sha256), answers[0])


def _presented(prober: Prober, question: Question, dialect: str, own: Set[str], now: datetime) -> Presented:
    from core.x509.certificate import MalformedCertificate, parse_der

    where, word = address(question.host, question.port, dialect), dialect or "tls"
    served = prober.served(where, server_name=asked_name(question.name), timeout=SECONDS)
    if served.certificate is None:
        return Presented(address=where, dialect=word, state=UNKNOWN, why=served.failure or "")
    try:
        leaf = parse_der(served.certificate)
    except MalformedCertificate as exc:
        return Presented(
            address=where, dialect=word, state=UNKNOWN, why=f"{where} presents an invalid certificate. {exc}"
        )
    begin, end = leaf.not_before.timestamp(), leaf.not_after.timestamp()
    return Presented(
        address=where,
        dialect=word,
        state=OURS if leaf.sha256 in own else UNMANAGED,
        sha256=leaf.sha256,
        subject=leaf.subject,
        names=leaf.names,
        not_before=leaf.not_before,
        not_after=leaf.not_after,
        days_left=days_left(begin, end, now.timestamp()),
        severity=severity(begin, end, now.timestamp()),
    )


def asked_name(name: str) -> str | None:
    """Return the server name to send: a label below a wildcard; None for no name."""
    return (f"{LABEL_BELOW_WILDCARD}{name[1:]}" if name.startswith("*.") else name) or None
