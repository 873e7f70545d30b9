"""Finds the first certificate to expire among those that a server sends. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.x509.certificate import Certificate


def first_end(leaf: Certificate, chain: Sequence[Certificate]) -> Certificate:
    """Return the certificate that expires first: the leaf, or an intermediate of its chain.

    From then on the chain is invalid (RFC 5280 §6.1.3). A root does not count, although some CAs send it: clients use their own
    copy, or do not trust it at all.
    """
    return min((leaf, *(each for each in chain if not each.self_signed)), key=lambda each: each.not_after)
