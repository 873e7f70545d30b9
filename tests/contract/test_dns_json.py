"""The JSON of DNS proofs, field by field: orders that wait, who has which record, provider entries and their tests (CC-32)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.support.command import command, process
from tests.support.fake_dns import VALUES, bad_test, open_order, provider_info, views
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import lineage

CONTRACT: Mapping[str, tuple[set[str], set[str]]] = {
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
"""The kinds: settings, secrets."""
WILD = ("*.example.com", "example.com")


def waiting() -> FakeEngine:
    """Make an engine with a first order by hand, whose records one of two servers has."""
    engine = FakeEngine(())
    engine.orders = {"wild": open_order("wild", *WILD)}
    engine.looks = [views("has", "lacks", of=engine.orders["wild"].records, written_at="wild.proofs.example.net")]
    return engine


def check_records(found: list[dict[str, Any]]) -> None:
    """Fail unless records are as the contract says."""
    assert found
    for record in found:
        assert list(record) == ["name", "type", "value"]
        assert all(isinstance(each, str) for each in record.values())


@pytest.mark.parametrize("argv", [("issue", "-d", *WILD, "--name", "wild", "--manual"), ("complete", "wild")])
def test_an_order_that_waits(argv: tuple[str, ...]) -> None:
    """`issue` and `complete` have the same shape while records are missing: name, state, records, no certificate, expiry."""
    engine = waiting()
    engine.pending = True
    answer = command(*argv, "--json", engine=engine)
    assert answer.status == 3
    assert list(answer.json)[:5] == ["name", "state", "records", "certificate", "expires"]
    assert (answer.json["name"], answer.json["state"], answer.json["certificate"]) == ("wild", "pending", None)
    assert [each["value"] for each in answer.json["records"]] == list(VALUES)
    assert {each["name"] for each in answer.json["records"]} == {"_acme-challenge.example.com"}
    check_records(answer.json["records"])


def test_who_has_which_record() -> None:
    """`complete --json` says of each record where it has to stand, and what every name server says of it."""
    found = command("complete", "wild", "--json", engine=waiting()).json["seen"]
    assert [each["value"] for each in found] == list(VALUES)
    assert found[0] == {
        "name": "_acme-challenge.example.com",
        "value": VALUES[0],
        "written_at": "wild.proofs.example.net",
        "zone": "example.com",
        "seen": False,
        "problem": "",
        "servers": [
            {"server": "ns1.example.com", "address": "192.0.2.1", "state": "has", "milliseconds": 11},
            {"server": "ns2.example.com", "address": "2001:db8::2", "state": "lacks", "milliseconds": 22},
        ],
    }


def test_status_has_open_orders() -> None:
    """`status --json` shows an order that waits, also of a lineage that does not exist yet, with its records and its end."""
    found = command("status", "--json", engine=waiting()).json
    assert found["certificates"] == []
    assert found["open_orders"] == [
        {
            "name": "wild",
            "issuer": "letsencrypt",
            "challenge": "dns-01",
            "domains": list(WILD),
            "by_hand": True,
            "records": [{"name": "_acme-challenge.example.com", "type": "TXT", "value": value} for value in VALUES],
            "created": "2026-11-21T02:02:00Z",
            "expires": "2026-11-28T02:02:00Z",
        }
    ]
    assert command("status", "wild", "--json", engine=waiting()).json["open_orders"] == found["open_orders"]


def test_status_of_one_has_its_order_alone() -> None:
    """`status NAME --json` has no other lineage's order, and without any the key is not there."""
    engine = FakeEngine([lineage("shop"), lineage("wild", *WILD, method="manual-dns-01", open_order=True)])
    assert "open_orders" not in command("status", "shop", "--json", engine=engine).json
    found = command("status", "wild", "--json", engine=engine).json
    assert [each["name"] for each in found["open_orders"]] == ["wild"]
    assert [(each["method"], each["open_order"]) for each in found["certificates"]] == [("manual-dns-01", True)]
    assert command("status", "wlid", "--json", engine=engine).error["code"] == "not-found"


@pytest.mark.parametrize(
    "argv",
    [
        ["dns", "list"],
        ["dns", "kinds"],
        ["dns", "kinds", "rfc2136"],
        ["dns", "add", "own", "--kind", "hook", "--set", "command=/bin/true"],
        ["dns", "test", "cf"],
        ["dns", "remove", "cf"],
        ["complete", "wild", "--give-up"],
    ],
    ids=lambda argv: "-".join(word.strip("-") for word in argv[:3]),
)
def test_every_command_has_json(argv: list[str], golden_json: SnapshotAssertion) -> None:
    """Every command of DNS proofs answers with one JSON object, and these are its fields."""
    engine = waiting()
    engine.known_providers = (provider_info("cf"),)
    assert command(*argv, "--json", engine=engine).json == golden_json


def test_a_failed_test_is_a_result() -> None:
    """A connection test that fails is an answer with `ok` false and the step that failed, not an error."""
    engine = FakeEngine()
    engine.known_providers = (provider_info("cf"),)
    engine.dns_test = bad_test()
    answer = command("dns", "test", "cf", "--json", engine=engine)
    assert "error" not in answer.json
    assert [each["status"] for each in answer.json["steps"]] == ["pass", "pass", "fail", "skip", "skip"]
    assert answer.json["steps"][2]["fix"]


def test_no_secret_in_any_answer() -> None:
    """Entries and kinds show which secrets there are, never a value; stdout is one object and stderr empty."""
    engine = FakeEngine()
    engine.known_providers = (provider_info("cf", secrets={"api_token": True}),)
    answer = command("dns", "list", "--json", engine=engine)
    assert answer.err == ""
    assert answer.json["providers"][0]["secrets"] == {"api_token": True}


def test_the_contract_s_kinds_are_there(home: Path) -> None:
    """`dns kinds` has every kind with its settings and its secrets, and HTTP kinds an endpoint."""
    answer = process("dns", "kinds", "--json", home=home)
    assert (answer.status, answer.err) == (0, ""), answer.out
    found = {each["name"]: each["fields"] for each in answer.json["kinds"]}
    for name, (settings, secrets) in CONTRACT.items():
        fields = {field["key"]: field["secret"] for field in found[name]}
        assert {key for key, is_secret in fields.items() if is_secret} == secrets, name
        assert settings <= set(fields) - secrets, name
        if name not in ("rfc2136", "hook"):
            assert {"endpoint", "ca_bundle"} <= set(fields), name
    assert process("dns", "--json", home=home).json == {"providers": []}
    assert process("dns", "test", "cf", "--json", home=home).error["code"] == "not-found"
