"""Which of the certificates that a server sends ends first. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.x509.certificate import Certificate


def first_end(leaf: Certificate, chain: Sequence[Certificate]) -> Certificate:
    """Return the certificate that ends first: the leaf, or an intermediate of its chain.

    From its end on the chain is invalid (RFC 5280 §6.1.3). A root does not count, although some CAs send it: clients use the copy
    that they hold, or do not trust it at all.
    """
    return min((leaf, *(each for each in chain if not each.self_signed)), key=lambda each: each.not_after)
