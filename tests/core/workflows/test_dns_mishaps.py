"""Providers that fail in every way, and entries that somebody has broken: the others go on, and nobody waits for long."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from core.config.model import DnsProviderConfig
from core.dns.provider_pool import LAST_SECONDS, DeadlineToken
from core.errors import Cancelled, DnsProviderError, UsageError
from core.events import RecordAdded, Warned
from core.operations import IssueRequest
from core.ports import CancelToken, Response, TransportFailure
from core.store.dns_records import MadeRecords, keep_records, kept_records
from core.store.vault import Vault
from tests.support.appliance import Appliance
from tests.support.clock import FakeClock
from tests.support.dns_box import ENTRY, HOST, dns_box, issue, values_at
from tests.support.vendors.cloudflare import TOKEN, CloudflareVendor

NAME = "example.com"
TXT = f"_acme-challenge.{NAME}"


@pytest.fixture
def vendor(appliance: Appliance) -> CloudflareVendor:
    return dns_box(appliance)


class Far:
    """A vendor that is not reached; counts how often it was tried."""

    def __init__(self) -> None:
        self.tried = 0

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: float = 30.0,
        cancel: CancelToken | None = None,
    ) -> Response:
        self.tried += 1
        raise TransportFailure("unreachable", "The network is unreachable.")

    def close(self) -> None:
        """Be a `Transport`."""


class Broken(Far):
    """A vendor whose answer makes the adapter fail in a way that nobody has foreseen."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: float = 30.0,
        cancel: CancelToken | None = None,
    ) -> Response:
        raise KeyError(headers["Authorization"])


def leave_behind(box: Appliance, count: int) -> None:
    """Be as many runs that were killed while their records stood."""
    for number in range(count):
        made = MadeRecords(
            lineage="",
            created=box.clock.now(),
            records=((ENTRY, NAME, TXT, f"value-{number}"), (ENTRY, NAME, TXT, "b")),
        )
        keep_records(box.paths, f"{number:016x}", made)


