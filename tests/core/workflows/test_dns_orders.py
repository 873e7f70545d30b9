"""Orders proven through a DNS provider: records made together, awaited, answered, and gone again whatever happens."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from core.config.model import DnsProviderConfig
from core.errors import AuthorizationFailed, Cancelled, DnsProviderError, NotFound, PropagationTimeout, UsageError
from core.events import (
    ChallengePresented,
    ChallengeValidated,
    Event,
    PropagationChecked,
    RecordAdded,
    RecordRemoved,
    Warned,
)
from core.operations import Issued, IssueRequest, Pending
from core.ports import CancelToken, Response, TransportFailure
from core.store.dns_records import kept_records
from tests.support.acme_server import problem
from tests.support.appliance import Appliance
from tests.support.dns_box import ENTRY, HOST, dns_box, issue, values_at
from tests.support.killer import kills
from tests.support.transport import Asked
from tests.support.vendors.cloudflare import CloudflareVendor
from tests.support.vendors.zone import OTHERS_VALUE

NAME = "example.com"
TXT = f"_acme-challenge.{NAME}"


@pytest.fixture
def vendor(appliance: Appliance) -> CloudflareVendor:
    return dns_box(appliance)


def order_of(box: Appliance, *kinds: type[Event]) -> list[str]:
    return [type(event).__name__ for event in box.events if isinstance(event, kinds)]


def test_wildcard_and_bare_domain_in_one_order(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Both values stand at one name together, are seen, answered, and removed; all else in the zone is as it was (ST-18, CC-18)."""
    before = vendor.snapshot()
    status = issue(appliance, NAME, f"*.{NAME}").status
    assert (status.method, status.domains) == ("dns-01", (NAME, f"*.{NAME}"))
    assert vendor.snapshot() == before
    kinds = (RecordAdded, PropagationChecked, ChallengePresented, ChallengeValidated, RecordRemoved)
    assert order_of(appliance, *kinds) == [
        "RecordAdded",
        "PropagationChecked",
        *["ChallengePresented"] * 2,
        *["ChallengeValidated"] * 2,
        "RecordRemoved",
    ]
    assert kept_records(appliance.paths) == ()
    assert appliance.listener.opened == 0


