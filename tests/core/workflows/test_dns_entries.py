"""DNS provider entries: settings in the configuration, secrets in the vault, tried the whole way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config.model import DnsProviderConfig
from core.errors import Cancelled, DnsProviderError, InUse, NotFound, UsageError
from core.events import ProviderTested, RecordRemoved, Warned
from core.operations import DnsTest, IssueRequest
from core.ports import CancelToken, TransportFailure
from core.store.dns_records import kept_records
from tests.support.appliance import Appliance
from tests.support.dns_box import ENTRY, SERVERS, dns_box, issue
from tests.support.vendors.cloudflare import TOKEN, CloudflareVendor

NAME = "example.com"
SECRET = {"api_token": TOKEN.encode()}


@pytest.fixture
def vendor(appliance: Appliance) -> CloudflareVendor:
    return dns_box(appliance)


def entry(name: str = "office", kind: str = "cloudflare", **given: object) -> DnsProviderConfig:
    return DnsProviderConfig(name=name, kind=kind, **{"zones": (NAME,), **given})


def everything_below(folder: Path) -> Iterator[bytes]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.read_bytes()


def steps_of(test: DnsTest) -> dict[str, str]:
    return {step.id: step.status for step in test.steps}


# -- kept and forgotten ------------------------------------------------------------------------------------------------


def test_settings_go_into_the_configuration_and_secrets_into_the_vault(appliance: Appliance) -> None:
    """An entry stands in `[dns_providers.NAME]`; its secret is nowhere in the clear (ST-23, ST-26, CC-04, SO-26)."""
    info = appliance.engine.add_dns_provider(
        entry(settings={"zone_id": "0" * 32}), SECRET, report=appliance.told.append
    )
    assert (info.zones, info.secrets, info.missing) == ((NAME,), {"api_token": True}, ())
    text = appliance.paths.config.read_text()
    assert '[dns_providers.office]\nkind = "cloudflare"' in text
    assert 'zone_id = "' in text
    assert not any(TOKEN.encode() in content for content in everything_below(appliance.paths.etc.parent))
    assert TOKEN not in repr(appliance.told)
    assert appliance.engine.dns_providers() == (info,)


def test_names_of_zones_are_tidied(appliance: Appliance) -> None:
    """A zone as people write it, with a dot, capitals or umlauts, is kept as the DNS has it, once."""
    info = appliance.engine.add_dns_provider(entry(zones=("Example.COM.", "example.com", "bücher.example")), SECRET)
    assert info.zones == ("example.com", "xn--bcher-kva.example")


def test_an_entry_is_not_overwritten_by_accident(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Another entry of the same name wants `--replace`; then secrets that are not given again stay."""
    with pytest.raises(UsageError) as caught:
        appliance.engine.add_dns_provider(entry(ENTRY), SECRET)
    assert caught.value.details["needs"] == "replace"
    info = appliance.engine.add_dns_provider(entry(ENTRY, zones=("example.com", "example.org")), {}, replace=True)
    assert info.zones == ("example.com", "example.org")
    assert info.secrets == {"api_token": True}
    issue(appliance, NAME)


