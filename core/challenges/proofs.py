"""The TXT record for a challenge, and whether an existing record is sufficient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from core.dns.names import DNS_PERSIST01, key_authorization_digest, validation_name
from core.dns.persistent_record import PersistentRecord
from core.operations import Record

if TYPE_CHECKING:
    from core.acme.authorization import Challenge


def records_of(challenges: Sequence[Challenge]) -> tuple[Record, ...]:
    """Return the records that a CA looks up, in order. With dns-persist-01, one record serves a name and its wildcard."""
    wildcards = {one.identifier for one in challenges if one.wildcard}
    return tuple(dict.fromkeys(record_of(one, for_wildcard=one.identifier in wildcards) for one in challenges))


def record_of(challenge: Challenge, *, for_wildcard: bool | None = None) -> Record:
    """Return the record for one challenge. `for_wildcard`: overrides the challenge's own `wildcard`; None: use that."""
    name = validation_name(challenge.type, challenge.identifier, challenge.account_url)
    if challenge.type != DNS_PERSIST01:
        return Record(name=name, type="TXT", value=key_authorization_digest(challenge.key_authorization))
    issuer = next(iter(challenge.issuer_domain_names), "")
    is_wide = challenge.wildcard if for_wildcard is None else for_wildcard
    return Record(name=name, type="TXT", value=PersistentRecord(issuer, challenge.account_url, is_wide).text)


def is_granted(challenge: Challenge, value: str, *, for_wildcard: bool, now: float) -> bool:
    """Return whether a `_validation-persist` value permits this account a certificate for the name. `now`: epoch seconds."""
    grant = PersistentRecord.parse(value)
    wanted = (PersistentRecord(issuer, challenge.account_url, for_wildcard) for issuer in challenge.issuer_domain_names)
    return grant is not None and any(grant.covers(each, now) for each in wanted)


def permission_ends(challenges: Sequence[Challenge], values: Iterable[str], now: float) -> float | None:
    """Return when the last permission among `values` for one name expires, in epoch seconds.

    None if one does not expire, or if there is none. `challenges`: those of that name, including its wildcard if it is ordered.
    """
    is_wide = any(one.wildcard for one in challenges)
    good = [value for value in values if is_granted(challenges[0], value, for_wildcard=is_wide, now=now)]
    ends = [grant.until for value in good if (grant := PersistentRecord.parse(value)) is not None]
    return None if None in ends else max((end for end in ends if end is not None), default=None)