def test_an_entry_of_an_unknown_kind_stops_no_other(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A typing error in one entry's kind, made by hand, is no reason why the zones of another cannot be proven."""
    appliance.configure('\n[dns_providers.typo]\nkind = "cloudfare"\nzones = ["example.com"]\n')
    assert issue(appliance, NAME).status.method == "dns-01"


def test_a_provider_out_of_reach_is_waited_for_once(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """What killed runs have left of a provider that does not answer holds up every later run once, not once for each record."""
    leave_behind(appliance, 6)
    far = appliance.vendors[HOST] = Far()
    appliance.engine.issue(IssueRequest(domains=("box.lan",), issuer="appliance-ca"), report=appliance.told.append)
    assert far.tried == 5  # one request with its repetitions
    assert len(appliance.of(Warned)) == 1
    assert len(kept_records(appliance.paths)) == 6
    appliance.vendors[HOST] = vendor
    appliance.engine.renew()
    assert kept_records(appliance.paths) == ()


def test_cleaning_up_after_others_stops_when_told_to(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Whoever cancels while left records are removed gets the prompt back; the records stay written down."""
    leave_behind(appliance, 3)
    cancel = CancelToken()

    class Cancelling(Far):
        def request(self, *args: object, **given: object) -> Response:
            cancel.cancel()
            return super().request("", "", headers={})

    far = appliance.vendors[HOST] = Cancelling()
    with pytest.raises(Cancelled):
        appliance.engine.issue(IssueRequest(domains=("box.lan",), issuer="appliance-ca"), cancel=cancel)
    assert far.tried == 1
    assert len(kept_records(appliance.paths)) == 3


def test_a_cancel_in_the_middle_of_a_removal_still_removes(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Whoever cancels in the very moment in which the record is removed does not leave it there."""
    cancel = CancelToken()

    class Cancelling(Far):
        def request(self, *args: object, **given: object) -> Response:
            cancel.cancel()
            appliance.vendors[HOST] = vendor
            return super().request("", "", headers={})

    def on_ask(name: str, type: str, server: str | None) -> None:
        if type == "TXT" and values_at(vendor, TXT):
            appliance.vendors[HOST] = Cancelling()

    before = vendor.snapshot()
    appliance.dns.on_ask = on_ask
    appliance.engine.test_dns_provider(ENTRY, cancel=cancel)
    assert vendor.snapshot() == before
    assert kept_records(appliance.paths) == ()


def test_the_last_try_after_a_cancel_ends_by_itself() -> None:
    """Cleaning up for somebody who has cancelled is bounded: they wait for it."""
    clock = FakeClock()
    last = DeadlineToken(clock)
    last.check()
    clock.advance(seconds=LAST_SECONDS - 1)
    assert not last.is_cancelled
    clock.advance(seconds=1)
    assert last.is_cancelled
    with pytest.raises(Cancelled):
        last.check()
    with pytest.raises(Cancelled):
        last.wait(1000)


def test_an_adapter_that_breaks_is_the_failure_of_its_entry(
    appliance: Appliance, vendor: CloudflareVendor, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer that no adapter foresees fails its own order in words, stops no other lineage, and repeats no secret."""
    issue(appliance, NAME, name="mine")
    leave_behind(appliance, 1)
    appliance.vendors[HOST] = Broken()
    with caplog.at_level(logging.DEBUG), pytest.raises(DnsProviderError, match="cannot process") as caught:
        issue(appliance, NAME, name="mine", force=True)
    assert caught.value.details["reason"] == "refused"
    assert TOKEN not in caplog.text + repr(appliance.events) + caught.value.what + caught.value.why
    test = appliance.engine.test_dns_provider(ENTRY)
    assert next(step.status for step in test.steps) == "fail"
    appliance.engine.issue(IssueRequest(domains=("box.lan",), issuer="appliance-ca"))
    appliance.clock.advance(days=70)
    report = appliance.engine.renew()
    assert report.renewed == ("box.lan",)
    assert [(failed.name, failed.error.code) for failed in report.failed] == [("mine", "dns-provider-error")]


def test_an_account_with_many_zones_does_not_fill_the_screen(appliance: Appliance) -> None:
    """An error names some of the zones and how many more there are, and what a provider says in them is no terminal code."""
    many = [f"zone-{number}.example.org" for number in range(60)]
    dns_box(appliance, *many)
    appliance.engine.add_dns_provider(
        DnsProviderConfig(name=ENTRY, kind="cloudflare", zones=()), {"api_token": TOKEN.encode()}, replace=True
    )
    with pytest.raises(DnsProviderError) as caught:
        issue(appliance, "www.example.net")
    assert caught.value.details["reason"] == "zone"
    assert "and 55 more" in caught.value.why
    assert len(caught.value.why) < 400
    assert appliance.of(RecordAdded) == []


def test_a_delegation_is_kept_as_the_dns_has_it(appliance: Appliance) -> None:
    """Umlauts in a delegation are taken, as they are in a zone."""
    appliance.engine.add_dns_provider(
        DnsProviderConfig(name=ENTRY, kind="cloudflare", delegations={"Bücher.example.com": "bücher.example.net."}),
        {"api_token": TOKEN.encode()},
    )
    (entry,) = appliance.engine.dns_providers()
    assert entry.delegations == {"xn--bcher-kva.example.com": "xn--bcher-kva.example.net"}


def test_a_new_entry_takes_no_secrets_of_one_that_was_taken_out_by_hand(
    appliance: Appliance, vendor: CloudflareVendor
) -> None:
    """Secrets of an entry that somebody has cut out of the configuration do not go to the program that takes its name."""
    text = appliance.paths.config.read_text()
    appliance.paths.config.write_text(text[: text.index("[dns_providers")])
    appliance.engine.add_dns_provider(
        DnsProviderConfig(name=ENTRY, kind="hook", settings={"command": "/usr/bin/true"}), {}
    )
    assert Vault(appliance.paths, appliance.engine.env).names() == ()


def test_settings_that_were_broken_by_hand_are_said_by_the_test(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """An unknown key, or a value that cannot be, in an entry that somebody has edited: named by the first step."""
    appliance.configure('zoneid = "0a1b"\n')
    (first, *_) = appliance.engine.test_dns_provider(ENTRY).steps
    assert first.status == "fail"
    assert "zoneid" in first.detail


def test_a_test_that_failed_is_logged_as_failed(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """The log has a failed connection test as failed, with the step's words and what to do; a good one as done."""
    appliance.engine.test_dns_provider(ENTRY)
    appliance.configure('zoneid = "0a1b"\n')
    appliance.engine.test_dns_provider(ENTRY)
    ends = [entry.facts["outcome"] for entry in appliance.engine.log() if entry.kind == "run-finished"]
    assert ends[:2] == ["failed", "done"]
    failed = next(entry for entry in appliance.engine.log() if entry.kind == "failed")
    assert failed.facts["code"] == "dns-test-failed"
    assert str(failed.facts["what"]).startswith(f"The test of the DNS provider {ENTRY} failed.")
    assert "zoneid" in str(failed.facts["what"])
    assert failed.facts["fix"]


def test_a_secret_in_the_configuration_is_not_shown(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Somebody has written the secret beside the settings: no list, and no page of the console, repeats it."""
    appliance.configure('api_token = "not-for-anybody"\n')
    assert "not-for-anybody" not in repr(appliance.engine.dns_providers())
    assert "not-for-anybody" not in repr(appliance.engine.test_dns_provider(ENTRY, report=appliance.told.append))
    assert "not-for-anybody" not in repr(appliance.events)


def test_an_entry_that_cannot_be_opened_has_made_nothing(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Where a secret is lost no record was made: none is said to be left, and none is looked for at every run for a month."""
    Vault(appliance.paths, appliance.engine.env).delete(f"dns/{ENTRY}/api_token")
    with pytest.raises(UsageError):
        issue(appliance, NAME)
    assert kept_records(appliance.paths) == ()
    assert not [event for event in appliance.of(Warned) if getattr(event, "code", "") == "records-left"]


def test_doctor_looks_where_the_configuration_says(appliance: Appliance) -> None:
    """A delegation that cannot be seen from here is followed by the look before the order, too."""
    dns_box(appliance, NAME, "delegated.example.net")
    issue(appliance, NAME)
    entry = appliance.engine.config().dns_providers[ENTRY]
    appliance.engine.add_dns_provider(replace(entry, delegations={NAME: "box.delegated.example.net"}), {}, replace=True)
    (zone,) = [each for each in appliance.engine.doctor(name=NAME) if each.id == "dns-zone"]
    assert "box.delegated.example.net is in the zone delegated.example.net" in zone.detail


@pytest.mark.parametrize(
    ("settings", "secrets", "key"),
    [
        ({"a-b": "c"}, {}, "a-b"),
        ({"V": "a\x1b[31m"}, {}, "V"),
        ({"V": "a\nb"}, {}, "V"),
        ({}, {"1A": b"x"}, "1A"),
        ({}, {"A": b"a\x00b"}, "A"),
        ({"zone": "x"}, {"PEM": b"-----BEGIN-----\nabc\n-----END-----"}, None),
    ],
)
def test_what_no_program_can_be_given_is_said_at_once(
    appliance: Appliance, settings: dict[str, str], secrets: dict[str, bytes], key: str | None
) -> None:
    """A name or a value that cannot stand in an environment is refused with the entry, not at night with the order."""
    config = DnsProviderConfig(name="h", kind="hook", settings={"command": "/usr/bin/true", **settings})
    assert set(appliance.engine.check_dns_provider(config, secrets)) == ({key} if key else set())


@pytest.mark.parametrize("domain", ["192.0.2.1", "2001:db8::1"])
def test_an_address_has_no_records_to_test(appliance: Appliance, vendor: CloudflareVendor, domain: str) -> None:
    """Asking for a test with an address is answered before anything is asked of the provider; no zone is called like one."""
    asked = len(vendor.asked)
    with pytest.raises(UsageError, match="through DNS"):
        appliance.engine.test_dns_provider(ENTRY, domain=domain)
    assert len(vendor.asked) == asked
    config = DnsProviderConfig(name="h", kind="hook", settings={"command": "/usr/bin/true"}, zones=(domain,))
    assert set(appliance.engine.check_dns_provider(config, {})) == {"zones"}


def test_a_login_page_is_no_provider(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """What answers in place of the interface fails the first step of the test; it is not taken for one that lists no zones."""
    vendor.faults = [Response(status=200, headers={}, body=b"<html>Please sign in</html>")] * 9
    (first, *_) = appliance.engine.test_dns_provider(ENTRY).steps
    assert (first.id, first.status) == ("credentials", "fail")
    assert "not the API" in first.detail


def test_a_provider_cannot_put_off_a_renewal_for_years(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A Retry-After that is nonsense, or a wish for next year, delays the next try by a day at most."""
    issue(appliance, NAME)
    appliance.clock.advance(days=70)
    vendor.faults = [Response(status=429, headers={"retry-after": "999999999"}, body=b"")] * 9
    (failed,) = appliance.engine.renew().failed
    assert failed.error.details["reason"] == "rate-limited"
    vendor.faults = []
    appliance.clock.advance(days=1, minutes=1)
    assert appliance.engine.renew().renewed == (NAME,)


def test_one_failure_of_many_records_is_told_once(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Records of six dead runs at a provider that refuses for one reason: one warning, not six."""
    leave_behind(appliance, 6)
    vendor.faults = [Response(status=200, headers={}, body=b"<html>Please sign in</html>")] * 99
    appliance.engine.issue(IssueRequest(domains=("box.lan",), issuer="appliance-ca"), report=appliance.told.append)
    assert len(appliance.of(Warned)) == 1
    assert len(kept_records(appliance.paths)) == 6


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://[",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:x",
        "http://127.0.0.1:0",
        "http://a b",
        "https://u:p@host",
    ],
)
def test_an_endpoint_that_is_no_address_is_said_at_once(appliance: Appliance, endpoint: str) -> None:
    """Half an address, a port that does not exist, or a password in it: refused by its field, before anything is kept."""
    config = DnsProviderConfig(name=ENTRY, kind="cloudflare", settings={"endpoint": endpoint})
    assert set(appliance.engine.check_dns_provider(config, {"api_token": TOKEN.encode()})) == {"endpoint"}
