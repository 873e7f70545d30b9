"""Assembles an upload: a leaf, its key and its certification path, with notes about every automatic decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from core.dates import day_shown
from core.text import listed
from core.upload.names import accepted
from core.upload.parsed import ParsedUpload
from core.upload.values import LeftOut
from core.x509.certificate import Certificate
from core.x509.key import PrivateKey, fitted
from core.x509.path_building import CertificationPath, build_path
from core.x509.trust_store import TrustStore


class OwnKey(Struct, frozen=True):
    """A private key that is already on this box. Its repr shows no key."""

    key: PrivateKey
    whose: str
    """Its origin in messages, for example `the request shop`."""
    request: str = ""
    """Name of the signing request for which it was created. Empty: none."""


class CertificateBundle(Struct, frozen=True, kw_only=True):
    """An assembled upload. Its repr shows no key."""

    leaf: Certificate
    way: CertificationPath
    now: datetime
    key: PrivateKey | None = None
    """The key of the leaf; if there is none, the first provided key, which does not match."""
    key_matches: bool = False
    whose_key: str = ""
    """Origin of a key that was not provided but is on this box. Empty: it was provided."""
    request: str = ""
    """Name of the signing request on this box for which the key was created. Empty: none."""
    other_keys: tuple[PrivateKey, ...] = ()
    """Provided keys that are not used."""
    other_leaves: tuple[Certificate, ...] = ()
    """Provided server certificates that are not used."""
    misnamed: tuple[str, ...] = ()
    """A sentence for each file that was provided as certificate or chain and is something else."""
    roots: tuple[Certificate, ...] = ()
    """Provided roots at the end of the path, which are not sent."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Automatic decisions, a sentence each."""
        return tuple(_notes(self))

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Everything that was provided and is not used."""
        return (
            *(_left_out("root", each) for each in self.roots),
            *(_left_out("certificate", each) for each in self.way.unused),
            *(LeftOut(kind="key", what=each.key_type) for each in self.other_keys if self.key_matches),
        )


def assemble(
    pieces: ParsedUpload,
    stores: Sequence[TrustStore],
    now: datetime,
    own_keys: Sequence[OwnKey] = (),
    hosts: Sequence[str] = (),
) -> CertificateBundle | None:
    """Assemble the parts of an upload. None: it contains no certificate.

    Args:
        own_keys: keys of the lineage and of signing requests on this box, used if no provided key matches the certificate.
        hosts: the wanted names, which decide between several pairs.
    """
    if not pieces.certificates:
        return None
    leaf = _leaf(pieces, now, own_keys, hosts)
    given, mine = _key_of(leaf, pieces.keys)
    ours = None if mine else next((own for own in own_keys if own.key.spki == leaf.public_key_spki), None)
    way = build_path(leaf, [each for each in pieces.certificates if each is not leaf], stores, now)
    # An unused certificate that is not a CA belongs to another server.
    leaves = tuple(each for each in way.unused if not each.is_ca and not each.self_signed)
    if mine is None and ours is None and pieces.keys:
        given = mine = pieces.keys[0]
        matched = False
    else:
        matched = mine is not None or ours is not None
    return CertificateBundle(
        leaf=leaf,
        way=way,
        now=now,
        key=ours.key if ours else mine,
        key_matches=matched,
        whose_key=ours.whose if ours else "",
        request=ours.request if ours else "",
        other_keys=tuple(key for key in pieces.keys if key is not given),
        other_leaves=leaves,
        misnamed=_misnamed(pieces, leaf),
        roots=tuple(
            link.certificate
            for link in way.links
            if link.certificate.self_signed and link.certificate in pieces.certificates
        ),
    )


def _key_of(certificate: Certificate, keys: Sequence[PrivateKey]) -> tuple[PrivateKey | None, PrivateKey | None]:
    """Return the key that matches a certificate, as provided and as adapted to the certificate. (None, None): there is none."""
    for key in keys:
        fitting = fitted(certificate, key)
        if fitting is not None:
            return key, fitting
    return None, None


def _leaf(pieces: ParsedUpload, now: datetime, own_keys: Sequence[OwnKey], hosts: Sequence[str]) -> Certificate:
    """Return the certificate with a matching key; without keys, one that signed no other and is not a CA.

    Of several, the one that covers the hosts and is valid wins, then the one that ends last.
    """
    ours = {own.key.spki for own in own_keys}
    named = frozenset().union(*(found for _, role, found in pieces.given if role == "cert"))
    natives = [each.native for each in pieces.certificates]
    issuers = {native.issuer.public_bytes() for native in natives if native.issuer != native.subject}

    def worth(item: tuple[int, Certificate]) -> tuple[bool, bool, bool, bool, bool, bool, bool, datetime, int]:
        number, each = item
        signs_another = natives[number].subject.public_bytes() in issuers
        has_key = _key_of(each, pieces.keys)[0] is not None
        return (
            not each.is_ca and not signs_another and has_key,
            not each.is_ca and not signs_another and each.public_key_spki in ours,
            has_key and not signs_another,
            not each.is_ca and not signs_another,
            each.der in named,
            bool(hosts) and all(accepted(each, host) for host in hosts),
            not signs_another and each.not_before <= now < each.not_after,
            each.not_after,
            -number,
        )

    return max(enumerate(pieces.certificates), key=worth)[1]


def _misnamed(pieces: ParsedUpload, leaf: Certificate) -> tuple[str, ...]:
    found = []
    for label, role, certificates in pieces.given:
        if role == "cert" and leaf.der not in certificates:
            found.append(f"{label} does not contain the server certificate; it was found in another file.")
        if role == "chain" and certificates == {leaf.der}:
            found.append(f"{label} was given as the chain, but it contains only the server certificate.")
    return tuple(found)


def _notes(material: CertificateBundle) -> list[str]:
    way = material.way
    found = list(material.misnamed)
    if way.is_reordered:
        found.append("The chain was sorted.")
    if material.roots:
        root = material.roots[0].subject
        found.append(f"The root {root} is not sent: clients have it, or must have it installed.")
    for link in way.completed:
        assert link.store is not None
        found.append(f"{link.certificate.subject} was missing and was added from {link.store.title}.")
    rest = [each for each in way.unused if each not in material.other_leaves]
    if rest:
        names = listed([_told(each, material.now) for each in rest], 3)
        found.append(f"Ignored, because not part of the chain: {names}.")
    for each in material.other_leaves[:3]:
        whose = "Another certificate" if set(each.names) & set(material.leaf.names) else "Another server's certificate"
        found.append(f"{whose} is ignored: {_told(each, material.now)}.")
    if material.other_keys and material.key_matches and not material.whose_key:
        found.append("Another private key is ignored: it does not match this certificate.")
    if material.whose_key:
        given = "The given key does not match" if material.other_keys else "No key was given"
        found.append(f"{given}; the key on this box, from {material.whose_key}, matches the certificate and is used.")
    return found


def _left_out(kind: str, certificate: Certificate) -> LeftOut:
    return LeftOut(kind=kind, what=certificate.subject, not_after=certificate.not_after, sha256=certificate.sha256)


def _told(certificate: Certificate, now: datetime) -> str:
    if now < certificate.not_after:
        return certificate.subject
    return f"{certificate.subject} (expired on {day_shown(certificate.not_after)})"
