"""The part of the engine's double that DNS proofs go to: kinds, provider entries, a scripted connection test, open orders by hand.

engine.known_providers = (provider_info("cf"), …)    # what dns_providers lists
engine.dns_test = bad_test()                         # what test_dns_provider says from now on
engine.orders = {"shop": open_order("shop")}         # open orders by hand, also of lineages that do not exist yet
engine.looks = [views("lacks"), views("has")]        # what look_at_records and complete find one by one; the last stays
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace as changed

from core.config.model import DnsProviderConfig
from core.dns.provider import HTTP_FIELDS
from core.engine import ignore
from core.errors import InUse, NotFound, UsageError
from core.events import Event, PropagationChecked, ProviderTested, RecordsRequired, Reporter
from core.operations import (
    DnsKind,
    DnsProviderInfo,
    DnsTest,
    DnsTestStep,
    EntryField,
    Issued,
    LineageStatus,
    OpenOrder,
    Pending,
    Record,
    RecordView,
    ServerView,
)
from core.ports import CancelToken
from tests.support.lineages import NOW, lineage
from tests.support.showcase import issue_events

VALUES = (
    "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA",
    "gfj9Xq-Rg85nM3xCzHhJqyNqJ0Z1QbW8kVYt2dF5LrE",
)
"""As long as real ones: 43 characters of base64url."""

KINDS = (
    DnsKind(
        name="cloudflare",
        title="Cloudflare",
        fields=(
            EntryField(key="api_token", label="API token", secret=True, help="My Profile, API Tokens: Zone:DNS:Edit."),
            EntryField(key="zone_id", label="Zone ID", required=False, help="Of the one zone that the token is for."),
            *HTTP_FIELDS,
        ),
        help="Create an API token with the permission Zone:DNS:Edit for these zones.",
    ),
    DnsKind(
        name="godaddy",
        title="GoDaddy",
        fields=(
            EntryField(key="api_key", label="API key", secret=True),
            EntryField(key="api_secret", label="API secret", secret=True),
            *HTTP_FIELDS,
        ),
        help="Make a production key on the page API Keys.",
        notes=("GoDaddy gives the API only to accounts with ten domains or more, or with a Domain Pro plan.",),
    ),
    DnsKind(
        name="rfc2136",
        title="RFC 2136 (BIND, Knot …)",
        fields=(
            EntryField(key="server", label="Server", help="Name or address of the primary."),
            EntryField(
                key="port", label="Port", default="53", check=lambda v: None if v.isdigit() else "It is no port."
            ),
            EntryField(key="tsig_name", label="TSIG key name"),
            EntryField(
                key="tsig_algorithm",
                label="TSIG algorithm",
                default="hmac-sha256",
                choices=("hmac-sha256", "hmac-sha512", "hmac-sha1"),
            ),
            EntryField(key="tsig_secret", label="TSIG secret", secret=True, help="Base64."),
        ),
        help="A TSIG key that may update TXT records in the zone.",
    ),
    DnsKind(
        name="hook",
        title="Custom program",
        fields=(EntryField(key="command", label="Command", help="One program; called with present or cleanup."),),
        help="A program that sets and removes a TXT record.",
        has_zones=False,
        takes_any=True,
    ),
)
LEXICON = DnsKind(
    name="lexicon:digitalocean",
    title="digitalocean (dns-lexicon)",
    fields=(EntryField(key="auth_token", label="Auth token", secret=True),),
    help="What dns-lexicon asks for.",
)


def records(*domains: str) -> tuple[Record, ...]:
    """Make the records of an order for `domains`, each with a value of its own."""
    names = [f"_acme-challenge.{domain.removeprefix('*.')}" for domain in domains]
    return tuple(Record(name=name, type="TXT", value=VALUES[at % 2]) for at, name in enumerate(names))


def servers(*states: str) -> tuple[ServerView, ...]:
    """Make what each of some name servers says; the second is asked over IPv6."""
    addresses = ("192.0.2.1", "2001:db8::2", "192.0.2.3", "192.0.2.4")
    return tuple(
        ServerView(server=f"ns{at}.example.com", address=addresses[at - 1], state=state, milliseconds=at * 11)
        for at, state in enumerate(states, 1)
    )


def views(*states: str, of: Sequence[Record] | None = None, **fields: Any) -> tuple[RecordView, ...]:
    """Make a look at `of`: for every record the same answers."""
    wanted = records("shop.example.com") if of is None else of
    made = [RecordView(record=one, written_at=one.name, zone="example.com", servers=servers(*states)) for one in wanted]
    return tuple(changed(one, **fields) for one in made)


def open_order(name: str, *domains: str, **fields: Any) -> OpenOrder:
    """Make an order that waits for records that are set by hand."""
    names = domains or (f"{name}.example.com",)
    made = OpenOrder(
        name=name,
        issuer="letsencrypt",
        challenge="dns-01",
        identifiers=names,
        records=records(*names),
        created=NOW - timedelta(hours=2),
        expires=NOW + timedelta(days=6, hours=22),
        is_manual=True,
    )
    return changed(made, **fields)


def provider_info(name: str = "cf", kind: str = "cloudflare", **fields: Any) -> DnsProviderInfo:
    """Make an entry as it is listed."""
    known = next(each for each in KINDS if each.name == kind)
    made = DnsProviderInfo(
        name=name,
        kind=kind,
        title=known.title,
        zones=("example.com",),
        settings={},
        secrets={each.key: True for each in known.fields if each.secret},
        lineages=(),
    )
    return changed(made, **fields)


def good_test(name: str = "cf", domain: str = "example.com") -> DnsTest:
    """Make a connection test in which every step passed."""
    steps = (
        DnsTestStep(id="credentials", status="pass", detail="Cloudflare takes the API token.", milliseconds=212),
        DnsTestStep(id="zone", status="pass", detail="example.com is in this account.", milliseconds=187),
        DnsTestStep(id="write", status="pass", detail="A TXT record was made.", milliseconds=340),
        DnsTestStep(id="seen", status="pass", detail="2 of 2 name servers have it.", milliseconds=2100),
        DnsTestStep(id="remove", status="pass", detail="The TXT record is gone.", milliseconds=298),
    )
    record = Record(name=f"_certdeck-test-4f2a.{domain}", type="TXT", value="certdeck-test-4f2a9c")
    return DnsTest(
        name=name, domain=domain, zone="example.com", record=record, steps=steps, servers=servers("has", "has")
    )


def bad_test(name: str = "cf", domain: str = "example.com") -> DnsTest:
    """Make a connection test that a missing permission ended."""
    steps = (
        good_test().steps[0],
        good_test().steps[1],
        DnsTestStep(
            id="write",
            status="fail",
            detail="Cloudflare refuses to make a TXT record: the API token lacks a permission.",
            fix="Give the token the permission Zone:DNS:Edit on the page API Tokens.",
            milliseconds=95,
        ),
        DnsTestStep(id="seen", status="skip", detail="Nothing was written."),
        DnsTestStep(id="remove", status="skip", detail="Nothing was written."),
    )
    return DnsTest(name=name, domain=domain, zone="example.com", record=None, steps=steps)


class FakeDns:
    """Mixed into FakeEngine, before it: brings `complete` and `open_orders` as well."""

    kinds: tuple[DnsKind, ...] = KINDS
    lexicon: tuple[str, ...] = ("digitalocean", "gandi", "hetzner")
    known_providers: tuple[DnsProviderInfo, ...] = ()
    dns_test: DnsTest | None = None
    """None: every step passes."""
    orders: Mapping[str, OpenOrder] = {}
    looks: Sequence[tuple[RecordView, ...]] = ()
    """None given: nobody has a record yet."""
    pending: bool

    if TYPE_CHECKING:
        lineages: list[LineageStatus]

        def _called(self, method: str, **given: Any) -> None: ...
        def _find(self, name: str) -> LineageStatus: ...
        def _put(self, new: LineageStatus) -> None: ...
        def touch(self) -> None: ...
        def _tell(
            self,
            operation: str,
            report: Reporter,
            cancel: CancelToken | None,
            events: Iterable[Event],
            about: str,
            outcome: str = "done",
        ) -> None: ...

    # -- providers -----------------------------------------------------------------------------------------------------

    def dns_kinds(self) -> tuple[DnsKind, ...]:
        self._called("dns_kinds")
        return self.kinds

    def dns_kind(self, name: str) -> DnsKind:
        self._called("dns_kind", name=name)
        return self._kind(name)

    def lexicon_providers(self) -> tuple[str, ...]:
        self._called("lexicon_providers")
        return self.lexicon

    def dns_providers(self) -> tuple[DnsProviderInfo, ...]:
        self._called("dns_providers")
        return self.known_providers

    def check_dns_provider(self, config: DnsProviderConfig, secrets: Mapping[str, bytes]) -> Mapping[str, str]:
        self._called("check_dns_provider", config=config, secrets=dict(secrets))
        return self._problems(config, secrets)

    def add_dns_provider(
        self,
        config: DnsProviderConfig,
        secrets: Mapping[str, bytes],
        *,
        replace: bool = False,
        report: Reporter = ignore,
    ) -> DnsProviderInfo:
        self._called("add_dns_provider", config=config, secrets=dict(secrets), replace=replace)
        kind, problems = self._kind(config.kind), dict(self._problems(config, secrets))
        if not replace and any(each.name == config.name for each in self.known_providers):
            problems["name"] = f"The entry {config.name!r} already exists."
        if problems:
            words = " ".join(problems.values())
            fix = "Give what is missing, or --replace."
            raise UsageError(f"{config.name} cannot be kept.", words, fix, details={"problems": problems})
        had = self._entry(config.name)
        made = DnsProviderInfo(
            name=config.name,
            kind=config.kind,
            title=kind.title,
            zones=config.zones,
            settings=dict(config.settings),
            secrets={**(had.secrets if had else {}), **dict.fromkeys(secrets, True)},
            lineages=had.lineages if had else (),
            delegations=dict(config.delegations),
        )
        others = [each for each in self.known_providers if each.name != config.name]
        self.known_providers = tuple(sorted([*others, made], key=lambda each: each.name))
        self.touch()
        return made

    def remove_dns_provider(self, name: str, *, report: Reporter = ignore) -> None:
        self._called("remove_dns_provider", name=name)
        found = self._provider(name)
        if found.lineages:
            used = ", ".join(found.lineages)
            raise InUse(
                f"{name} is in use.", f"These use it for validation: {used}.", "Give them another provider first."
            )
        self.known_providers = tuple(each for each in self.known_providers if each.name != name)
        self.touch()

    def test_dns_provider(
        self,
        name: str,
        *,
        domain: str | None = None,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> DnsTest:
        self._called("test_dns_provider", name=name, domain=domain)
        found = self._provider(name)
        asked = domain or (found.zones[0] if found.zones else None)
        if asked is None:
            raise UsageError("No domain to test with.", f"{name} has no zone.", "Give one: --domain example.com.")
        test = self.dns_test or good_test()
        test = changed(test, name=name, domain=asked)
        events = [
            ProviderTested(
                provider=name, step=one.id, status=one.status, detail=one.detail, milliseconds=one.milliseconds
            )
            for one in test.steps
        ]
        self._tell("dns test", report, cancel, events, name)
        return test

    # -- by hand -------------------------------------------------------------------------------------------------------

    def open_orders(self) -> tuple[str, ...]:
        self._called("open_orders")
        return tuple(sorted({each.name for each in self.lineages if each.open_order} | set(self.orders)))

    def open_order(self, name: str) -> OpenOrder:
        self._called("open_order", name=name)
        return self._order(name)

    def look_at_records(self, name: str, *, cancel: CancelToken | None = None) -> tuple[RecordView, ...]:
        self._called("look_at_records", name=name)
        if cancel is not None:
            cancel.check()
        return self._look(self._order(name).records)

    def give_up(self, name: str, *, report: Reporter = ignore) -> None:
        self._called("give_up", name=name)
        self._order(name)
        self._ended(name)

    def complete(
        self,
        name: str,
        *,
        anyway: bool = False,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> Issued | Pending:
        self._called("complete", name=name, anyway=anyway)
        order = self.orders.get(name)
        found = next((each for each in self.lineages if each.name == name), None)
        domains = order.identifiers if order else self._find(name).domains
        if not anyway and (self.pending or self.looks):
            wanted = order.records if order else records(domains[0])
            seen = self._look(wanted)
            if not all(one.is_seen for one in seen):
                told = [_asked(one) for one in seen]
                self._tell("complete", report, cancel, told, name, outcome="pending")
                expires = order.expires if order else NOW + timedelta(days=7)
                challenge = order.challenge if order else "dns-01"
                return Pending(name=name, challenge=challenge, records=wanted, expires=expires, views=seen)
        self._tell("complete", report, cancel, issue_events(domains, ()), name)
        self._put(found or lineage(name, *domains, method="manual-dns-01", targets=()))
        self._ended(name)
        return Issued(status=self._find(name))

    # -- inside --------------------------------------------------------------------------------------------------------

    def _pending(self, name: str, domains: Sequence[str], report: Reporter) -> Pending:
        """Leave an order open and return what is to be set for it."""
        order = open_order(name, *domains, created=NOW, expires=NOW + timedelta(days=7))
        self.orders = {**self.orders, name: order}
        event = RecordsRequired(records=tuple((one.name, one.type, one.value) for one in order.records))
        self._tell("issue", report, None, [event], name, outcome="pending")
        return Pending(name=name, challenge=order.challenge, records=order.records, expires=order.expires)

    def _order(self, name: str) -> OpenOrder:
        if name in self.orders:
            return self.orders[name]
        found = next((each for each in self.lineages if each.name == name and each.open_order), None)
        if found is None:
            raise NotFound(f"{name} has no open order.", "Nothing waits for it.", "Begin one with `certdeck issue`.")
        return open_order(name, *found.domains)

    def _ended(self, name: str) -> None:
        self.orders = {each: order for each, order in self.orders.items() if each != name}
        for found in [each for each in self.lineages if each.name == name]:
            self._put(changed(found, open_order=False))
        self.touch()

    def _look(self, wanted: Sequence[Record]) -> tuple[RecordView, ...]:
        if not self.looks:
            return views("lacks", "lacks", of=wanted)
        seen, *later = self.looks
        self.looks = later or [seen]
        return seen

    def _kind(self, name: str) -> DnsKind:
        for each in (*self.kinds, LEXICON):
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.kinds)
        raise NotFound(f"There is no kind of DNS provider {name!r}.", "No kind has that name.", f"Kinds: {known}.")

    def _entry(self, name: str) -> DnsProviderInfo | None:
        return next((each for each in self.known_providers if each.name == name), None)

    def _provider(self, name: str) -> DnsProviderInfo:
        found = self._entry(name)
        if found is None:
            raise NotFound(
                f"The DNS provider {name!r} does not exist.", "None was added.", "`certdeck dns list` shows them."
            )
        return found

    def _problems(self, config: DnsProviderConfig, secrets: Mapping[str, bytes]) -> Mapping[str, str]:
        had, found = self._entry(config.name), {}
        for each in self._kind(config.kind).fields:
            value = secrets[each.key].decode() if each.key in secrets else config.settings.get(each.key, each.default)
            is_kept = each.secret and had is not None and had.secrets.get(each.key, False)
            if not value:
                if each.required and not is_kept:
                    found[each.key] = f"{each.label} is missing."
            elif each.choices and value not in each.choices:
                found[each.key] = f"{each.label} is one of {', '.join(each.choices)}."
            elif each.check is not None and (problem := each.check(value)):
                found[each.key] = problem
        if any(not zone.strip() or " " in zone for zone in config.zones):
            found["zones"] = "A zone is a domain name."
        return found


def _asked(view: RecordView) -> PropagationChecked:
    answering = [one for one in view.servers if one.answers]
    missing = tuple(f"{one.server} ({one.address})" for one in answering if one.state == "lacks")
    return PropagationChecked(
        name=view.record.name, seen=len(answering) - len(missing), of=len(answering), missing=missing
    )
