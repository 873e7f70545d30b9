"""Namecheap, its XML API, with an API key and a whitelisted address.

The API handles whole domains only: `getHosts` returns all hosts, and `setHosts` replaces all of them and the mail setting as
well. A domain is read right before it is written, and written exactly as it was read except for our values. It is not written at
all if it could not be read completely (see `namecheap_zone`). It is read back afterwards: values of ours that another client has
overwritten are written again, and records that our write should have kept but lost are restored.

Limits of the API: it has no condition ("only if unchanged"), so a record that another client adds between our read and our
write is lost without a trace. That window is one request long. Records that it does not return (SRV) cannot be protected.
Avoided here: finding hosts by a part of their name (lexicon), a key in the URL of a request, mail that stops because EmailType
was omitted, repeating a write after a pause with data read before the pause.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from itertools import count
from typing import NoReturn
from xml.etree.ElementTree import Element

from core.dns.api import Api, ApiResponse, StaleRead, is_transient
from core.dns.changes import ATTEMPTS, PAUSE_SECONDS, SETTLE_SECONDS, by_name, contested
from core.dns.field_checks import one_word
from core.dns.names import name_below, zone_among
from core.dns.plain_xml import NotPlainXml, plain_xml, text_of
from core.dns.provider import HTTP_FIELDS, Access, EntryField, ProviderKind, TxtRecord, provider_error
from core.dns.providers.namecheap_zone import Hosts, NotClean, OtherNameServers, hosts_in
from core.errors import DnsProviderError

ENDPOINT = "https://api.namecheap.com"
PATH = "/xml.response"
TITLE = "Namecheap"
ACCESS_PAGE = "the page “API Access” (Profile, Tools, Business & Dev Tools)"
DOMAINS_A_PAGE = 100

TOO_MANY_REQUESTS = {"500000"}
SERVER_TROUBLE = {"3031510", "3050900", "4022288", "5019169", "5050169", "5050900"}
ADDRESS = {"1011150", "1017150", "1017105", "1010105", "1011105"}
CREDENTIALS = {
    "1010101",
    "1010102",
    "1011102",
    "1016103",
    "1017101",
    "1017103",
    "1017411",
    "1019103",
    "1030408",
    "1050900",
}
NO_SUCH_DOMAIN = {"2016166", "2019166", "3016166", "3019166"}
OTHER_SERVERS = {"2030166", "2030288"}
TOO_MANY_HOSTS = {"3013288", "4013288"}
NOT_ALLOWED = {"2011170", "4011103"}

_NUMBER = re.compile(rb'<Error\s+Number="(\d+)"')
_IPV4 = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


class Namecheap:
    """One account. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._api = Api(access, ENDPOINT, title=TITLE, is_temporary=_is_temporary)
        self._path = "" if self._api.endpoint.endswith(PATH) else PATH
        self._listed: tuple[str, ...] | None = None

    def zones(self) -> tuple[str, ...]:
        return tuple(name for name, is_served in sorted(self._domains().items()) if is_served)

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        changes = {_host_name(name, zone): change for name, change in by_name(add, remove).items()}
        if not changes:
            return
        where = self._split(zone)
        clock, cancel = self._access.env.clock, self._access.cancel
        failure = contested(self._access, TITLE, next(iter(by_name(add, remove))))
        dropped: Hosts | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                clock.sleep(self._access.env.random.uniform(*PAUSE_SECONDS), cancel)
            seen = self._read(zone, where)
            wanted = seen.changed(changes)
            if dropped is not None:
                wanted = wanted.with_these(dropped)
            if wanted != seen:
                try:
                    self._write(zone, where, wanted)
                except StaleRead as stale:
                    failure = stale.error
                    continue
            elif not attempt:
                return
            # At once: check our own write. After a pause: check for a client that had read before our write.
            after = self._read(zone, where)
            was_dropped, dropped = dropped, wanted.dropped_in(after, changes)
            if dropped is not None:
                if was_dropped is not None:
                    raise self._dropped(zone, dropped)
            elif after.is_done(changes):
                clock.sleep(SETTLE_SECONDS, cancel)
                if self._read(zone, where).is_done(changes):
                    return
        raise failure

    def close(self) -> None:
        self._api.close()

    # -- hosts ---------------------------------------------------------------------------------------------------------

    def _read(self, zone: str, where: Mapping[str, str]) -> Hosts:
        root = self._ask("domains.dns.getHosts", where, zone)
        results = root.findall("CommandResponse/DomainDNSGetHostsResult")
        try:
            if len(results) != 1:
                raise NotClean("It returned no hosts, but did not report an empty list.")
            return hosts_in(results[0], zone)
        except OtherNameServers as exc:
            raise self._elsewhere(zone, "") from exc
        except NotClean as exc:
            raise provider_error(
                self._access,
                "not-clean",
                f"{zone} was not changed, because certdeck cannot write its records back unchanged.",
                f"{self._api.words(str(exc))} Namecheap's API replaces all records of a domain with each write.",
                f"Point _acme-challenge.{zone} by a CNAME to a zone at another provider (or acme-dns), or change that "
                "record on the domain's page “Advanced DNS”.",
            ) from exc

    def _write(self, zone: str, where: Mapping[str, str], hosts: Hosts) -> None:
        root = self._ask("domains.dns.setHosts", {**where, **hosts.form()}, zone, must_be_fresh=True)
        result = root.find("CommandResponse/DomainDNSSetHostsResult")
        if result is None or result.get("IsSuccess", "").lower() != "true":
            raise self._api.refused(
                f"Namecheap did not write the records of {zone}.",
                200,
                "it reported neither success nor a reason",
                "Check the domain's page “Advanced DNS”, then try again.",
            )

    def _dropped(self, zone: str, dropped: Hosts) -> DnsProviderError:
        names = ", ".join(sorted(map(str, dropped.hosts))) or f"the mail setting {dropped.email_type}"
        return provider_error(
            self._access,
            "conflict",
            f"Namecheap did not store all records of {zone}. Missing: {self._api.words(names)}",
            "It existed before, was written twice together with the rest, and was missing afterwards.",
            "Restore it on the domain's page “Advanced DNS”, and validate the domain in another way.",
            details={"records": [f"{host} {host.address}" for host in dropped.hosts]},
        )

    # -- domains -------------------------------------------------------------------------------------------------------

    def _domains(self) -> dict[str, bool]:
        """Return the domains of the account, and whether Namecheap's name servers serve them."""
        found: dict[str, bool] = {}
        for page in count(1):
            fields = {"ListType": "ALL", "Page": str(page), "PageSize": str(DOMAINS_A_PAGE)}
            response = self._ask("domains.getList", fields, "").find("CommandResponse")
            domains = [] if response is None else response.findall("DomainGetListResult/Domain")
            total = text_of(response, "Paging/TotalItems")
            before = len(found)
            for domain in domains:
                name = domain.get("Name", "").lower()
                if not name:
                    raise self._api.nonsense("It returned a domain without a name.")
                found[name] = (
                    domain.get("IsOurDNS", "true").lower() == "true" and domain.get("IsExpired", "").lower() != "true"
                )
            if not total.isdecimal() or (len(found) == before and before < int(total)):
                raise self._api.nonsense("Its list of domains is shorter than it reports.")
            if len(found) >= int(total):
                return found
        raise AssertionError("counting has no end")

    def _split(self, zone: str) -> dict[str, str]:
        """Return a domain in the two parts (SLD, TLD) that the API takes.

        The second part is the registry's suffix (`co.uk`), as in the account's own domain. For a zone below a domain of the
        account, the first part contains the rest.
        """
        if zone.count(".") > 1 and self._listed is None:
            self._listed = tuple(self._domains())
        top = zone_among(zone, self._listed or ()) or zone
        tld = top.partition(".")[2]
        return {"SLD": zone.removesuffix(f".{tld}"), "TLD": tld}

    # -- the API -------------------------------------------------------------------------------------------------------

    def _ask(self, command: str, fields: Mapping[str, str], zone: str, *, must_be_fresh: bool = False) -> Element:
        user = self._access.settings.get("api_user", "").strip()
        form = {
            "ApiUser": user,
            "ApiKey": self._access.secrets.get("api_key", "").strip(),
            "UserName": user,
            "ClientIp": self._access.settings.get("client_ip", "").strip(),
            "Command": f"namecheap.{command}",
            **fields,
        }
        headers = {"Accept": "text/xml, application/xml"}
        try:
            answer = self._api.call("POST", self._path, form=form, headers=headers, must_be_fresh=must_be_fresh)
        except StaleRead as stale:
            raise StaleRead(self._in_words(stale.error)) from stale
        except DnsProviderError as error:
            raise self._in_words(error) from error
        return self._want(answer, zone)

    def _want(self, answer: ApiResponse, zone: str) -> Element:
        """Return the XML of a successful call; raise DnsProviderError for any other."""
        if not answer.is_ok:
            raise self._api.nonsense(f"It returned {answer.status}.")
        try:
            root = plain_xml(answer.body)
        except NotPlainXml as exc:
            raise self._api.nonsense(f"Its response is not valid XML of this API, or is incomplete ({exc}).") from exc
        if root.tag != "ApiResponse":
            raise self._api.nonsense(f"It returned {root.tag} instead of ApiResponse.")
        errors = root.findall("Errors/Error")
        if errors:
            self._fail(errors[0].get("Number", ""), (errors[0].text or "").strip(), zone)
        if root.get("Status", "").upper() != "OK":
            raise self._api.nonsense("It returned neither OK nor an error.")
        return root

    # -- failures ------------------------------------------------------------------------------------------------------

    def _in_words(self, error: DnsProviderError) -> DnsProviderError:
        """Return the error for a response that stayed temporary; Namecheap uses unusual statuses for these."""
        status = error.details.get("status")
        if status == 405:
            return provider_error(
                self._access,
                "rate-limited",
                "Namecheap accepts no more requests at the moment.",
                "The limits for each account are 20 requests a minute, 700 an hour and 8000 a day.",
                "Try again later. Other programs that use the same account count towards the limit.",
            )
        if status == 200:
            return provider_error(
                self._access,
                "temporary",
                "Namecheap is having problems, or accepts no more requests at the moment.",
                "Its server failed to handle a request, also after retries.",
                "Try again later. The provider's status page may have details.",
            )
        return error

    def _fail(self, number: str, said: str, zone: str) -> NoReturn:
        words = f"Namecheap says ({number or 'without a number'}): {self._api.words(said)}"
        if number in ADDRESS:
            raise self._from_elsewhere(words, said)
        if number in CREDENTIALS:
            raise self._api.credentials(
                f"({number}) {said}",
                f"On {ACCESS_PAGE}, turn API Access on and copy the API key again. api_user is the account's user name. "
                "Namecheap gives access to accounts with 20 domains, or 50 USD of balance, or of purchases in two years.",
            )
        if number in NO_SUCH_DOMAIN:
            raise provider_error(
                self._access,
                "zone",
                f"The account of {self._access.name} at Namecheap has no domain {zone}.",
                words,
                f"Use the account that owns {zone}, or set the zone to the domain's name in its Domain List.",
            )
        if number in OTHER_SERVERS:
            raise self._elsewhere(zone, words)
        if number in NOT_ALLOWED:
            raise provider_error(
                self._access,
                "permission",
                f"The account of {self._access.name} may not change the records of {zone}.",
                words,
                "If the domain is shared with this account, ask its owner to grant “Modify hosts” on the domain's page "
                "“Sharing & Transfer”.",
            )
        if number in TOO_MANY_HOSTS:
            raise self._api.refused(
                f"The zone {zone} is full at Namecheap.",
                200,
                f"({number}) {said}",
                "Remove records that are not needed.",
            )
        raise self._api.refused(
            f"Namecheap refused a change of {zone}." if zone else "Namecheap refused a request.",
            200,
            f"({number}) {said}",
            "Check the domain's page “Advanced DNS”. The message above names the conflict.",
        )

    def _from_elsewhere(self, words: str, said: str) -> DnsProviderError:
        configured = self._access.settings.get("client_ip", "").strip()
        named = _IPV4.search(said)
        address = named[0] if named else configured
        other = f" and set client_ip to it (it is {configured} now)" if address != configured else ""
        return provider_error(
            self._access,
            "address-not-allowed",
            f"Namecheap does not allow requests from {address}.",
            words,
            f"On {ACCESS_PAGE}, add {address} to the Whitelisted IPs{other}. It is the public IPv4 address of this "
            "box's outgoing connections, and must not change.",
            details={"address": address},
        )

    def _elsewhere(self, zone: str, words: str) -> DnsProviderError:
        return provider_error(
            self._access,
            "zone",
            f"{zone} does not use Namecheap's name servers, so records there have no effect.",
            words or "Namecheap says that the domain uses other name servers (IsUsingOurDNS is false).",
            "Use the provider that serves the domain, or choose Namecheap BasicDNS on the domain's page.",
        )


