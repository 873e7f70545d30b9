"""Chains: taken apart, followed link by link, and compared with what was ordered."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from core.x509.certificate import Certificate, MalformedCertificate, parse_pem

TOLERANCE = timedelta(minutes=10)
"""A fresh certificate may look not yet valid to a clock that is a little late."""


def split_fullchain(pem: bytes) -> tuple[Certificate, list[Certificate]]:
    """Return the leaf, which stands first, and what follows it. Raises MalformedCertificate."""
    leaf, *rest = parse_pem(pem)
    return leaf, rest


def chain_problem(leaf: Certificate, intermediates: Sequence[Certificate]) -> str | None:
    """Return why the certificates do not follow one another, each signed by the next; None when they do."""
    below = leaf
    for above in intermediates:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                x509.load_der_x509_certificate(below.der).verify_directly_issued_by(
                    x509.load_der_x509_certificate(above.der)
                )
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return f"{below.subject} is not signed by {above.subject}, which follows it in the chain."
        below = above
    return None


def issued_pair_problem(fullchain: bytes, spki: bytes, names: Sequence[str], now: datetime) -> str | None:
    """Return why what a CA sent is not what was ordered; None when it is.

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
        return "It is for another key than ours."
    if {name.lower() for name in names} != set(leaf.names):
        wrong = sorted(set(leaf.names) ^ {name.lower() for name in names})
        return f"It is for other names than were ordered: {', '.join(wrong[:5])}."
    if leaf.is_ca:
        return "It is a CA's own certificate."
    if now < leaf.not_before - TOLERANCE:
        return f"It is not valid before {leaf.not_before:%Y-%m-%d %H:%M} UTC."
    if now >= leaf.not_after:
        return f"It ended on {leaf.not_after:%Y-%m-%d %H:%M} UTC."
    return chain_problem(leaf, intermediates)
