"""What an upload comes down to: a leaf, its key and the way up from it, with all decisions said."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.upload.chain import Way, find_way
from core.upload.recognise import Pieces
from core.upload.trust import Store, loaded
from core.x509.certificate import Certificate
from core.x509.key import PrivateKey


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A private key that this box has already. Its repr shows no key."""

    key: PrivateKey
    whose: str
    """`the request shop`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Its repr shows no key."""

    leaf: Certificate
    way: Way
    key: PrivateKey | None = None
    """What belongs to the leaf; else what was given, though it does not belong."""
    key_matches: bool = False
    whose_key: str = ""
    """Where it was not given: whose it is on this box."""
    other_keys: int = 0
    """Given, and left out."""
    other_leaves: tuple[Certificate, ...] = ()
    """Server certificates that were given and left out."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided by itself, a sentence each."""
        return tuple(_notes(self))


def assemble(
    pieces: Pieces, stores: Sequence[Store], now: datetime, own_keys: Sequence[OwnKey] = ()
) -> Material | None:
    """Return the material, or None where there is no certificate.

    Args:
        own_keys: keys that this box has, of the lineage and of signing requests: taken where none that was given belongs to
            the certificate.
    """
    if not pieces.certificates:
        return None
    with warnings.catch_warnings():
        # cryptography warns of names that break RFC 5280 whenever it looks at them.
        warnings.simplefilter("ignore")
        return _assembled(pieces, stores, now, own_keys)


def _assembled(pieces: Pieces, stores: Sequence[Store], now: datetime, own_keys: Sequence[OwnKey]) -> Material:
    leaf = _leaf(pieces, now, own_keys)
    mine = next((key for key in pieces.keys if key.spki == leaf.public_key_spki), None)
    ours = next((own for own in own_keys if own.key.spki == leaf.public_key_spki), None) if mine is None else None
    given = [each for each in pieces.certificates if each is not leaf]
    way = find_way(leaf, given, stores, now)
    # A stranger that signs nothing here and is no CA is another server's certificate.
    leaves = tuple(each for each in way.strangers if not each.is_ca and not each.self_signed)
    key = mine or (ours.key if ours else None) or (pieces.keys[0] if pieces.keys else None)
    return Material(
        leaf=leaf,
        way=way,
        key=key,
        key_matches=(mine or ours) is not None,
        whose_key=ours.whose if ours else "",
        other_keys=len(pieces.keys) - (key in pieces.keys),
        other_leaves=leaves,
    )


def _leaf(pieces: Pieces, now: datetime, own_keys: Sequence[OwnKey]) -> Certificate:
    """Return the certificate that the key belongs to; without one, that which has signed no other and is no CA."""
    keys = {key.spki for key in pieces.keys}
    ours = {own.key.spki for own in own_keys}
    natives = [loaded(each.der) for each in pieces.certificates]
    issuers = {native.issuer.public_bytes() for native in natives if native.issuer != native.subject}

    def worth(item: tuple[int, Certificate]) -> tuple[bool, bool, bool, bool, bool, datetime, int]:
        number, each = item
        signs_another = natives[number].subject.public_bytes() in issuers
        return (
            not each.is_ca and not signs_another and each.public_key_spki in keys,
            not each.is_ca and not signs_another and each.public_key_spki in ours,
            each.public_key_spki in keys and not signs_another,
            not each.is_ca and not signs_another,
            not signs_another and each.not_before <= now < each.not_after,
            each.not_after,
            -number,
        )

    return max(enumerate(pieces.certificates), key=worth)[1]


def _notes(material: Material) -> list[str]:
    way = material.way
    found = []
    if way.is_reordered:
        found.append("The chain was put in order.")
    roots = [link.certificate for link in way.links if link.certificate.self_signed and link.store is None]
    if roots:
        found.append(f"The root {roots[0].subject} was left out: clients have it, or have to get it from you.")
    for link in way.completed:
        assert link.store is not None
        found.append(f"{link.certificate.subject} was missing and was taken from {link.store.title}.")
    unused = [each for each in way.strangers if each not in material.other_leaves]
    if unused:
        names = ", ".join(each.subject for each in unused[:3])
        more = f" and {len(unused) - 3} more" if len(unused) > 3 else ""
        found.append(f"Not part of the chain, and left out: {names}{more}.")
    if material.other_leaves:
        found.append(f"Another server's certificate was left out: {material.other_leaves[0].subject}.")
    if material.other_keys and material.key_matches and not material.whose_key:
        found.append("Another private key was left out: it does not belong to this certificate.")
    if material.whose_key:
        given = "The key that was given is another's" if material.other_keys else "No key was given"
        found.append(
            f"{given}; the one on this box, from {material.whose_key}, belongs to the certificate and is used."
        )
    return found
