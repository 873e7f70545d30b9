"""The value of a `_validation-persist` record: which account of which CA may get certificates, permanently.

draft-ietf-acme-dns-persist §3: the CA's domain name, then parameters as in a CAA record.
"""

from __future__ import annotations

from msgspec import Struct


class PersistentRecord(Struct, frozen=True):
    """What one record value allows."""

    issuer: str
    """The CA's domain name, lower case."""
    account_url: str
    for_wildcard: bool = False
    """Includes subdomains and the wildcard (`policy=wildcard`)."""
    until: float | None = None
    """Expiry in epoch seconds (`persistUntil`); None: does not expire."""

    @property
    def text(self) -> str:
        """The record value to publish in the zone."""
        parts = [self.issuer, f"accounturi={self.account_url}"]
        if self.for_wildcard:
            parts.append("policy=wildcard")
        if self.until is not None:
            parts.append(f"persistUntil={int(self.until)}")
        return "; ".join(parts)

    def covers(self, wanted: PersistentRecord, now: float) -> bool:
        """Return whether this value allows at least what `wanted` asks for at the time `now` (epoch seconds)."""
        return (
            (self.issuer, self.account_url) == (wanted.issuer, wanted.account_url)
            and (self.for_wildcard or not wanted.for_wildcard)
            and (self.until is None or self.until > now)
        )

    @classmethod
    def parse(cls, value: str) -> PersistentRecord | None:
        """Parse a value leniently, as CAs do; None if it allows nothing."""
        issuer, *parameters = (part.strip() for part in value.split(";"))
        given: dict[str, str] = {}
        for parameter in filter(None, parameters):
            key, _, content = parameter.partition("=")
            given.setdefault(key.strip().lower(), content.strip())
        until = given.get("persistuntil")
        if not issuer or "accounturi" not in given or (until is not None and not (until.isascii() and until.isdigit())):
            return None
        return cls(
            issuer=issuer.rstrip(".").lower(),
            account_url=given["accounturi"],
            for_wildcard=given.get("policy", "").lower() == "wildcard",
            until=None if until is None else float(until[:15]),
        )
