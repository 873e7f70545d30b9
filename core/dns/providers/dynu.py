"""Dynu, API v2, with OAuth2 client credentials.

Records have IDs: each value is added and removed separately. Avoided here: Dynu's lookup of the root domain, which returns the
wrong zone if a subdomain is a domain of its own (lego, acme.sh); using an access token after it has expired, or requesting one
with every request (Posh-ACME); treating refusals, which Dynu sends as 501 to 503, as a server failure; giving up because the
API is slow.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from core.dns.api import Api, ApiResponse, is_transient
from core.dns.changes import PAUSE_SECONDS, by_name
from core.dns.field_checks import one_word
from core.dns.names import name_below
from core.dns.provider import HTTP_FIELDS, Access, EntryField, ProviderKind, TxtRecord, provider_error
from core.dns.txt import unquoted
from core.errors import DnsProviderError

ENDPOINT = "https://api.dynu.com/v2"
TITLE = "Dynu"
KEYS_PAGE = "the page “API Credentials” of Dynu's control panel"
LOWEST_TTL = 90
ANSWER_SECONDS = 40.0
"""Responses have been seen to take 15."""
TRIES = 3
EARLY_SECONDS = 300.0
"""An access token is not used in its last five minutes."""
SHORTEST_TOKEN_SECONDS = 60.0
REFUSALS = (501, 502, 503)
"""Statuses that mean a refusal if there is a message in the body."""


class Dynu:
    """One account. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._api = Api(access, ENDPOINT, title=TITLE, is_temporary=_is_temporary)
        self._token = ""
        self._good_until = 0.0
        self._ids: dict[str, int] = {}

    def zones(self) -> tuple[str, ...]:
        self._ids = self._listed()
        return tuple(sorted(self._ids))

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        changes = by_name(add, remove)
        if not changes:
            return
        path = f"/dns/{self._id_of(zone)}/record"
        clock = self._access.env.clock
        failure: DnsProviderError | None = None
        for attempt in range(TRIES):
            if attempt:
                clock.sleep(self._access.env.random.uniform(*PAUSE_SECONDS), self._access.cancel)
            there = self._records(path, zone)
            answers = [
                *(
                    self._ask("DELETE", f"{path}/{id}")
                    for id, record in there.items()
                    if record.name in changes and record.value in changes[record.name].remove
                ),
                *(
                    self._ask("POST", path, data=_made(TxtRecord(name=name, value=value), zone))
                    for name, change in changes.items()
                    for value in change.missing(each.value for each in there.values() if each.name == name)
                ),
            ]
            refused = [answer for answer in answers if not _is_ok(answer)]
            if not refused:
                return
            # A refused change may already be done: by a request whose response was lost, or by another client.
            failure = self._failure(refused[0], zone)
            if failure.details["reason"] != "refused":
                raise failure
        assert failure is not None, "only a refusal is tried again"
        raise failure

    def close(self) -> None:
        self._api.close()

    # -- domains and records -------------------------------------------------------------------------------------------

    def _id_of(self, zone: str) -> int:
        if zone not in self._ids:
            self._ids = self._listed()
        if zone in self._ids:
            return self._ids[zone]
        seen = f"It has {', '.join(sorted(self._ids)[:5])}." if self._ids else "It has no domains."
        raise provider_error(
            self._access,
            "zone",
            f"The account of {self._access.name} at Dynu has no domain {zone}.",
            seen,
            "Set the zone to the domain's name under DDNS Services in Dynu's control panel, and use the "
            "credentials of that account.",
        )

    def _listed(self) -> dict[str, int]:
        domains = self._list_in("/dns", "domains", "")
        return {
            str(each["name"]).rstrip(".").lower(): each["id"]
            for each in domains
            if each.get("name") and isinstance(each.get("id"), int)
        }

    def _records(self, path: str, zone: str) -> dict[int, TxtRecord]:
        """Return the TXT records of a domain by ID. A disabled one counts as existing: its value cannot be added again."""
        return {
            each["id"]: TxtRecord(
                name=f"{each.get('nodeName') or ''}.{zone}".removeprefix(".").lower(),
                value=unquoted(str(each.get("textData") or "")),
            )
            for each in self._list_in(path, "dnsRecords", zone)
            if each.get("recordType") == "TXT" and isinstance(each.get("id"), int)
        }

    def _list_in(self, path: str, key: str, zone: str) -> list[Mapping[str, Any]]:
        answer = self._ask("GET", path)
        if not _is_ok(answer):
            raise self._failure(answer, zone)
        found = answer.fields.get(key)
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self._api.nonsense("Its response lacks the expected list.")
        return found

    # -- the API -------------------------------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, *, data: object = None) -> ApiResponse:
        """Send a request with an access token; get a new one if Dynu rejects it before its expiry."""
        clock = self._access.env.clock
        is_fresh = clock.monotonic() >= self._good_until
        if is_fresh:
            self._sign_in()
        answer = self._sent(method, path, data)
        if answer.status == 401 and not is_fresh:
            self._sign_in()
            answer = self._sent(method, path, data)
        return answer

    def _sent(self, method: str, path: str, data: object) -> ApiResponse:
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._api.call(method, path, data=data, headers=headers, timeout=ANSWER_SECONDS)

    def _sign_in(self) -> None:
        pair = f"{self._access.settings.get('client_id', '').strip()}:{self._access.secrets.get('client_secret', '').strip()}"
        basic = b64encode(pair.encode()).decode()
        self._api.conceal(basic)
        headers = {"Authorization": f"Basic {basic}"}
        answer = self._api.call("GET", "/oauth2/token", headers=headers, timeout=ANSWER_SECONDS)
        if not _is_ok(answer):
            raise self._failure(answer, "")
        token = answer.fields.get("access_token")
        if not isinstance(token, str) or not token:
            raise self._api.nonsense("Its response lacks the access token.")
        self._api.conceal(token)
        self._token = token
        lasts = max(SHORTEST_TOKEN_SECONDS, _seconds(answer.fields.get("expires_in")) - EARLY_SECONDS)
        self._good_until = self._access.env.clock.monotonic() + lasts

    # -- failures ------------------------------------------------------------------------------------------------------

    def _failure(self, answer: ApiResponse, zone: str) -> DnsProviderError:
        status, said = _status(answer), _said(answer)
        if not answer.fields:
            return self._api.nonsense(f"It returned {answer.status} without JSON.")
        if status in (401, 403):
            return self._api.credentials(
                said,
                f"Copy the OAuth2 Client ID and Secret from {KEYS_PAGE} and set them again. Do not use the API Key.",
            )
        if any(word in said.lower() for word in ("limit", "quota", "membership", "upgrade", "exceed")):
            return provider_error(
                self._access,
                "no-api-access",
                f"Dynu's plan of this account allows no more records in {zone}.",
                f"Dynu says: {self._api.words(said)}",
                "Remove records that are not needed, or upgrade the membership. A free membership allows four "
                "records for each domain.",
            )
        return self._api.refused(
            f"Dynu refused a change in {zone}." if zone else "Dynu refused a request.",
            status,
            said,
            "Check the domain's DNS Records in Dynu's control panel. On Dynu's own domains, a free membership may set "
            "TXT records only when the name is 30 days old.",
        )


