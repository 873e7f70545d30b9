"""The errors for Cloudflare's refusals.

The same codes mean a bad token and a missing permission (9109, 10000), so the token is verified before either is reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from core.dns.api import Api, ApiResponse
from core.dns.provider import Access, provider_error
from core.errors import DnsProviderError

TOKENS_PAGE = "the page “API Tokens” of My Profile"
ALREADY_THERE = {81057, 81058}
ALREADY_GONE = {81044}
OTHER_KIND_THERE = {81053, 81054, 81056}
"""There is a CNAME at the name."""
QUOTA = {81045}
NO_SUCH_ZONE = {1001, 1003, 1049, 7000, 7003}
UNUSABLE_TOKEN = {1000, 6003, 6103, 6111, 9103, 9106, 9107}
MAYBE_PERMISSION = {9109, 10000, 10001}
_LOCATION = re.compile(r"from location:? *([0-9A-Fa-f.:]+)")


class Failures:
    """Turns refusals into errors. `ask`: sends a request with the token."""

    def __init__(self, access: Access, api: Api, ask: Callable[[str, str], ApiResponse]) -> None:
        self._access = access
        self._api = api
        self._ask = ask

    def of(self, answer: ApiResponse, zone: str) -> DnsProviderError:
        """Return the error for an invalid response or a refusal. `zone`: the zone it was about; empty: the list of zones."""
        codes, said = codes_of(answer), _said(answer)
        if not codes and (answer.is_ok or not answer.fields):
            return self._api.nonsense(f"It returned {answer.status} without the JSON of API v4.")
        location = _LOCATION.search(said)
        if location is not None:
            return self._from_elsewhere(location[1].strip(".:"), said)
        if codes & OTHER_KIND_THERE:
            return provider_error(
                self._access,
                "conflict",
                f"A TXT record cannot be created in {zone}, because there is a CNAME with that name.",
                f"Cloudflare says: {self._api.words(said)}",
                "Remove the CNAME. Or set its target as a delegation, and use the provider of the target's zone.",
            )
        if codes & QUOTA:
            return self._api.refused(
                f"The zone {zone} is full at Cloudflare.",
                answer.status,
                said,
                "Remove records that are not needed, or upgrade the plan. Free zones created since September "
                "2024 hold 200 records.",
            )
        if codes & NO_SUCH_ZONE:
            return provider_error(
                self._access,
                "zone",
                "Cloudflare has no zone with this ID.",
                f"Cloudflare says: {self._api.words(said)}",
                "Set zone_id to the Zone ID on the overview page of the domain, or omit it.",
            )
        if codes & UNUSABLE_TOKEN:
            return self._bad_token(said)
        if codes & MAYBE_PERMISSION or answer.status in (401, 403):
            return self._denied(said, zone)
        return self._api.refused(
            f"Cloudflare refused a request for {zone}." if zone else "Cloudflare refused to list the zones.",
            answer.status,
            said or answer.text,
            "Check the domain's DNS records at Cloudflare. The message above names the conflict.",
        )

    def _denied(self, said: str, zone: str) -> DnsProviderError:
        """Distinguish a bad token from one that lacks a permission; Cloudflare's response alone does not tell."""
        verified = self._ask("GET", "/user/tokens/verify")
        result = verified.fields.get("result")
        status = result.get("status") if isinstance(result, dict) else None
        if status == "expired":
            return self._bad_token("the token has expired")
        if status == "disabled":
            return self._bad_token("the token is disabled")
        if not verified.is_ok:
            location = _LOCATION.search(_said(verified))
            if location is not None:
                return self._from_elsewhere(location[1].strip(".:"), _said(verified))
            return self._bad_token(said)
        where = f" in {zone}" if zone else ""
        return provider_error(
            self._access,
            "permission",
            f"The API token of {self._access.name} is valid, but lacks permission for this{where}.",
            f"Cloudflare says: {self._api.words(said)}" if said else "Cloudflare gave no reason.",
            f"On {TOKENS_PAGE}, give it the permission Zone: DNS: Edit, include the zone in its Zone Resources, and add "
            "Zone: Zone: Read unless zone_id is set.",
        )

    def _from_elsewhere(self, address: str, said: str) -> DnsProviderError:
        return provider_error(
            self._access,
            "address-not-allowed",
            f"The API token of {self._access.name} is not allowed from {address}.",
            f"Cloudflare says: {self._api.words(said)}",
            f"On {TOKENS_PAGE}, add {address} to the token's Client IP Address Filtering, or remove the filter.",
            details={"address": address},
        )

    def _bad_token(self, said: str) -> DnsProviderError:
        return self._api.credentials(
            said,
            f"Create a new token on {TOKENS_PAGE} with the template “Edit zone DNS” and set it again. Do not use a "
            "Global API Key. An account token also needs Zone: DNS: Edit and Zone: Zone: Read.",
        )


def _errors(answer: ApiResponse) -> list[Mapping[str, Any]]:
    """Return the errors of a response, including their `error_chain`."""
    found: list[Mapping[str, Any]] = []
    left: list[object] = [answer.fields.get("errors")]
    while left and len(found) < 20:
        each = left.pop(0)
        if isinstance(each, list):
            left += each
        elif isinstance(each, dict):
            found.append(each)
            left.append(each.get("error_chain"))
    return found


def codes_of(answer: ApiResponse) -> set[int]:
    """Return Cloudflare's error codes in a response, including those in an error's `error_chain`."""
    return {code for each in _errors(answer) if isinstance(code := each.get("code"), int)}


def _said(answer: ApiResponse) -> str:
    return "; ".join(str(each.get("message", "")).rstrip(".") for each in _errors(answer))
