"""Splits and sorts chains, verifies their links, and compares an issued certificate with its order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from core.dates import minute_shown, moment_in_words
from core.x509.certificate import Certificate, MalformedCertificate, parse_pem, to_pem
from core.x509.path import LATE_CLOCK, Rules
from core.x509.path_building import build_path
from core.x509.signature import has_signed


def split_fullchain(pem: bytes) -> tuple[Certificate, list[Certificate]]:
    """Return the leaf, which is first, and the certificates after it. Raises MalformedCertificate."""
    leaf, *rest = parse_pem(pem)
    return leaf, rest


def chain_problem(leaf: Certificate, intermediates: Sequence[Certificate]) -> str | None:
    """Return why the certificates are not a chain, each signed by the next. None: they are."""
    below = leaf
    for above in intermediates:
        if not has_signed(above.native, below.native):
            return f"{below.subject} is not signed by {above.subject}, the next certificate in the chain."
        below = above
    return None


def in_order(fullchain: bytes, spki: bytes, now: datetime) -> bytes:
    """Return a CA's response with the leaf first and its chain in order; of equivalent intermediates, the one that ends last.

    A chain that is in order and violates no rule keeps all its certificates, including a root at its end, and so does one that
    cannot be sorted. The result contains only certificates: services would read a key or other text that a CA adds (RFC 8555
    §7.4.2). A response without a certificate is returned unchanged: `issued_pair_problem` reports the reason.

    Args:
        fullchain: PEM.
        spki: DER of the public key that the request was signed with.
    """
    try:
        sent = parse_pem(fullchain)
    except MalformedCertificate:
        return fullchain
    place = next((number for number, each in enumerate(sent) if each.public_key_spki == spki), 0)
    leaf, others = sent[place], [*sent[:place], *sent[place + 1 :]]
    if place == 0 and chain_problem(leaf, others) is None and Rules(now).problem(leaf, others) is None:
        return _pem(sent)
    way = build_path(leaf, others, (), now)
    if others and not way.links:
        return _pem(sent)
    return _pem((leaf, *(link.certificate for link in way.links)))


def _pem(certificates: Iterable[Certificate]) -> bytes:
    return b"".join(map(to_pem, certificates))


def issued_pair_problem(fullchain: bytes, spki: bytes, names: Sequence[str], now: datetime) -> str | None:
    """Return why a CA's certificate is not what was ordered. None: it is.

    Args:
        fullchain: PEM, leaf first.
        spki: DER of the public key that the request was signed with.
        names: A-labels and IP addresses that were ordered.
    """
    try:
        leaf, intermediates = split_fullchain(fullchain)
    except MalformedCertificate as exc:
        return str(exc)
    if leaf.public_key_spki != spki:
        return "It is for a different key."
    if {name.lower() for name in names} != set(leaf.names):
        wrong = sorted(set(leaf.names) ^ {name.lower() for name in names})
        return f"Its names differ from the order: {', '.join(wrong[:5])}."
    if leaf.is_ca:
        return "It is a CA certificate."
    if now < leaf.not_before - LATE_CLOCK:
        return f"It is not valid before {minute_shown(leaf.not_before)}."
    if now >= leaf.not_after:
        return f"It expired on {moment_in_words(leaf.not_after)}."
    return chain_problem(leaf, intermediates)
