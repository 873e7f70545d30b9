"""Builds the path from a leaf to a root, from provided and known certificates (RFC 5280 §6, RFC 4158).

There may be many paths (cross-signed, renewed and expired intermediates), and some are incomplete or circular. All are tried,
within limits. The best one wins: accepted by clients before rejected, trusted before complete before incomplete, with provided
certificates before known ones, and then the one whose first certificate to expire ends last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct, field

from core.x509.certificate import Certificate, MalformedCertificate, parse_der
from core.x509.path import PathProblem, Rules, names_key_of
from core.x509.signature import has_signed
from core.x509.trust_store import TrustStore

LONGEST_WAY = 12
_MOST_SIGNATURES = 600
"""Most signatures to verify in one search: a circle of a hundred certificates with one name would need millions."""
_MOST_WAYS = 200
"""Most paths in one search, for the same reason."""
_FOREVER = datetime.max.replace(tzinfo=UTC)


class PathLink(Struct, frozen=True, kw_only=True):
    """One certificate in the path, above the leaf."""

    certificate: Certificate
    store: TrustStore | None = None
    """The store that it comes from. None: it was provided."""


class CertificationPath(Struct, frozen=True, kw_only=True):
    """The best path for a leaf."""

    leaf: Certificate
    links: tuple[PathLink, ...] = ()
    """From the leaf's issuer upwards, including a root at the end."""
    trusted_by: str = ""
    """Title of the trusted store that contains the end of the path. Empty: none does."""
    problem: PathProblem | None = None
    """Why clients reject even this path. Does not cover the validity of the leaf."""
    unused: tuple[Certificate, ...] = ()
    """Provided certificates that are not in the path."""
    is_reordered: bool = False
    bad_signature: Certificate | None = None
    """A provided certificate with the issuer's name, whose key did not sign the leaf (or the last link)."""
    unconnected_root: Certificate | None = None
    """A provided trusted root that the path does not reach: a certificate in between is missing."""

    @property
    def top(self) -> Certificate:
        return self.links[-1].certificate if self.links else self.leaf

    @property
    def is_complete(self) -> bool:
        """It ends in a root, or in a certificate in a trust store."""
        return self.top.self_signed or bool(self.trusted_by)

    @property
    def sent(self) -> tuple[Certificate, ...]:
        """The intermediates, which a server sends after its leaf. A root is not needed there (RFC 8446 §4.4.2)."""
        return tuple(link.certificate for link in self.links if not link.certificate.self_signed)

    @property
    def completed(self) -> tuple[PathLink, ...]:
        """Intermediates that were added from a store."""
        return tuple(link for link in self.links if link.store is not None and not link.certificate.self_signed)

    @property
    def not_after(self) -> datetime:
        """The earliest end among the certificates that a server sends."""
        return earliest_end((self.leaf, *self.sent))


def earliest_end(sent: Sequence[Certificate]) -> datetime:
    """Return the earliest end of the sent certificates. A root does not count: clients have their own copy."""
    leaf, *above = sent
    return min([leaf.not_after, *(each.not_after for each in above if not each.self_signed)])


def build_path(
    leaf: Certificate, given: Sequence[Certificate], stores: Sequence[TrustStore], now: datetime
) -> CertificationPath:
    """Return the best path from `leaf`, with the `given` certificates (in any order) and those in the stores."""
    search = _Search(given, stores, Rules(now))
    ways = list(search.ways(leaf))
    # Consider unfinished paths only if the search reached its limits before any path was finished.
    best = max(
        [way for way, is_whole in ways if is_whole] or [way for way, _ in ways], key=lambda w: search.worth(leaf, w)
    )
    used = {link.certificate.der for link in best} | {leaf.der}
    unused = tuple(each for each in given if each.der not in used)
    trusted_by = search.holder(best[-1].certificate if best else leaf)
    top = best[-1].certificate if best else leaf
    bad_signature = None
    if not trusted_by and not top.self_signed:
        named = (each for each in unused if each.native.subject == top.native.issuer)
        bad_signature = next((each for each in named if not has_signed(each.native, top.native)), None)
    problem = search.problem(leaf, best)
    if problem is None and len(best) == LONGEST_WAY and not top.self_signed:
        problem = PathProblem("Clients reject the chain: it is longer than any client accepts.")
    order = [link.certificate.der for link in best if link.store is None]
    return CertificationPath(
        leaf=leaf,
        links=tuple(best),
        trusted_by=trusted_by,
        problem=problem,
        unused=unused,
        is_reordered=[each.der for each in given if each.der in used and each.der != leaf.der] != order,
        bad_signature=bad_signature,
        unconnected_root=next((each for each in unused if each.self_signed and search.holder(each)), None),
    )


