"""The JSON that scripts read, field by field (CC-32)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from syrupy.assertion import SnapshotAssertion

from core.errors import ConfigError, RateLimited
from core.lineage_status import TargetState
from core.operations import Issued
from core.renewal_report import FailedLineage, RenewalReport, Skipped
from core.version import VERSION
from tests.support.command import command, process
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW, lineage, seven, without_certificate

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

CERTIFICATE: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "domains": (list,),
    "subject": (str,),
    "issuer": (str,),
    "serial": (str,),
    "not_before": (str, type(None)),
    "not_after": (str, type(None)),
    "days_left": (int, type(None)),
    "severity": (str,),
    "self_signed": (bool,),
    "chain": (bool,),
    "sha256": (str,),
    "key_type": (str,),
    "method": (str,),
    "ca": (str, type(None)),
    "auto_renew": (bool,),
    "renew_at": (str, type(None)),
    "last_error": (dict, type(None)),
    "targets": (list,),
}
"""The fields, in their order. Null where there is no certificate yet."""

TARGET: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "state": (str,),
    "served_sha256": (str, type(None)),
    "listeners": (list,),
}


def check_certificate(certificate: dict[str, Any]) -> None:
    """Fail unless a certificate is as the contract says."""
    assert list(certificate)[: len(CERTIFICATE)] == list(CERTIFICATE)
    for name, types in CERTIFICATE.items():
        assert type(certificate[name]) in types, name
    for name in ("not_before", "not_after", "renew_at"):
        assert certificate[name] is None or TIME.fullmatch(certificate[name]), name
    assert certificate["severity"] in ("green", "yellow", "red")
    assert re.fullmatch(r"[0-9a-fA-F]*", certificate["serial"])
    assert re.fullmatch(r"([0-9A-F]{2}(:[0-9A-F]{2}){31})?", certificate["sha256"])
    for target in certificate["targets"]:
        assert list(target)[: len(TARGET)] == list(TARGET)
        assert all(type(target[name]) in types for name, types in TARGET.items())
        assert target["state"] in ("deployed", "stale", "failed", "unknown")


# -- status ------------------------------------------------------------------------------------------------------------


def test_status(golden_json: SnapshotAssertion) -> None:
    """`status --json` of the seven certificates, every field of each (ST-42 to ST-49)."""
    answer = command("status", "--json")
    assert (answer.status, answer.err) == (0, "")
    found = answer.json
    assert list(found)[:3] == ["version", "time", "certificates"]
    assert found["version"] == VERSION
    assert found["time"] == "2026-11-21T04:02:00Z"
    assert [certificate["name"] for certificate in found["certificates"]] == [each.name for each in seven()]
    for certificate in found["certificates"]:
        check_certificate(certificate)
    assert {**found, "version": "…"} == golden_json


def test_status_of_one() -> None:
    """`status NAME --json` is the same object with that certificate alone."""
    found = command("status", "shop", "--json").json
    assert [certificate["name"] for certificate in found["certificates"]] == ["shop"]


def test_status_of_nothing() -> None:
    """A box without certificates has an empty list, not an error."""
    assert command("status", "--json", engine=FakeEngine(())).json["certificates"] == []


def test_status_without_a_certificate() -> None:
    """A lineage that was written by hand and not issued yet has nulls and empty words, and no invented values."""
    found = command("status", "--json", engine=FakeEngine([without_certificate("new")])).json["certificates"][0]
    check_certificate(found)
    assert [found[name] for name in ("not_before", "not_after", "days_left", "renew_at", "sha256", "severity")] == [
        *[None] * 4,
        "",
        "red",
    ]


def test_status_names_broken_files_beside_the_rest() -> None:
    """A lineage file that cannot be read stands in `problems`, as an error, beside the certificates that can."""
    engine = FakeEngine()
    engine.problems = (ConfigError("mail.toml is broken.", "Line 3.", "Mend it.", lineage="mail"),)
    answer = command("status", "--json", engine=engine)
    assert answer.status == 0
    assert len(answer.json["certificates"]) == 7
    assert [(each["code"], each["lineage"]) for each in answer.json["problems"]] == [("config-invalid", "mail")]
    assert "problems" not in command("status", "--json").json


def test_times_are_utc_to_the_second() -> None:
    """Every time is RFC 3339 in UTC with `Z` and whole seconds, whatever zone and fraction the value had."""
    odd = datetime(2026, 12, 24, 1, 30, 59, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    engine = FakeEngine([lineage("shop", not_after=odd)])
    assert command("status", "--json", engine=engine).json["certificates"][0]["not_after"] == "2026-12-23T20:00:59Z"


# -- renew -------------------------------------------------------------------------------------------------------------


def limited() -> RateLimited:
    return RateLimited(
        "The CA has had enough for now.",
        "too many certificates",
        "Wait.",
        lineage="shop",
        retry_at=datetime(2026, 11, 22, tzinfo=UTC),
        details={"type": "urn:ietf:params:acme:error:rateLimited", "status": 429},
    )


@pytest.mark.parametrize("words", ["--renew", "renew"])
def test_renew(words: str) -> None:
    """`--renew --json` lists the renewed, the skipped with their reasons, and the failed with their errors."""
    engine = FakeEngine()
    engine.renewal = RenewalReport(
        renewed=("api", "mail"),
        skipped=(Skipped(name="wild", why="not due before 1 Jan 2027", renew_at=NOW),),
        failed=(FailedLineage(name="shop", error=limited()),),
    )
    answer = command(words, "--json", engine=engine)
    assert answer.status == 1
    assert answer.json == {
        "renewed": ["api", "mail"],
        "skipped": [{"name": "wild", "why": "not due before 1 Jan 2027"}],
        "failed": [
            {
                "name": "shop",
                "error": {
                    "code": "rate-limited",
                    "what": "The CA has had enough for now.",
                    "why": "too many certificates",
                    "fix": "Wait.",
                    "lineage": "shop",
                    "retry_at": "2026-11-22T00:00:00Z",
                    "details": {"type": "urn:ietf:params:acme:error:rateLimited", "status": 429},
                },
            }
        ],
    }


@pytest.mark.parametrize(
    "argv",
    [
        ["--renew", "--force", "--json"],
        ["--json", "--renew", "--force"],
        ["--force", "--renew", "--json"],
        ["renew", "--json", "--force"],
        ["--renew", "shop", "--force", "--json"],
    ],
    ids=" ".join,
)
def test_renew_in_every_order(argv: list[str]) -> None:
    """`--renew` may stand before, between and behind its other options."""
    engine = FakeEngine()
    answer = command(*argv, engine=engine)
    assert answer.status == 0
    assert list(answer.json) == ["renewed", "skipped", "failed"]
    (called,) = [arguments for method, arguments in engine.calls if method == "renew"]
    assert called == {"names": ("shop",) if "shop" in argv else (), "force": True, "dry_run": False}


def test_renew_dry_run() -> None:
    """With --dry-run there is also what would be renewed."""
    answer = command("--renew", "--force", "--dry-run", "--json").json
    assert list(answer) == ["renewed", "skipped", "failed", "due"]
    assert (answer["renewed"], "shop" in answer["due"]) == ([], True)


def test_progress_stays_off_stdout() -> None:
    """What an operation tells while it runs goes to stderr, so that stdout is one object."""
    answer = command("--renew", "--force", "--json")
    assert answer.json["renewed"]
    assert "Order placed" in answer.err


# -- issue and the rest ------------------------------------------------------------------------------------------------


def test_issue() -> None:
    """`issue --json`: name, state `issued`, no records, and the certificate as in `status`."""
    engine = FakeEngine()
    found = command("issue", "-d", "new.example.com", "--target", "nginx", "--json", engine=engine).json
    assert list(found)[:4] == ["name", "state", "records", "certificate"]
    assert (found["name"], found["state"], found["records"]) == ("new.example.com", "issued", [])
    check_certificate(found["certificate"])
    in_status = command("status", "new.example.com", "--json", engine=engine).json["certificates"]
    assert [found["certificate"]] == in_status


@pytest.mark.parametrize("argv", [["issue", "-d", "a.example.com", "--manual"], ["complete", "mail"]], ids=" ".join)
def test_pending(argv: list[str]) -> None:
    """An order that waits for a person is state `pending`, with the records to set and no certificate."""
    engine = FakeEngine()
    engine.pending = True
    found = command(*argv, "--json", engine=engine).json
    assert (found["state"], found["certificate"]) == ("pending", None)
    assert found["records"]
    for record in found["records"]:
        assert list(record) == ["name", "type", "value"]
        assert record["name"].startswith("_acme-challenge.")
        assert record["type"] == "TXT"


@pytest.mark.parametrize("rehearsed", [False, True])
def test_a_rehearsal_is_told_from_the_real_thing(rehearsed: bool) -> None:
    """A script can tell a certificate of the staging directory, which is not kept, from one that is."""
    found = command("issue", "-d", "a.example.com", *(["--staging"] if rehearsed else []), "--json").json
    assert found.get("rehearsed_only", False) is rehearsed


def test_a_reused_certificate_is_told() -> None:
    """A script can tell that no order was spent."""

    class Reusing(FakeEngine):
        def issue(self, *arguments: Any, **named: Any) -> Any:
            outcome = super().issue(*arguments, **named)
            return replace(outcome, reused=True) if isinstance(outcome, Issued) else outcome

    assert command("issue", "-d", "a.example.com", "--json", engine=Reusing()).json["reused"] is True


def _words(argv: list[str]) -> str:
    return "-".join(word.strip("-") for word in argv[:2])


OTHERS = [
    ["first-boot"],
    ["deploy", "mail"],
    ["rollback", "mail"],
    ["export", "mail", "--format", "pem", "--out", "mail.pem"],
    ["delete", "mail", "--yes"],
    ["revoke", "mail", "--yes"],
    ["set", "mail", "--auto-renew", "off"],
    ["doctor"],
    ["doctor", "--listen", "--seconds", "1"],
    ["log"],
    ["log", "--verify"],
    ["issuer", "list"],
    ["issuer", "add", "ca", "--directory", "https://ca.example/dir"],
    ["issuer", "remove", "ca"],
    ["issuer", "default", "zerossl"],
    ["issuer", "agree", "zerossl"],
    ["issuer", "test", "letsencrypt"],
    ["issuer", "root"],
    ["account", "list"],
    ["target", "list"],
    ["target", "add", "web", "--kind", "files", "--certificate", "/c", "--key", "/k"],
    ["target", "test", "nginx"],
    ["target", "remove", "nginx"],
    ["vault", "rotate"],
    ["vault", "move", "--to", "passphrase"],
    ["vault", "move", "--to", "credential", "--out", "/root/certdeck.key"],
]


@pytest.mark.parametrize("argv", OTHERS, ids=_words)
def test_every_command_has_json(argv: list[str], golden_json: SnapshotAssertion) -> None:
    """Every command answers with one JSON object, and these are its fields."""
    assert command(*argv, "--json").json == golden_json


def test_hostile_text_is_data() -> None:
    """What a certificate or a CA says comes back unchanged, and stdout holds nothing that a terminal obeys."""
    nasty = '\x1b]0;owned\x07\u202egnp.exe\x9b31m\r\n"}{\\\u2028'
    engine = FakeEngine(
        [
            lineage(
                "shop",
                subject=nasty,
                issuer=nasty,
                last_error={"code": "acme-problem", "what": nasty, "why": "", "fix": "", "at": "2026-11-21T03:00:04Z"},
                targets=(TargetState(name="nginx", state="failed", why=nasty),),
            )
        ]
    )
    answer = command("status", "--json", engine=engine)
    found = answer.json["certificates"][0]
    assert (found["subject"], found["last_error"]["what"]) == (nasty, nasty)
    assert answer.out.isascii()
    assert answer.out.removesuffix("\n").replace("\n", "").isprintable()


def test_the_real_engine_keeps_it_too(home: Path) -> None:
    """First boot, an issuance from the private CA, status and --renew over a real folder give the same shapes."""
    assert process("status", "--json", home=home).json["certificates"] == []
    first = process("first-boot", "--hostname", "box.example.com", "--json", home=home)
    assert first.status == 0, first.out
    issued = process(
        *("issue", "-d", "a.example.com", "--name", "shop", "--issuer", "appliance-ca", "--json"), home=home
    )
    assert issued.status == 0, issued.out
    check_certificate(issued.json["certificate"])
    found = process("status", "--json", home=home).json["certificates"]
    assert [(each["name"], each["method"], each["self_signed"]) for each in found] == [
        ("default", "self-signed", True),
        ("shop", "private-ca", False),
    ]
    for certificate in found:
        check_certificate(certificate)
    renewed = process("--renew", "--json", home=home)
    assert (renewed.status, [each["name"] for each in renewed.json["skipped"]]) == (0, ["default", "shop"])
    forced = process("--renew", "shop", "--force", "--json", home=home)
    assert (forced.status, forced.json["renewed"]) == (0, ["shop"])
    unknown = process("status", "shpo", "--json", home=home)
    assert (unknown.status, unknown.error["code"]) == (1, "not-found")


def test_usage_errors_of_a_process_are_json(home: Path) -> None:
    """A process that cannot understand its arguments still prints one object on stdout and nothing else."""
    answer = process("--json", "sttus", home=home)
    assert (answer.status, answer.err) == (2, "")
    assert "status" in answer.error["why"] + answer.error["fix"]
    assert json.loads(answer.out) == answer.json