def test_another_kind_takes_no_secret_of_the_old_one(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Where an entry changes its kind the secrets of the old one are forgotten."""
    appliance.engine.add_dns_provider(entry(ENTRY, "desec"), {"api_token": b"new"}, replace=True)
    assert [path.name for path in appliance.paths.vault.glob("dns*")] == ["dns%2Fcf%2Fapi_token.sealed"]
    with pytest.raises(UsageError):
        appliance.engine.add_dns_provider(entry(ENTRY), {}, replace=True)


@pytest.mark.parametrize(
    ("config", "secrets", "fields"),
    [
        (entry(), {}, {"api_token"}),
        (entry("../evil"), SECRET, {"name"}),
        (entry(zones=("not a zone",)), SECRET, {"zones"}),
        (entry(zones=("*.example.com",)), SECRET, {"zones"}),
        (entry(settings={"zone": "x"}), SECRET, {"zone"}),
        (entry(settings={"api_token": TOKEN}), {}, {"api_token"}),
        (entry(), {**SECRET, "password": b"x"}, {"password"}),
        (entry(), {"api_token": b"with\x00nul"}, {"api_token"}),
        (entry(settings={"endpoint": "http://x\x1b[31m"}), SECRET, {"endpoint"}),
        (entry(kind="hook", settings={"command": "/bin/true", "kind": "x", "zones": "y"}), {}, {"kind", "zones"}),
        (entry(settings={"endpoint": "nourl", "ca_bundle": "here.pem"}), SECRET, {"endpoint", "ca_bundle"}),
        (entry(delegations={"example.com": "no target!"}), SECRET, {"delegations"}),
    ],
)
def test_what_cannot_work_is_said_by_field_and_keeps_nothing(
    appliance: Appliance, config: DnsProviderConfig, secrets: dict[str, bytes], fields: set[str]
) -> None:
    """All that is wrong with an entry is said at once, without the value of a secret; nothing is written."""
    before = appliance.paths.config.read_bytes()
    assert set(appliance.engine.check_dns_provider(config, secrets)) == fields
    with pytest.raises(UsageError) as caught:
        appliance.engine.add_dns_provider(config, secrets)
    assert TOKEN not in str(caught.value) + json.dumps(dict(caught.value.details))
    assert appliance.paths.config.read_bytes() == before
    assert not list(appliance.paths.vault.glob("dns*"))


def test_an_unknown_kind_names_the_nearest(appliance: Appliance) -> None:
    """A typing error in the kind is answered with the one that was meant."""
    with pytest.raises(NotFound) as caught:
        appliance.engine.add_dns_provider(entry(kind="cloudfare"), SECRET)
    assert "cloudflare" in caught.value.why


def test_an_entry_in_use_stays(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """What a certificate renews with, or an open order waits for, is not removed."""
    issue(appliance, NAME)
    with pytest.raises(InUse) as caught:
        appliance.engine.remove_dns_provider(ENTRY)
    assert caught.value.details["lineages"] == [NAME]
    assert appliance.engine.status().lineages[0].dns == ENTRY
    appliance.engine.delete(NAME, force=True)
    appliance.engine.remove_dns_provider(ENTRY)
    assert appliance.engine.dns_providers() == ()
    assert not list(appliance.paths.vault.glob("dns*"))
    assert "dns_providers" not in appliance.paths.config.read_text()


def test_an_entry_that_is_not_there_is_said(appliance: Appliance) -> None:
    """Removing or testing an unknown entry is a plain error."""
    for act in (appliance.engine.remove_dns_provider, appliance.engine.test_dns_provider):
        with pytest.raises(NotFound):
            act("nobody")


def test_every_use_of_the_secret_is_in_the_history(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """The audit trail says when an entry's secret was opened (CC-30)."""
    issue(appliance, NAME)
    assert any(entry.facts.get("key") == f"dns/{ENTRY}/*" for entry in appliance.engine.log())


def test_all_kinds_of_the_contract_are_there(appliance: Appliance) -> None:
    """The table of the contract and ours agree: kinds, settings and secrets (ST-19 to ST-22, CC-03, SO-25)."""
    fields = {
        kind.name: ({f.key for f in kind.fields if not f.secret}, {f.key for f in kind.fields if f.secret})
        for kind in appliance.engine.dns_kinds()
    }
    contract = {
        "cloudflare": ({"zone_id"}, {"api_token"}),
        "route53": ({"access_key_id", "hosted_zone_id", "region"}, {"secret_access_key"}),
        "godaddy": (set(), {"api_key", "api_secret"}),
        "namecheap": ({"api_user", "client_ip"}, {"api_key"}),
        "aliyun": ({"access_key_id"}, {"access_key_secret"}),
        "dynu": ({"client_id"}, {"client_secret"}),
        "rfc2136": ({"server", "port", "tsig_name", "tsig_algorithm"}, {"tsig_secret"}),
        "acme-dns": ({"endpoint", "subdomain", "username"}, {"password"}),
        "hook": ({"command"}, set()),
    }
    for name, (settings, secrets) in contract.items():
        assert settings <= fields[name][0], name
        assert secrets <= fields[name][1], name
        if name not in ("rfc2136", "hook"):
            assert {"endpoint", "ca_bundle"} <= fields[name][0], name


# -- tried the whole way ----------------------------------------------------------------------------------------------


def test_a_good_entry_passes_every_step(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Credentials, zone, a random record, seen by every name server, removed: each step told with its time (ST-24)."""
    before = vendor.snapshot()
    test = appliance.engine.test_dns_provider(ENTRY, report=appliance.told.append)
    assert test.is_good
    assert [step.id for step in test.steps] == ["credentials", "zone", "write", "seen", "remove"]
    assert {one.address for one in test.servers} == set(SERVERS)
    assert test.record is not None
    assert test.record.name == f"_acme-challenge.{NAME}"
    assert vendor.snapshot() == before
    assert [event.step for event in appliance.of(ProviderTested) if isinstance(event, ProviderTested)] == list(
        steps_of(test)
    )
    assert kept_records(appliance.paths) == ()


def test_a_domain_can_be_chosen(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """The name that certificates are wanted for is tried; one outside the zones says which there are."""
    test = appliance.engine.test_dns_provider(ENTRY, domain="*.shop.example.com")
    assert test.is_good
    assert test.record is not None
    assert test.record.name == "_acme-challenge.shop.example.com"
    test = appliance.engine.test_dns_provider(ENTRY, domain="example.org")
    assert steps_of(test)["zone"] == "fail"
    assert "example.com" in test.steps[1].detail
    assert steps_of(test)["write"] == "skip"


def test_refused_credentials_say_what_to_mend(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A wrong token fails at the first step, with the page where it is made; the rest is skipped (CC-23)."""
    appliance.engine.add_dns_provider(entry(ENTRY), {"api_token": b"wrong-" + b"x" * 34}, replace=True)
    test = appliance.engine.test_dns_provider(ENTRY)
    assert not test.is_good
    assert steps_of(test) == {
        "credentials": "fail",
        "zone": "skip",
        "write": "skip",
        "seen": "skip",
        "remove": "skip",
    }
    assert "token" in test.steps[0].fix.lower()


def test_a_missing_permission_is_named(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """A token that may read but not write fails at the write, with the permission by its name (ST-19)."""
    vendor.may_edit = False
    test = appliance.engine.test_dns_provider(ENTRY, report=appliance.told.append)
    assert steps_of(test)["write"] == "fail"
    assert appliance.of(Warned) == []  # nothing was written, so nothing can have been left
    assert kept_records(appliance.paths) == ()
    step = next(step for step in test.steps if step.id == "write")
    assert "DNS" in step.detail + step.fix
    assert "Edit" in step.detail + step.fix


def test_a_record_that_nobody_sees_is_removed_all_the_same(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Seen fails with the servers that lack it, and the record goes."""
    before = vendor.snapshot()
    appliance.dns.sources.clear()
    test = appliance.engine.test_dns_provider(ENTRY, report=appliance.told.append)
    assert steps_of(test)["seen"] == "fail"
    assert steps_of(test)["remove"] == "pass"
    assert {one.state for one in test.servers} == {"lacks"}
    assert vendor.snapshot() == before
    assert appliance.of(RecordRemoved)


def test_a_provider_out_of_reach_is_said(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """No network is a step that fails, not an exception."""
    vendor.faults = [TransportFailure("unreachable", "The name of api.cloudflare.com does not resolve.")] * 50
    test = appliance.engine.test_dns_provider(ENTRY)
    assert steps_of(test)["credentials"] == "fail"
    assert "does not resolve" in test.steps[0].detail


def test_cancelling_a_test_leaves_nothing(appliance: Appliance, vendor: CloudflareVendor) -> None:
    """Whoever stops the test while the name servers are asked finds the zone as it was."""
    before = vendor.snapshot()
    cancel = CancelToken()
    appliance.dns.on_ask = lambda name, type, server: cancel.cancel() if type == "TXT" else None
    with pytest.raises(Cancelled):
        appliance.engine.test_dns_provider(ENTRY, cancel=cancel)
    assert vendor.snapshot() == before
    assert kept_records(appliance.paths) == ()


def test_without_a_zone_the_domain_has_to_be_said(appliance: Appliance) -> None:
    """An entry that names no zone does not guess which domain to try."""
    appliance.engine.add_dns_provider(entry(zones=()), SECRET)
    with pytest.raises(UsageError) as caught:
        appliance.engine.test_dns_provider("office")
    assert caught.value.details["needs"] == "domain"


def test_the_zone_is_found_in_the_providers_own_list(appliance: Appliance) -> None:
    """An entry without zones asks the provider which it has, and takes the closest."""
    vendor = dns_box(appliance, NAME, "sub.example.com")
    appliance.engine.add_dns_provider(entry(ENTRY, zones=()), {}, replace=True)
    before = vendor.snapshot()
    test = appliance.engine.test_dns_provider(ENTRY, domain="www.sub.example.com")
    assert test.is_good
    assert test.zone == "sub.example.com"
    issue(appliance, "www.sub.example.com")
    assert vendor.snapshot() == before
    with pytest.raises(DnsProviderError):
        appliance.engine.issue(IssueRequest(domains=("example.org",), dns=ENTRY))
