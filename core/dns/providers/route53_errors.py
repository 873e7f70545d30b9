"""The errors for Route 53's refusals: which permission is missing, which key or clock is wrong, what conflicts."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

from core.dates import second_shown
from core.dns.api import Api, ApiResponse
from core.dns.plain_xml import text_of
from core.dns.provider import Access, provider_error
from core.errors import DnsProviderError

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignature",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
CLOCK = {"RequestExpired", "RequestTimeTooSkewed"}
_CLOCK_WORDS = ("Signature expired", "Signature not yet current")
_ACTION = re.compile(r"\broute53:[A-Za-z0-9]+")


class Refusal(Exception):
    """A response of Route 53 that is a refusal. Never leaves `core.dns`."""

    def __init__(self, action: str, answer: ApiResponse, root: Element) -> None:
        code = text_of(root, "Error/Code") or root.tag.removesuffix("Response")
        super().__init__(code)
        self.action = action
        """The API action, as in the name of its permission."""
        self.code = code
        self.said = "; ".join(" ".join((each.text or "").split()) for each in root.iter("Message")) or code
        self.status = answer.status
        self.date = answer.headers.get("date", "")

    @property
    def is_denied(self) -> bool:
        return self.code in DENIED


class Words:
    """Turns refusals into errors."""

    def __init__(self, access: Access, api: Api) -> None:
        self._access = access
        self._api = api

    def failure(self, refusal: Refusal, zone: str = "") -> DnsProviderError:
        said = refusal.said
        kinds: tuple[tuple[bool, Callable[[Refusal, str], DnsProviderError]], ...] = (
            (refusal.is_denied, self._denied),
            (refusal.code in CLOCK or any(words in said for words in _CLOCK_WORDS), self._clock),
            (refusal.code in CREDENTIALS, self._key),
            (refusal.code == "NoSuchHostedZone", self._no_zone),
            ("is not permitted in zone" in said, self._other_zone),
            ("conflicts with other records" in said, self._cname),
        )
        for applies, words in kinds:
            if applies:
                return words(refusal, zone)
        return self._api.refused(
            f"Route 53 refused a change in {zone}." if zone else "Route 53 refused a request.",
            refusal.status,
            f"{refusal.code}: {said}",
            "Check the hosted zone's records in the Route 53 console. The message above names the conflict.",
        )

    def temporary(self, error: DnsProviderError) -> DnsProviderError:
        """Return the error for a response that stayed temporary; Route 53's come with status 400."""
        if error.details.get("status") != 400:
            return error
        return provider_error(
            self._access,
            "rate-limited",
            "Route 53 accepts no more requests at the moment.",
            "It allows five requests a second for each account and one change of a zone at a time. Retries did not help.",
            "Try again later. Other programs that use the same account count towards the limit.",
        )

    def _denied(self, refusal: Refusal, zone: str) -> DnsProviderError:
        named = _ACTION.search(refusal.said)
        action = named[0] if named else f"route53:{refusal.action}"
        on = "" if action.startswith("route53:ListHostedZones") else f" on the hosted zone {zone}".rstrip()
        return provider_error(
            self._access,
            "permission",
            f"The access key of {self._access.name} is valid, but lacks the permission {action}.",
            f"Route 53 says: {self._api.words(refusal.said)}",
            f"Allow {action}{on} in a policy of the key's IAM user (IAM console, Permissions).",
            details={"permission": action},
        )

    def _clock(self, refusal: Refusal, _zone: str) -> DnsProviderError:
        here = second_shown(self._access.env.clock.now())
        there = f"; Route 53's clock shows {self._api.words(refusal.date)}" if refusal.date else "."
        return provider_error(
            self._access,
            "clock",
            "Route 53 rejected the request because this box's clock is wrong.",
            f"This box's clock shows {here}{there}",
            "Set the clock, preferably by time synchronization (NTP). A signature is valid for five minutes.",
        )

    def _key(self, refusal: Refusal, _zone: str) -> DnsProviderError:
        which = {
            "InvalidClientTokenId": "AWS does not know the access key ID: it may be mistyped, deleted, inactive or from AWS China.",
            "SignatureDoesNotMatch": "The secret access key does not belong to the access key ID.",
        }.get(refusal.code, "")
        return self._api.credentials(
            f"{refusal.code}: {refusal.said}",
            f"{which} Create a new access key for the IAM user (IAM console, Security credentials) and set it again.".strip(),
        )

    def _no_zone(self, refusal: Refusal, _zone: str) -> DnsProviderError:
        return provider_error(
            self._access,
            "zone",
            "Route 53 has no hosted zone with this ID.",
            f"Route 53 says: {self._api.words(refusal.said)}",
            "Set hosted_zone_id to the ID in the zone's details in the Route 53 console, or omit it.",
        )

    def _other_zone(self, refusal: Refusal, zone: str) -> DnsProviderError:
        return provider_error(
            self._access,
            "zone",
            f"The hosted_zone_id of {self._access.name} is not that of {zone}.",
            f"Route 53 says: {self._api.words(refusal.said)}",
            "Set hosted_zone_id to the ID in the zone's details in the Route 53 console, or omit it.",
        )

    def _cname(self, refusal: Refusal, zone: str) -> DnsProviderError:
        return provider_error(
            self._access,
            "conflict",
            f"A TXT record cannot be created in {zone}, because there is a CNAME with that name.",
            f"Route 53 says: {self._api.words(refusal.said)}",
            "Remove the CNAME. Or set its target as a delegation, and use the provider of the target's zone.",
        )
