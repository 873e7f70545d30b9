"""The rules of RFC 5280 §6 for every link of a path, independent of trust: who may sign, how far, for which names, until when.

They are implemented here instead of in a library for three reasons: a private chain without its root has no trust anchor, paths
over equivalent intermediates must be compared, and messages must say which certificate violates which rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from msgspec import Struct, field

from core.dates import day_shown, minute_shown
from core.key_types import EXPLICIT_CURVE
from core.x509.certificate import Certificate, printable
from core.x509.name_constraints import violated_name

_T = TypeVar("_T", bound=x509.ExtensionType)
_KNOWN = {
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.CERTIFICATE_POLICIES,
    ExtensionOID.CRL_DISTRIBUTION_POINTS,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.FRESHEST_CRL,
    ExtensionOID.INHIBIT_ANY_POLICY,
    ExtensionOID.ISSUER_ALTERNATIVE_NAME,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.NAME_CONSTRAINTS,
    ExtensionOID.POLICY_CONSTRAINTS,
    ExtensionOID.POLICY_MAPPINGS,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.SUBJECT_INFORMATION_ACCESS,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.TLS_FEATURE,
    x509.ObjectIdentifier("2.16.840.1.113730.1.1"),  # Netscape's certificate type
    x509.ObjectIdentifier("1.3.6.1.5.5.7.1.7"),  # RFC 3779, addresses
    x509.ObjectIdentifier("1.3.6.1.5.5.7.1.8"),  # RFC 3779, autonomous systems
}
"""Extensions that clients support, and that may therefore be critical (RFC 5280 §4.2)."""
_SERVERS = {
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),  # "server gated crypto", which OpenSSL still accepts in a CA
    x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
}
_RIGHT_CHAIN = "Ask the CA for the right chain."
LATE_CLOCK = timedelta(minutes=10)
"""Tolerance for a slow clock, with which a new certificate is not valid yet."""
_MOST_NAMES = 25_000
"""Most names to compare with name constraints in one search: ten thousand names below fifty CAs would need more."""


class PathProblem(Struct, frozen=True):
    """Why clients reject a path."""

    what: str
    """One sentence."""
    fix: str = _RIGHT_CHAIN
    is_expired: bool = False
    """A certificate above the leaf has expired, and has no other problem."""


class Rules(Struct):
    """The rules at one time. Caches its results, because many paths share links."""

    now: datetime
    _own: dict[bytes, PathProblem | None] = field(default_factory=dict)
    _names: dict[tuple[bytes, bytes], str | None] = field(default_factory=dict)
    _names_left: int = _MOST_NAMES

    def problem(self, leaf: Certificate, above: Sequence[Certificate]) -> PathProblem | None:
        """Return the first violation in a path, from the leaf upwards. None: clients accept the path.

        Args:
            above: the certificates above the leaf, its issuer first, including a root at the end.
        """
        found = _critical(leaf)
        below = leaf
        signers = 0
        for number, each in enumerate(above):
            found = (
                found
                or self.own_problem(each)
                or _key_identifier(below, each)
                or self._constrained(each, [leaf, *above[:number]])
                or _path_length(each, signers)
            )
            if found is not None:
                return found
            signers += each.native.subject != each.native.issuer
            below = each
        return found

    def own_problem(self, certificate: Certificate) -> PathProblem | None:
        """Return why a certificate cannot be an issuer at any place in a path. None: it can."""
        key = certificate.der
        if key not in self._own:
            self._own[key] = _may_sign(certificate) or _critical(certificate) or self._time(certificate)
        return self._own[key]

    def _time(self, certificate: Certificate) -> PathProblem | None:
        if self.now >= certificate.not_after:
            which = "the root of the chain" if certificate.self_signed else "in the chain"
            return PathProblem(
                f"{certificate.subject}, {which}, expired on {day_shown(certificate.not_after)}.",
                "Ask the CA for its current root."
                if certificate.self_signed
                else "Ask the CA for its current intermediate certificate.",
                is_expired=True,
            )
        if self.now < certificate.not_before - LATE_CLOCK:
            return PathProblem(
                f"{certificate.subject}, in the chain, is not valid before {minute_shown(certificate.not_before)}.",
                "Wait until then, and check that the clock of this box is correct.",
            )
        return None

    def _constrained(self, above: Certificate, below: Sequence[Certificate]) -> PathProblem | None:
        """Check the names of all certificates below. Self-issued CAs are exempt (RFC 5280 §6.1.3 b)."""
        constraints = _value(above, x509.NameConstraints)
        if constraints is None:
            return None
        for number, each in enumerate(below):
            if number and each.native.subject == each.native.issuer:
                continue
            pair = (above.der, each.der)
            if pair not in self._names:
                self._names_left -= 1 + len(each.names)
                if self._names_left < 0:
                    return PathProblem(
                        f"Clients reject the chain: {above.subject} has too many name constraints to check."
                    )
                self._names[pair] = violated_name(each, constraints)
            name = self._names[pair]
            if name is not None:
                return PathProblem(f"Clients reject the chain: {above.subject} may not sign for {printable(name, 80)}.")
        return None


def _may_sign(certificate: Certificate) -> PathProblem | None:
    who = certificate.subject
    basic = _value(certificate, x509.BasicConstraints)
    # An X.509 v1 root has no field that says that it is a CA.
    if (basic is None and not certificate.self_signed) or (basic is not None and not basic.ca):
        return PathProblem(f"Clients reject the chain: {who} is not a CA, and may not sign certificates.")
    usage = _value(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        return PathProblem(f"Clients reject the chain: the key usage of {who} does not allow it to sign certificates.")
    purposes = _value(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and not certificate.self_signed and not _SERVERS & set(purposes):
        return PathProblem(f"Clients reject the chain: {who} may not sign for servers (its extended key usage).")
    if certificate.key_type == EXPLICIT_CURVE:
        return PathProblem(f"Clients reject the chain: the key of {who} has explicit curve parameters (RFC 5480).")
    return None


def _critical(certificate: Certificate) -> PathProblem | None:
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _KNOWN:
            if extension.oid == ExtensionOID.PRECERT_POISON:
                return PathProblem(f"{certificate.subject} is a precertificate, which no client accepts.", _RIGHT_CHAIN)
            return PathProblem(
                f"Clients reject the chain: {certificate.subject} has a critical extension that no client "
                f"supports ({extension.oid.dotted_string[:60]})."
            )
    return None


def _path_length(above: Certificate, signers: int) -> PathProblem | None:
    basic = _value(above, x509.BasicConstraints)
    if basic is None or basic.path_length is None or signers <= basic.path_length:
        return None
    allowed = {0: "no CA", 1: "one CA"}.get(basic.path_length, f"{basic.path_length} CAs")
    return PathProblem(
        f"Clients reject the chain: its path is too long. {above.subject} allows {allowed} below it, and there are {signers}."
    )


def _key_identifier(below: Certificate, above: Certificate) -> PathProblem | None:
    if names_key_of(below, above):
        return None
    return PathProblem(
        f"Clients reject the chain: the authority key identifier of {below.subject} points to a different "
        f"certificate than {above.subject}."
    )


def names_key_of(below: Certificate, above: Certificate) -> bool:
    """Tell whether the key identifiers of two certificates are consistent with `above` issuing `below` (RFC 5280 §4.2.1.1)."""
    authority = _value(below, x509.AuthorityKeyIdentifier)
    if authority is None:
        return True
    subject = _value(above, x509.SubjectKeyIdentifier)
    if authority.key_identifier is not None and subject is not None and subject.digest != authority.key_identifier:
        return False
    serial = authority.authority_cert_serial_number
    return serial is None or serial == above.native.serial_number


def _value(certificate: Certificate, kind: type[_T]) -> _T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
