"""Verifies a whole chain with the libraries that clients use: a signed chain may still violate rules (RFC 5280 §6).

The rules are path lengths, name constraints, critical extensions, and which certificates may sign. The strict library is tried
first, without the rules that private PKIs often break. If it refuses, OpenSSL decides, because servers and most clients use it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from core.x509.certificate import Certificate

_FAILURES = (VerificationError, ValueError, TypeError)


def chain_refusal(
    leaf: Certificate, intermediates: Sequence[Certificate], root: Certificate, now: datetime
) -> str | None:
    """Return in a few words why clients that trust `root` reject the chain. None: they accept it.

    `root` may be an intermediate if no root is known: its own issuer is not checked then.
    """
    natives = [each.native for each in (leaf, *intermediates)]
    anchor = root.native
    if _is_accepted(natives, anchor, leaf.names, now):
        return None
    return _openssl_refusal(natives, anchor, now)


def _is_accepted(
    chain: Sequence[x509.Certificate], root: x509.Certificate, names: Sequence[str], now: datetime
) -> bool:
    relaxed = ExtensionPolicy.permit_all()
    try:
        subject = _subject(names)
        policy = PolicyBuilder().store(Store([root])).time(now)
        policy = policy.extension_policies(
            ca_policy=relaxed.require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None),
            ee_policy=relaxed.require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None),
        )
        policy.build_server_verifier(subject).verify(chain[0], list(chain[1:]))
    except _FAILURES:
        return False
    return True


def _subject(names: Sequence[str]) -> x509.DNSName | x509.IPAddress:
    """Return a name that the certificate covers, for the verifier. Raises ValueError if there is none."""
    first = names[0].replace("*", "any") if names else ""
    try:
        return x509.IPAddress(ipaddress.ip_address(first))
    except ValueError:
        return x509.DNSName(first)


def _openssl_refusal(chain: Sequence[x509.Certificate], root: x509.Certificate, now: datetime) -> str | None:
    from OpenSSL.crypto import X509, Error, X509Store, X509StoreContext, X509StoreContextError, X509StoreFlags

    try:
        store = X509Store()
        store.add_cert(X509.from_cryptography(root))
        store.set_flags(X509StoreFlags.PARTIAL_CHAIN)
        store.set_time(now.replace(tzinfo=None))
        leaf, *above = (X509.from_cryptography(each) for each in chain)
        X509StoreContext(store, leaf, above).verify_certificate()
    except X509StoreContextError as exc:
        return str(exc.args[0])[:120]
    except (Error, ValueError, TypeError, OverflowError):
        return "OpenSSL cannot read it"
    return None