class _Search(Struct):
    given: Sequence[Certificate]
    stores: Sequence[TrustStore]
    rules: Rules
    _left: int = _MOST_SIGNATURES
    _above: dict[bytes, list[PathLink]] = field(default_factory=dict)
    _holders: dict[bytes, str] = field(default_factory=dict)

    def ways(self, leaf: Certificate) -> Iterator[tuple[list[PathLink], bool]]:
        """Yield the paths, the most promising first, and whether each is finished."""
        waiting: list[list[PathLink]] = [[]]
        for _ in range(_MOST_WAYS):
            if not waiting:
                return
            way = waiting.pop()
            top = way[-1].certificate if way else leaf
            passed = {leaf.der, *(link.certificate.der for link in way)}
            above = [] if top.self_signed or len(way) >= LONGEST_WAY else self._issuers(top)
            further = [link for link in above if link.certificate.der not in passed]
            yield way, not further
            waiting.extend([*way, link] for link in reversed(further))

    def problem(self, leaf: Certificate, way: Sequence[PathLink]) -> PathProblem | None:
        return self.rules.problem(leaf, [link.certificate for link in way])

    def worth(self, leaf: Certificate, way: list[PathLink]) -> tuple[bool, bool, bool, bool, int, datetime, int]:
        """Return the sort key of a path: the greatest is the best."""
        problem = self.problem(leaf, way)
        certificates = [link.certificate for link in way]
        complete = bool(way) and certificates[-1].self_signed
        trusted = self.holder(certificates[-1]) != "" if way else False
        from_stores = sum(link.store is not None and not link.certificate.self_signed for link in way)
        ends = [each.not_after for each in certificates if not each.self_signed]
        # Of complete paths, the shorter is better; of incomplete ones, the longer.
        length = -len(way) if complete else len(way)
        is_expired = problem is not None and problem.is_expired
        return problem is None, is_expired, trusted, complete, -from_stores, min(ends, default=_FOREVER), length

    def holder(self, certificate: Certificate) -> str:
        """Return the title of the trusted store that contains a certificate. Empty: none does."""
        found = self._holders.get(certificate.der)
        if found is None:
            found = self._holders[certificate.der] = next(
                (store.title for store in self.stores if store.trusted and store.holds(certificate)), ""
            )
        return found

    def _issuers(self, below: Certificate) -> list[PathLink]:
        """Return the certificates that signed `below`, the most promising first."""
        if below.der in self._above:
            return self._above[below.der]
        found: dict[bytes, PathLink] = {}
        for each in self.given:
            if each.der not in found and self._signs(each, below):
                found[each.der] = PathLink(certificate=each)
        for store in self.stores:
            for der in store.named(below.native.issuer.public_bytes()):
                if der in found:
                    continue
                try:
                    candidate = parse_der(der)
                except MalformedCertificate:
                    continue
                # Known certificates complete a chain: an expired intermediate does not help.
                is_of_use = candidate.self_signed or self.rules.own_problem(candidate) is None
                if is_of_use and self._signs(candidate, below):
                    found[der] = PathLink(certificate=candidate, store=store)
        self._above[below.der] = sorted(found.values(), key=lambda link: self._promise(link, below), reverse=True)
        return self._above[below.der]

    def _signs(self, above: Certificate, below: Certificate) -> bool:
        if above.native.subject != below.native.issuer or self._left <= 0:
            return False
        self._left -= 1
        return has_signed(above.native, below.native)

    def _promise(self, link: PathLink, below: Certificate) -> tuple[bool, bool, bool, bool, datetime]:
        each = link.certificate
        return (
            self.rules.own_problem(each) is None,
            names_key_of(below, each),
            self.holder(each) != "",
            link.store is None,
            each.not_after,
        )