def _made(record: TxtRecord, zone: str) -> Mapping[str, object]:
    return {
        "nodeName": name_below(record.name, zone),
        "recordType": "TXT",
        "ttl": LOWEST_TTL,
        "state": True,
        "group": "",
        "textData": record.value,
    }


def _is_temporary(answer: ApiResponse) -> bool:
    return is_transient(answer) and not (answer.status in REFUSALS and _said(answer))


def _status(answer: ApiResponse) -> int:
    """Return the effective status; some refusals come as 200 with another status in the body."""
    meant = answer.fields.get("statusCode")
    return meant if isinstance(meant, int) else answer.status


def _is_ok(answer: ApiResponse) -> bool:
    return answer.is_ok and 200 <= _status(answer) < 300 and bool(answer.fields)


def _said(answer: ApiResponse) -> str:
    inside = answer.fields.get("exception")
    from_there = inside if isinstance(inside, dict) else answer.fields
    words = [str(from_there.get(key) or "") for key in ("type", "message")]
    return ": ".join(each for each in words if each)


def _seconds(expires_in: object) -> float:
    """Return the lifetime of a token in seconds (0 if invalid); the API has returned it as a number and as text."""
    text = str(expires_in)
    return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0


KIND = ProviderKind(
    name="dynu",
    title=TITLE,
    fields=(
        EntryField(key="client_id", label="Client ID", help=f"Under OAuth2 on {KEYS_PAGE}.", check=one_word),
        EntryField(
            key="client_secret",
            label="Secret",
            help="Next to the Client ID. Not the API Key.",
            secret=True,
            check=one_word,
        ),
        *HTTP_FIELDS,
    ),
    help=f"Copy the OAuth2 Client ID and Secret from {KEYS_PAGE}.",
    connect=Dynu,
    notes=(
        "A free membership allows four records for each domain. Each name in an order needs one, and its wildcard another.",
        "On Dynu's own domains (dynu.net and others), a free membership may set TXT records only when the name is 30 days old.",
        "The API is slow at times; certdeck waits and retries.",
    ),
)
