"""Names and values of validation records.

RFC 8555 §8.4 (dns-01), draft-ietf-acme-dns-account-label, draft-ietf-acme-dns-persist.
"""

from __future__ import annotations

from base64 import b32encode, urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256

DNS01 = "dns-01"
DNS_ACCOUNT01 = "dns-account-01"
DNS_PERSIST01 = "dns-persist-01"
DNS_CHALLENGES = (DNS01, DNS_ACCOUNT01, DNS_PERSIST01)


def validation_name(type: str, identifier: str, account_url: str = "") -> str:
    """Return the name at which the CA looks up the record for `identifier` (without `*.`).

    `account_url`: needed for dns-account-01, whose name differs for each account.
    """
    if type == DNS_PERSIST01:
        return f"_validation-persist.{identifier}"
    if type == DNS_ACCOUNT01:
        label = b32encode(sha256(account_url.encode()).digest()[:10]).decode().lower()
        return f"_{label}._acme-challenge.{identifier}"
    return f"_acme-challenge.{identifier}"


def key_authorization_digest(key_authorization: str) -> str:
    """Return the TXT value for dns-01 and dns-account-01: 43 characters of base64url."""
    return urlsafe_b64encode(sha256(key_authorization.encode()).digest()).rstrip(b"=").decode()


def plain_name(name: str) -> str:
    """Return a name in the form used for comparison: lower case, without a final dot."""
    return name.strip().rstrip(".").lower()


def is_below(name: str, zone: str) -> bool:
    """Return whether a name is the zone itself or below it."""
    return name == zone or name.endswith(f".{zone}")


def name_below(name: str, zone: str) -> str:
    """Return a name relative to its zone, as most APIs want it; empty at the zone apex."""
    return "" if name == zone else name.removesuffix(f".{zone}")


def zone_among(name: str, zones: Iterable[str]) -> str | None:
    """Return the longest of `zones` that contains a name; None if none does."""
    return max((zone for zone in zones if is_below(name, zone)), key=len, default=None)