def _is_temporary(answer: ApiResponse) -> bool:
    """Return whether a request may be retried: 405 means too many requests, and errors come with status 200."""
    number = _NUMBER.search(answer.body)
    return (
        is_transient(answer)
        or answer.status == 405
        or (number is not None and number[1].decode() in TOO_MANY_REQUESTS | SERVER_TROUBLE)
    )


def _host_name(name: str, zone: str) -> str:
    return name_below(name, zone) or "@"


def _check_address(address: str) -> str | None:
    try:
        IPv4Address(address.strip())
    except ValueError:
        return "It must be an IPv4 address, for example 203.0.113.7."
    return None


KIND = ProviderKind(
    name="namecheap",
    title=TITLE,
    fields=(
        EntryField(key="api_user", label="API user", help="The user name of the account."),
        EntryField(
            key="api_key", label="API key", help="From Profile, Tools, API Access.", secret=True, check=one_word
        ),
        EntryField(
            key="client_ip",
            label="Client IP",
            help="The public IPv4 address of this box's outgoing connections. It must be whitelisted at API Access.",
            check=_check_address,
        ),
        *HTTP_FIELDS,
    ),
    help="Turn API Access on (Profile, Tools, Business & Dev Tools), copy the API key, and whitelist the machine's address.",
    connect=Namecheap,
    notes=(
        "Namecheap gives access to accounts with 20 domains, or 50 USD of balance, or of purchases in two years.",
        "The API replaces all records of a domain with each write. certdeck writes back what it read, or refuses.",
        "Do not edit the domain's records during a renewal.",
        "Domains with Dynamic DNS records or disabled records are refused. For these, point _acme-challenge elsewhere by a CNAME.",
    ),
)