def test_a_renewal_repeats_the_way(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """The timer renews through the same provider (ST-18, ST-30)."""
    issue(appliance, f"*.{NAME}", name="wild")
    appliance.clock.advance(days=70)
    before = vendor.snapshot()
    assert appliance.engine.renew().renewed == ("wild",)
    assert vendor.snapshot() == before


def test_a_hundred_names_are_written_together_and_awaited_once(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Many names of a zone cost a handful of requests to the provider, not one each."""
    names = [f"h{number}.{NAME}" for number in range(100)]
    issue(appliance, *names)
    assert len([asked for asked in vendor.asked if asked.method != "GET"]) <= 2
    soa = [name for name, type, _ in appliance.dns.asked if type == "NS"]
    assert len(soa) <= 1


def test_a_cname_is_followed_into_a_zone_that_an_entry_serves(appliance: Appliance) -> None:
    """A delegated `_acme-challenge` is written where it leads, in one order with an ordinary name (pain 15)."""
    vendor = dns_box(appliance, NAME, "delegated.example.net")
    target = "www.delegated.example.net"
    appliance.dns.set(f"_acme-challenge.www.{NAME}", "CNAME", target)
    seen: list[str] = []
    appliance.dns.on_ask = lambda name, type, server: seen.extend(values_at(vendor, target))
    issue(appliance, NAME, f"www.{NAME}")
    assert seen
    assert values_at(vendor, target) == []


def test_a_cname_into_a_strange_zone_is_left_alone(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A wildcard CNAME that only happens to match is no delegation: the record goes into the own zone, and wins there."""
    appliance.dns.zone("hosting.example.org", "203.0.113.1")
    for name in (TXT, f"_certdeck-no-such-name.{NAME}"):
        appliance.dns.set(name, "CNAME", "site.hosting.example.org")
    issue(appliance, NAME)
    assert {event.name for event in appliance.of(RecordAdded) if isinstance(event, RecordAdded)} == {TXT}


def test_a_delegation_can_be_said(appliance: Appliance) -> None:
    """A CNAME that cannot be seen from this box, in a private view, is taken from the configuration."""
    vendor = dns_box(appliance, NAME, "delegated.example.net")
    appliance.configure(f'\n[dns_providers.{ENTRY}.delegations]\n"{NAME}" = "box.delegated.example.net"\n')
    written: list[str] = []
    appliance.dns.on_ask = lambda name, type, server: written.extend(values_at(vendor, "box.delegated.example.net"))
    appliance.ca.judge = lambda identifier, kind: None
    issue(appliance, NAME)
    assert written


def test_the_entry_is_found_by_its_zone(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A wildcard, or `--challenge dns-01`, takes the entry that serves the zone by itself and keeps it (ST-25)."""
    assert issue(appliance, f"*.{NAME}", dns=None).status.method == "dns-01"
    assert next(event.code for event in appliance.of(Warned) if isinstance(event, Warned)) == "chosen-for-you"
    assert issue(appliance, f"a.{NAME}", dns=None, challenge="dns-01").status.method == "dns-01"
    assert f'dns = "{ENTRY}"' in (appliance.paths.certificates / f"a.{NAME}.toml").read_text()
    with pytest.raises(UsageError) as caught:
        issue(appliance, "*.elsewhere.example.org", dns=None)
    assert "--manual" in caught.value.fix


def test_another_provider_for_a_certificate_that_is_kept_is_said(
    appliance: Appliance, vendor: CloudflareVendor
) -> None:
    """Issuing again with another entry deploys what is there, says that renewals go another way, and so does an open order."""
    issue(appliance, NAME)
    appliance.engine.add_dns_provider(
        DnsProviderConfig(name="other", kind="cloudflare", zones=(NAME,)), {"api_token": b"wrong-" + b"x" * 34}
    )
    appliance.told.clear()
    issue(appliance, NAME, dns="other")
    assert "DNS provider other" in str(appliance.of(Warned))
    assert appliance.engine.renew([NAME], force=True).failed[0].error.code == "dns-provider-error"
    issue(appliance, NAME, dns=ENTRY)  # the certificate is still good, and the open order goes this way from now on
    appliance.engine.remove_dns_provider("other")
    assert isinstance(appliance.engine.complete(NAME), Issued)


def test_an_unknown_entry_names_the_nearest(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A typing error is answered with the name that was meant; nothing is ordered."""
    with pytest.raises(NotFound) as caught:
        issue(appliance, NAME, dns="cff")
    assert "'cf'" in caught.value.why
    assert appliance.ca.count("/new-order") == 0


def test_a_name_outside_all_zones_is_said_before_anything_is_written(
    appliance: Appliance, vendor: CloudflareVendor
) -> None:
    """The zones that the entry has are named."""
    with pytest.raises(DnsProviderError) as caught:
        issue(appliance, "www.example.org")
    assert "example.com" in caught.value.why
    assert caught.value.details["reason"] == "zone"
    assert kept_records(appliance.paths) == ()


def test_records_go_also_after_a_failed_validation(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Whatever the CA says, what we made is removed again (ST-18)."""
    before = vendor.snapshot()
    appliance.ca.judge = lambda identifier, kind: {"type": "urn:ietf:params:acme:error:dns", "detail": "no"}
    with pytest.raises(AuthorizationFailed) as caught:
        issue(appliance, NAME)
    assert "name server" in caught.value.fix
    assert "well-known" not in caught.value.fix
    assert vendor.snapshot() == before
    assert kept_records(appliance.paths) == ()


def test_records_go_also_when_they_never_show(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A time-out of propagation leaves the zone clean, no challenge answered, and the order open for the next try."""
    before = vendor.snapshot()
    appliance.dns.sources.clear()
    with pytest.raises(PropagationTimeout):
        issue(appliance, NAME)
    assert vendor.snapshot() == before
    assert appliance.of(ChallengePresented) == []
    assert appliance.engine.open_orders() == (NAME,)


def test_records_that_another_client_swallowed_are_written_again(
    appliance: Appliance, vendor: CloudflareVendor
) -> None:
    """A client that rewrites whole sets may take ours along; after a part of the wait they are written once more."""
    before = vendor.snapshot()
    started = appliance.clock.monotonic()

    def swallow(name: str, type: str, server: str | None) -> None:
        if type == "TXT" and appliance.clock.monotonic() - started < 10:
            records = vendor.records[vendor.id_of()]
            for id in [id for id, each in records.items() if each["name"] == TXT and len(each["content"]) == 45]:
                if OTHERS_VALUE not in records[id]["content"]:
                    del records[id]

    appliance.dns.on_ask = swallow
    assert issue(appliance, NAME).status.version == 1
    assert vendor.snapshot() == before


def test_records_go_also_after_a_cancel(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Somebody who stops while the name servers are asked leaves no record behind."""
    before = vendor.snapshot()
    cancel = CancelToken()
    appliance.dns.on_ask = lambda name, type, server: cancel.cancel() if type == "TXT" else None
    with pytest.raises(Cancelled):
        appliance.engine.issue(IssueRequest(domains=(NAME,), dns=ENTRY), cancel=cancel)
    assert vendor.snapshot() == before


def test_what_cannot_be_removed_now_is_removed_by_the_next_run(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A provider that fails at clean-up does not spoil the certificate; the next scheduled run does it, with nothing else due."""
    before = vendor.snapshot()
    broken = _BrokenRemoval(vendor)
    appliance.vendors[HOST] = broken
    assert issue(appliance, NAME).status.version == 1
    assert "records-left" in [event.code for event in appliance.of(Warned) if isinstance(event, Warned)]
    assert vendor.snapshot() != before
    appliance.vendors[HOST] = vendor
    appliance.engine.renew()
    assert vendor.snapshot() == before
    assert kept_records(appliance.paths) == ()


def test_records_of_an_entry_that_is_gone_are_told_and_forgotten(
    appliance: Appliance, vendor: CloudflareVendor
) -> None:
    """Nobody can remove them any more: their names are said once."""
    appliance.vendors[HOST] = _BrokenRemoval(vendor)
    issue(appliance, NAME)
    appliance.engine.delete(NAME, force=True)
    appliance.engine.remove_dns_provider(ENTRY)
    appliance.told.clear()
    appliance.engine.renew(report=appliance.told.append)
    assert TXT in str([event for event in appliance.events if isinstance(event, Warned)])
    assert kept_records(appliance.paths) == ()


def test_an_incomplete_entry_says_what_is_missing(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A secret that is gone from the vault is named before anything is ordered of the provider."""
    for path in appliance.paths.vault.glob("dns*"):
        path.unlink()
    with pytest.raises(UsageError) as caught:
        issue(appliance, NAME)
    assert "API token" in caught.value.why


def test_two_orders_side_by_side_do_not_eat_each_others_values(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A run with several lineages of one zone, one of them sharing its challenge name, removes value by value."""
    issue(appliance, NAME, name="one")
    issue(appliance, f"*.{NAME}", name="two")
    issue(appliance, f"a.{NAME}", name="three")
    before = vendor.snapshot()
    report = appliance.engine.renew(force=True)
    assert sorted(report.renewed) == ["one", "three", "two"]
    assert vendor.snapshot() == before


def test_a_rehearsal_goes_through_the_provider_too(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """--staging proves the names through the same records and leaves the zone clean (SO-27)."""
    appliance.configure('\n[issuers.test]\ndirectory = "https://ca.test/directory"\nagree_tos = true\n')
    text = appliance.paths.config.read_text().replace("[issuers.ca]\n", '[issuers.ca]\nstaging = "test"\n')
    appliance.paths.config.write_text(text)
    before = vendor.snapshot()
    assert issue(appliance, NAME, staging=True).rehearsed_only
    assert vendor.snapshot() == before


def test_killed_anywhere_the_next_run_leaves_the_zone_clean(appliance: Appliance, tmp_path: Path) -> None:
    """kill -9 at any file operation of an order: the next run knows every record that may have been made, and removes it."""
    shelf = tmp_path / "vendor"
    vendor = dns_box(appliance, vendor=_KeptVendor(shelf))
    assert isinstance(vendor, _KeptVendor)
    issue(appliance, f"a.{NAME}")  # the account is there
    before = vendor.snapshot()
    fresh = shelf.read_bytes()
    places = 0
    left = 0
    # The vendor's own file counts as well: with the records in place, certdeck itself writes nothing before they are removed.
    for where in kills(tmp_path, lambda: appliance.reopened().issue(IssueRequest(domains=(NAME,), dns=ENTRY))):
        places += 1
        left += vendor.snapshot() != before
        appliance.reopened().renew()
        assert vendor.snapshot() == before, where
        assert kept_records(appliance.paths) == (), where
        shelf.write_bytes(fresh)
    assert places > 40
    assert left > 1


# -- dns-persist-01 ---------------------------------------------------------------------------------------------------


def test_one_record_by_hand_lets_it_renew_for_good(appliance: Appliance) -> None:
    """dns-persist-01: the record is asked for once; from then on renewals need nobody (pain 5)."""
    appliance.dns.zone(NAME, "192.0.2.53")
    appliance.ca.challenge_types = ["http-01", "dns-01", "dns-persist-01"]
    request = IssueRequest(domains=(NAME, f"*.{NAME}"), challenge="dns-persist-01")
    pending = appliance.engine.issue(request)
    assert isinstance(pending, Pending)
    (record,) = pending.records
    assert record.name == f"_validation-persist.{NAME}"
    assert record.value.startswith("ca.test; accounturi=https://ca.test/")
    assert record.value.endswith("; policy=wildcard")
    appliance.dns.set(record.name, "TXT", record.value)
    issued = appliance.engine.complete(NAME)
    assert isinstance(issued, Issued)
    assert (issued.status.method, issued.status.auto_renew) == ("dns-persist-01", True)
    appliance.clock.advance(days=70)
    assert appliance.engine.renew().renewed == (NAME,)


def test_a_lasting_permission_that_is_gone_is_asked_for_again(appliance: Appliance) -> None:
    """A renewal whose record was removed fails nothing and blames nobody: it says which record has to be set."""
    appliance.dns.zone(NAME, "192.0.2.53")
    appliance.ca.challenge_types = ["dns-01", "dns-persist-01"]
    pending = appliance.engine.issue(IssueRequest(domains=(NAME,), challenge="dns-persist-01"))
    assert isinstance(pending, Pending)
    (record,) = pending.records
    appliance.dns.set(record.name, "TXT", record.value)
    appliance.engine.complete(NAME)
    appliance.clock.advance(days=70)
    appliance.dns.set(record.name, "TXT", "v=something else")
    report = appliance.engine.renew()
    assert (report.renewed, report.failed) == ((), ())
    assert record.name in report.skipped[0].why
    assert report.skipped[0].needs_you
    appliance.dns.set(record.name, "TXT", record.value)
    assert appliance.engine.renew().renewed == (NAME,)


def test_a_slow_zone_takes_no_time_from_the_ca(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """However long the name servers take, the CA has its own time to look: the challenge is not given up right after."""
    appliance.configure("\n[dns01]\ntimeout_seconds = 3600\n")
    appliance.dns.lags = dict.fromkeys(("192.0.2.53", "198.51.100.53"), 300)
    appliance.ca.pending_looks = 5
    assert issue(appliance, NAME).status.version == 1
    assert sum(appliance.clock.naps) > 600


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        (lambda value: value.replace("; policy=wildcard", ""), False),
        (lambda value: value.replace("ca.test;", "other.test;"), False),
        (lambda value: value + "; persistUntil=1", False),
        (lambda value: value + "; persistUntil=4000000000", True),
        (lambda value: value.replace("; ", " ;"), True),
        (lambda value: value.replace("account/", "account/9"), False),
    ],
)
def test_a_record_that_stands_there_is_read_before_it_is_believed(
    appliance: Appliance, change: object, is_good: bool
) -> None:
    """Account, CA, wildcard and end have to fit: else the right record is asked for instead of burning the challenge."""
    appliance.dns.zone(NAME, "192.0.2.53")
    appliance.ca.challenge_types = ["dns-01", "dns-persist-01"]
    request = IssueRequest(domains=(f"*.{NAME}",), challenge="dns-persist-01")
    pending = appliance.engine.issue(request)
    assert isinstance(pending, Pending)
    appliance.dns.set(pending.records[0].name, "TXT", change(pending.records[0].value))
    outcome = appliance.engine.complete(pending.name)
    assert isinstance(outcome, Issued) is is_good


def test_the_end_of_a_permission_is_watched(appliance: Appliance) -> None:
    """A permission with an end is warned of in time, at each renewal that uses it."""
    appliance.dns.zone(NAME, "192.0.2.53")
    appliance.ca.challenge_types = ["dns-01", "dns-persist-01"]
    pending = appliance.engine.issue(IssueRequest(domains=(NAME,), challenge="dns-persist-01"))
    assert isinstance(pending, Pending)
    ends = int(appliance.clock.now().timestamp()) + 120 * 86400
    (record,) = pending.records
    appliance.dns.set(record.name, "TXT", f"{record.value}; persistUntil={ends}")
    assert isinstance(appliance.engine.complete(NAME, report=appliance.told.append), Issued)
    assert appliance.of(Warned) == []
    appliance.clock.advance(days=65)
    assert appliance.engine.renew(report=appliance.told.append).renewed == (NAME,)
    (warned,) = appliance.of(Warned)
    assert isinstance(warned, Warned)
    assert (warned.code, "21 Mar 2027" in warned.what) == ("permission-ends", True)


def test_a_provider_sets_the_lasting_record_once(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """With a provider the record is made by itself and stays; a renewal writes nothing more."""
    appliance.ca.challenge_types = ["dns-01", "dns-persist-01"]
    issue(appliance, NAME, challenge="dns-persist-01")
    assert len(values_at(vendor, f"_validation-persist.{NAME}")) == 1
    assert kept_records(appliance.paths) == ()
    before = vendor.snapshot()
    appliance.clock.advance(days=70)
    vendor.asked.clear()
    assert appliance.engine.renew().renewed == (NAME,)
    assert vendor.snapshot() == before
    assert vendor.asked == []


def test_dns_account_01_has_a_name_of_its_own(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Two clients with accounts of their own do not meet at one name."""
    appliance.ca.challenge_types = ["dns-01", "dns-account-01"]
    appliance.ca.judge = lambda identifier, kind: None
    status = issue(appliance, NAME, challenge="dns-account-01").status
    assert status.method == "dns-account-01"
    (added,) = appliance.of(RecordAdded)
    assert isinstance(added, RecordAdded)
    assert added.name.startswith("_")
    assert added.name.endswith(f"._acme-challenge.{NAME}")


def test_a_challenge_that_the_ca_does_not_offer_is_said(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """The CA's own list of challenges stands in the error."""
    with pytest.raises(AuthorizationFailed) as caught:
        issue(appliance, NAME, challenge="dns-persist-01")
    assert "dns-01" in caught.value.why


def test_a_limit_of_the_ca_leaves_no_record(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """An order that does not come about writes nothing."""
    appliance.ca.fail("/new-order", problem("rateLimited", 429, "too many", headers={"retry-after": "86400"}))
    with pytest.raises(Exception, match="too many"):
        issue(appliance, NAME)
    assert not [asked for asked in vendor.asked if asked.method != "GET"]


class _BrokenRemoval:
    """A vendor whose removals fail."""

    def __init__(self, vendor: CloudflareVendor) -> None:
        self._vendor = vendor

    def request(self, method: str, url: str, **given: object) -> Response:
        body = given.get("body")
        if method == "DELETE" or (isinstance(body, bytes) and b'"deletes"' in body and b'"deletes":[]' not in body):
            raise TransportFailure("unreachable", "the line is cut")
        return self._vendor.request(method, url, **given)

    def close(self) -> None:
        pass


class _KeptVendor(CloudflareVendor):
    """A vendor that outlives the process that asks it: its zones lie in a file."""

    def __init__(self, shelf: Path) -> None:
        super().__init__("example.com")
        self._shelf = shelf
        self._save()

    def _save(self) -> None:
        self._shelf.write_bytes(pickle.dumps((self.zones, self.records)))

    def _load(self) -> None:
        self.zones, self.records = pickle.loads(self._shelf.read_bytes())  # noqa: S301

    def answer(self, asked: Asked) -> Response:
        self._load()
        said = super().answer(asked)
        self._save()
        return said

    def values_at(self, name: str, zone: str = "example.com") -> set[str]:
        self._load()
        return super().values_at(name, zone)

    def snapshot(self) -> object:
        self._load()
        return super().snapshot()
