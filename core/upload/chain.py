"""From a leaf to a root: the way over certificates that were given or are known, link by link (RFC 5280 §6).

Many ways may lead up (cross-signed and renewed intermediates), and some lead nowhere or in a circle. All of them are tried within a
bound, and the best one wins: trusted before complete before incomplete, valid before expired, what was given before what was not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.upload.trust import Store, loaded, signed_by
from core.x509.certificate import Certificate, MalformedCertificate, parse_der

LONGEST_WAY = 12
_MOST_SIGNATURES = 600
"""Verified signatures of one search; a circle of a hundred certificates of one name would ask for millions."""
_MOST_WAYS = 200
"""Looked at in one search, for the same reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One certificate on the way, above the leaf."""

    certificate: Certificate
    store: Store | None = None
    """Where it comes from; None: it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The best way up from a leaf."""

    leaf: Certificate
    links: tuple[Link, ...] = ()
    """From the leaf's issuer upwards, a root at the end included."""
    trusted_by: str = ""
    """Title of the store that holds the end of the way; empty where none does."""
    strangers: tuple[Certificate, ...] = ()
    """Given, and not on the way."""
    is_reordered: bool = False
    forged: Certificate | None = None
    """A given certificate that carries the issuer's name, and whose key has not signed the leaf (or the last link)."""

    @property
    def top(self) -> Certificate:
        return self.links[-1].certificate if self.links else self.leaf

    @property
    def is_complete(self) -> bool:
        """It ends in a root, or in what a trust store holds."""
        return self.top.self_signed or bool(self.trusted_by)

    @property
    def sent(self) -> tuple[Certificate, ...]:
        """What a server sends after its leaf: the intermediates. A root has no use there (RFC 8446 §4.4.2)."""
        return tuple(link.certificate for link in self.links if not link.certificate.self_signed)

    @property
    def completed(self) -> tuple[Link, ...]:
        """Intermediates that were not given."""
        return tuple(link for link in self.links if link.store is not None and not link.certificate.self_signed)


def find_way(leaf: Certificate, given: Sequence[Certificate], stores: Sequence[Store], now: datetime) -> Way:
    """Return the best way from `leaf` over the `given` certificates and the stores."""
    search = _Search(given, stores, now)
    best = max(search.ways(leaf), key=search.worth)
    used = {link.certificate.der for link in best} | {leaf.der}
    strangers = tuple(each for each in given if each.der not in used)
    trusted_by = search.trusted_by(best, leaf)
    top = best[-1].certificate if best else leaf
    forged = None
    if not trusted_by and not top.self_signed:
        wanted = loaded(top.der).issuer
        forged = next((each for each in strangers if loaded(each.der).subject == wanted), None)
    order = [link.certificate.der for link in best if link.store is None]
    return Way(
        leaf=leaf,
        links=tuple(best),
        trusted_by=trusted_by,
        strangers=strangers,
        is_reordered=[each.der for each in given if each.der in used and each.der != leaf.der] != order,
        forged=forged,
    )


@dataclass(slots=True)
class _Search:
    given: Sequence[Certificate]
    stores: Sequence[Store]
    now: datetime
    _left: int = _MOST_SIGNATURES
    _above: dict[bytes, list[Link]] = field(default_factory=dict)
    _natives: list[tuple[Certificate, x509.Certificate]] = field(init=False)

    def __post_init__(self) -> None:
        self._natives = [(each, loaded(each.der)) for each in self.given]

    def ways(self, leaf: Certificate) -> Iterator[list[Link]]:
        """Yield ways upwards, the empty one first; a longer one is worth more unless it is complete."""
        waiting: list[list[Link]] = [[]]
        for _ in range(_MOST_WAYS):
            if not waiting:
                return
            way = waiting.pop()
            top = way[-1].certificate if way else leaf
            passed = {leaf.der, *(link.certificate.der for link in way)}
            above = [] if top.self_signed or len(way) >= LONGEST_WAY else self._issuers(top)
            further = [link for link in above if link.certificate.der not in passed]
            # Also one that can go on: the search may end before its end is seen.
            yield way
            waiting.extend([*way, link] for link in reversed(further))

    def worth(self, way: list[Link]) -> tuple[bool, bool, bool, int, int, int]:
        """Return what the ways are compared by."""
        certificates = [link.certificate for link in way]
        valid = all(each.not_before <= self.now < each.not_after for each in certificates)
        complete = bool(certificates) and certificates[-1].self_signed
        from_stores = sum(link.store is not None and not link.certificate.self_signed for link in way)
        known = complete and self._holder(certificates[-1]) != ""
        if complete:
            return known and valid, valid, True, -from_stores, -len(way), 0
        # It ends nowhere: the further up the better, but nothing expired is put into it.
        stale = sum(link.store is not None and self.now >= link.certificate.not_after for link in way)
        return False, False, False, -stale, len(way), -from_stores

    def trusted_by(self, way: list[Link], leaf: Certificate) -> str:
        """Return the title of the store that trusts the end of a way."""
        return self._holder(way[-1].certificate if way else leaf)

    def _holder(self, certificate: Certificate) -> str:
        subject = loaded(certificate.der).subject.public_bytes()
        for store in self.stores:
            if store.trusted and any(
                each.public_bytes(Encoding.DER) == certificate.der for each in store.named(subject)
            ):
                return store.title
        return ""

    def _issuers(self, below: Certificate) -> list[Link]:
        """Return who has signed a certificate: what was given before what is known."""
        if below.der in self._above:
            return self._above[below.der]
        native = loaded(below.der)
        found: dict[bytes, Link] = {}
        for each, candidate in self._natives:
            if self._signs(native, candidate):
                found[each.der] = Link(certificate=each)
        for store in self.stores:
            for candidate in store.named(native.issuer.public_bytes()):
                der = candidate.public_bytes(Encoding.DER)
                if der not in found and self._signs(native, candidate):
                    try:
                        found[der] = Link(certificate=parse_der(der), store=store)
                    except MalformedCertificate:
                        continue
        self._above[below.der] = list(found.values())
        return self._above[below.der]

    def _signs(self, below: x509.Certificate, above: x509.Certificate) -> bool:
        if above.subject != below.issuer or self._left <= 0:
            return False
        self._left -= 1
        return signed_by(below, above)
