"""Shows the chain of the live certificate, up to a root that this box trusts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.chain_links import ChainLink, ChainView
from core.workflows.context import Context
from core.workflows.keeping.export import live_pair
from core.workflows.uploading.trust import stores
from core.x509.certificate import Certificate, parse_der, parse_pem
from core.x509.signature import has_signed
from core.x509.trust_store import TrustStore


def chain_view(context: Context, name: str) -> ChainView:
    """Return the chain of a certificate. Raises NotFound, StoreCorrupt."""
    sent = parse_pem(live_pair(context, name).fullchain)
    last, known = sent[-1], [store for store in stores(context, None) if store.trusted]
    root, where = next(_roots(last, known), (None, ""))
    links = [ChainLink(subject=each.subject, not_after=each.not_after) for each in sent]
    if root is not None and root.der != last.der:
        links.append(ChainLink(subject=root.subject, not_after=root.not_after, is_sent=False))
    return ChainView(links=tuple(links), issuer=last.issuer, trusted_by=where)


def _roots(last: Certificate, known: Sequence[TrustStore]) -> Iterator[tuple[Certificate, str]]:
    """Yield the trusted certificates that signed `last` or equal it, each with the title of its trust store."""
    for store in known:
        if store.holds(last):
            yield last, store.title
        for der in store.named(last.native.issuer.public_bytes()):
            root = parse_der(der)
            if has_signed(root.native, last.native):
                yield root, store.title
