"""Exit statuses are what timers and monitoring branch on."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core import errors
from core.errors import CertdeckError, ConfigError, LockHeld, StoreCorrupt, UsageError
from core.identifiers import BadIdentifier, BadLineageName
from core.lineage_status import LineageStatus, Status, TargetState, TimerState
from core.operations import Finding
from core.renewal_report import FailedLineage, RenewalReport, Skipped
from core.summary import Unlisted
from tests.support.command import command, process
from tests.support.fake_dns import bad_test, open_order, provider_info, views
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import lineage, seven, without_certificate

DONE, FAILED, USAGE, PENDING, LOCKED = 0, 1, 2, 3, 4

ERRORS = [
    *(
        each
        for _, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, CertdeckError) and each.__module__ == "core.errors"
    ),
    BadIdentifier,
    BadLineageName,
]


def made(error: type[CertdeckError]) -> CertdeckError:
    """Make an error with everything that one can carry."""
    return error(
        "Nothing was deployed.",
        "The service refused it.",
        "Mend the service and run it again.",
        lineage="mail",
        retry_at=datetime(2026, 11, 21, 5, 6, 7, 890_000, tzinfo=UTC),
        details={"target": "nginx", "at": datetime(2026, 11, 21, tzinfo=UTC), "problems": ("one", "two")},
    )


def expected(error: type[CertdeckError]) -> int:
    """Return what the contract says."""
    if issubclass(error, UsageError):
        return USAGE
    return LOCKED if issubclass(error, LockHeld) else FAILED


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_its_status(error: type[CertdeckError]) -> None:
    """2 for what the caller got wrong, 4 for the lock, 1 for everything else; what, why and fix on stderr, nothing on stdout."""
    engine = FakeEngine()
    engine.fails["deploy"] = made(error)
    answer = command("deploy", "mail", engine=engine)
    assert (answer.status, answer.out) == (expected(error), "")
    for sentence in ("Nothing was deployed.", "The service refused it.", "Mend the service and run it again."):
        assert sentence in answer.err
    assert [line.count("The service refused it.") for line in answer.err.splitlines()][:3] == [0, 1, 0]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_is_json_when_asked(error: type[CertdeckError]) -> None:
    """With --json the same failure is one object on stdout with a stable code, and has the same status."""
    engine = FakeEngine()
    engine.fails["deploy"] = made(error)
    answer = command("deploy", "mail", "--json", engine=engine)
    assert answer.status == expected(error)
    assert answer.err == ""
    assert answer.error == {
        "code": error.code,
        "what": "Nothing was deployed.",
        "why": "The service refused it.",
        "fix": "Mend the service and run it again.",
        "lineage": "mail",
        "retry_at": "2026-11-21T05:06:07Z",
        "details": {"target": "nginx", "at": "2026-11-21T00:00:00Z", "problems": ["one", "two"]},
    }


CHANGING = [
    pytest.param(["--renew", "--force"], "renew", id="--renew"),
    pytest.param(["renew"], "renew", id="renew"),
    pytest.param(["first-boot"], "first_boot", id="first-boot"),
    pytest.param(["issue", "-d", "a.example.com"], "issue", id="issue"),
    pytest.param(["complete", "mail"], "complete", id="complete"),
    pytest.param(["deploy", "mail"], "deploy", id="deploy"),
    pytest.param(["rollback", "mail"], "rollback", id="rollback"),
    pytest.param(["export", "mail", "--format", "pem", "--out", "mail.pem"], "export", id="export"),
    pytest.param(["delete", "mail", "--yes"], "delete", id="delete"),
    pytest.param(["revoke", "mail", "--yes"], "revoke", id="revoke"),
    pytest.param(["set", "mail", "--auto-renew", "off"], "set_lineage", id="set"),
    pytest.param(["set", "mail", "--issuer", "zerossl", "--yes"], "change_issuer", id="set-issuer"),
    pytest.param(["issuer", "add", "ca", "--directory", "https://ca.example/dir"], "add_issuer", id="issuer-add"),
    pytest.param(["issuer", "remove", "ca"], "remove_issuer", id="issuer-remove"),
    pytest.param(["issuer", "default", "zerossl"], "set_default_issuer", id="issuer-default"),
    pytest.param(["issuer", "agree", "zerossl"], "agree_terms", id="issuer-agree"),
    pytest.param(["issuer", "root"], "export_ca_root", id="issuer-root"),
    pytest.param(
        ["target", "add", "web", "--kind", "files", "--certificate", "/c", "--key", "/k"], "add_target", id="target-add"
    ),
    pytest.param(["target", "remove", "nginx"], "remove_target", id="target-remove"),
    pytest.param(["vault", "rotate"], "rotate_vault", id="vault-rotate"),
    pytest.param(["vault", "move", "--to", "file"], "move_vault", id="vault-move"),
    pytest.param(["complete", "mail", "--give-up"], "give_up", id="give-up"),
    pytest.param(
        ["dns", "add", "own", "--kind", "hook", "--set", "command=/bin/true"], "add_dns_provider", id="dns-add"
    ),
    pytest.param(["dns", "remove", "cf"], "remove_dns_provider", id="dns-remove"),
    pytest.param(["dns", "test", "cf"], "test_dns_provider", id="dns-test"),
]
"""Everything that takes the writers' lock, with the engine's method behind it."""

LOOKING = [
    pytest.param(["status"], "status", id="status"),
    pytest.param(["status", "mail"], "status", id="status-NAME"),
    pytest.param(["doctor"], "doctor", id="doctor"),
    pytest.param(["log"], "log", id="log"),
    pytest.param(["log", "--verify"], "verify_log", id="log-verify"),
    pytest.param(["issuer", "list"], "issuers", id="issuer-list"),
    pytest.param(["issuer", "show", "letsencrypt"], "issuer", id="issuer-show"),
    pytest.param(["issuer", "compare"], "compare_issuers", id="issuer-compare"),
    pytest.param(["issuer", "test", "letsencrypt"], "test_issuer", id="issuer-test"),
    pytest.param(["account", "list"], "accounts", id="account-list"),
    pytest.param(["dns", "list"], "dns_providers", id="dns-list"),
    pytest.param(["dns", "kinds"], "dns_kinds", id="dns-kinds"),
    pytest.param(["dns", "kinds", "cloudflare"], "dns_kind", id="dns-kinds-KIND"),
    pytest.param(["target", "list"], "targets", id="target-list"),
    pytest.param(["target", "kinds"], "target_kinds", id="target-kinds"),
    pytest.param(["target", "kinds", "postfix"], "target_kind", id="target-kinds-KIND"),
    pytest.param(["target", "show", "nginx"], "targets", id="target-show"),
    pytest.param(["target", "test", "nginx"], "test_target", id="target-test"),
]


@pytest.mark.parametrize(("argv", "method"), [*CHANGING, *LOOKING])
def test_done_is_0(argv: list[str], method: str) -> None:
    """A command that did what it was asked ends with 0, also when there was nothing to do."""
    engine = FakeEngine()
    engine.findings = tuple(finding for finding in engine.findings if finding.status != "fail")
    engine.known_providers = (provider_info("cf"),)
    engine.orders = {"mail": open_order("mail")}
    answer = command(*argv, engine=engine)
    assert answer.status == DONE, answer.err
    assert method in [called for called, _ in engine.calls]


@pytest.mark.parametrize(("argv", "method"), CHANGING)
@pytest.mark.parametrize("as_json", [False, True], ids=["plain", "json"])
def test_a_held_lock_is_4(argv: list[str], method: str, as_json: bool) -> None:
    """Every command that changes something ends with 4 while another certdeck works."""
    engine = FakeEngine()
    engine.fails[method] = LockHeld(
        "Another certdeck process is running.",
        "Process 812 renews since 03:00.",
        "Try again later.",
        details={"pid": 812},
    )
    answer = command(*argv, *(["--json"] if as_json else []), engine=engine)
    assert answer.status == LOCKED
    assert answer.error["details"] == {"pid": 812} if as_json else "Process 812" in answer.err


@pytest.mark.parametrize(("argv", "method"), [*CHANGING, *LOOKING])
def test_a_failure_is_1(argv: list[str], method: str) -> None:
    """Every command ends with 1, what and why when the engine fails."""
    engine = FakeEngine()
    engine.fails[method] = StoreCorrupt("A file is broken.", "It is no JSON.", "Remove it.")
    answer = command(*argv, engine=engine)
    assert (answer.status, answer.out) == (FAILED, "")
    assert "It is no JSON." in answer.err


@pytest.mark.parametrize(("argv", "method"), [*CHANGING, *LOOKING])
def test_a_mistake_of_ours_is_1(argv: list[str], method: str) -> None:
    """An error that nobody foresaw is 1 with the code `internal`, never a traceback."""
    engine = FakeEngine()
    engine.fails[method] = ZeroDivisionError("nobody foresaw it")
    answer = command(*argv, "--json", engine=engine)
    assert answer.status == FAILED
    assert answer.error["code"] == "internal"
    assert "Traceback" not in answer.out + answer.err


WRONG = [
    pytest.param(["frobnicate"], id="unknown-command"),
    pytest.param(["--frobnicate"], id="unknown-first-option"),
    pytest.param(["status", "--frobnicate"], id="unknown-option"),
    pytest.param(["deploy", "mail", "shop"], id="one-name-too-many"),
    pytest.param(["issue"], id="no-domain"),
    pytest.param(["issue", "-d"], id="option-without-value"),
    pytest.param(["deploy"], id="no-name"),
    pytest.param(["export", "mail", "--format", "pem"], id="no-out"),
    pytest.param(["export", "mail", "--out", "f"], id="no-format"),
    pytest.param(["issuer", "frobnicate"], id="unknown-second-word"),
    pytest.param(["vault", "move"], id="no-source"),
    pytest.param(["vault", "move", "--to", "file", "--out", "key"], id="out-for-a-file"),
    pytest.param(["vault", "move", "--to", "credential", "--out", "-"], id="key-to-stdout"),
    pytest.param(["vault"], id="second-word-missing"),
    pytest.param(["log", "--limit", "many"], id="no-number"),
    pytest.param(["log", "--limit", "-1"], id="negative-number"),
    pytest.param(["delete", "mail"], id="delete-unasked"),
    pytest.param(["revoke", "mail"], id="revoke-unasked"),
    pytest.param(["account", "eab", "zerossl", "--kid", "k", "--hmac", "/nowhere/hmac"], id="unreadable-file"),
    pytest.param(["status", "--js"], id="abbreviated-option"),
    pytest.param(["dns", "add", "cf"], id="dns-without-kind"),
    pytest.param(["dns", "add", "cf", "--kind", "cloudflare"], id="dns-without-secret"),
    pytest.param(["dns", "add", "cf", "--kind", "cloudflare", "--secret", "api_token=/nowhere/t"], id="dns-no-file"),
    pytest.param(["dns", "add", "cf", "--kind", "cloudflare", "--set", "api_token=x"], id="dns-secret-as-setting"),
    pytest.param(["complete", "mail", "--anyway", "--give-up"], id="complete-two-ways"),
    pytest.param(["issue", "-d", "a.example.com", "--manual", "--dns", "cf"], id="issue-two-ways"),
]


@pytest.mark.parametrize("argv", WRONG)
def test_wrong_usage_is_2(argv: list[str]) -> None:
    """What was typed wrongly ends with 2, three sentences on stderr, and touches nothing."""
    engine = FakeEngine()
    answer = command(*argv, engine=engine)
    assert (answer.status, answer.out) == (USAGE, "")
    assert len(answer.err.splitlines()) == 3
    assert "Traceback" not in answer.err
    assert not {"issue", "delete", "revoke", "export", "set_eab"} & {called for called, _ in engine.calls}


@pytest.mark.parametrize("argv", WRONG)
def test_wrong_usage_is_json_when_asked(argv: list[str]) -> None:
    """Even arguments that cannot be understood are answered in JSON when --json is among them."""
    answer = command(*argv, "--json")
    assert answer.status == USAGE
    assert answer.error["code"] == "usage"
    assert all(answer.error[part].endswith((".", "?")) for part in ("what", "why", "fix"))


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["target", "remove", "nginx"], "in-use"),
        (["issuer", "remove", "ca"], "in-use"),
        (["dns", "remove", "cf"], "in-use"),
        (["delete", "mail", "--yes"], "in-use"),
        (["undelete", "mail"], "already-there"),
        (["csr", "mail", "-d", "other.example.com"], "already-there"),
    ],
)
def test_a_right_request_that_is_refused_is_1(argv: list[str], code: str) -> None:
    """What is in use is not removed, and what is there is not replaced: refusals, not mistakes of whoever asked."""
    engine = FakeEngine()
    kind = {each.code: each for each in ERRORS}[code]
    methods = {"target": "remove_target", "issuer": "remove_issuer", "dns": "remove_dns_provider", "csr": "make_csr"}
    engine.fails[methods.get(argv[0], argv[0])] = made(kind)
    answer = command(*argv, "--json", engine=engine)
    assert (answer.status, answer.error["code"]) == (FAILED, code)


def test_a_waiting_person_is_3() -> None:
    """An order that waits for DNS records set by hand ends with 3, in issue and in complete."""
    engine = FakeEngine()
    engine.pending = True
    for argv in (["issue", "-d", "a.example.com", "--challenge", "dns-01", "--manual"], ["complete", "mail"]):
        for form in ([], ["--json"]):
            assert command(*argv, *form, engine=engine).status == PENDING


def test_records_that_are_missing_are_3() -> None:
    """`complete` ends with 3 as long as a name server lacks a record, and with 0 once all have them (ST-15)."""
    engine = FakeEngine(())
    engine.orders = {"wild": open_order("wild")}
    engine.looks = [views("has", "lacks"), views("silent"), views("has", "has")]
    assert [command("complete", "wild", engine=engine).status for _ in range(3)] == [PENDING, PENDING, DONE]


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["plain", "json"])
def test_a_connection_test_that_fails_is_1(form: list[str]) -> None:
    """`dns test` ends with 1 when a step failed, and its result is on stdout all the same (ST-24)."""
    engine = FakeEngine()
    engine.known_providers = (provider_info("cf"),)
    engine.dns_test = bad_test()
    answer = command("dns", "test", "cf", *form, engine=engine)
    assert answer.status == FAILED
    assert "lacks a permission" in answer.out


def failed(name: str, error: type[CertdeckError] = StoreCorrupt) -> FailedLineage:
    return FailedLineage(name=name, error=error("It failed.", "It is broken.", "Mend it.", lineage=name))


@pytest.mark.parametrize(
    ("report", "status"),
    [
        pytest.param(RenewalReport(), DONE, id="nothing-there"),
        pytest.param(RenewalReport(skipped=(Skipped(name="a", why="not due"),)), DONE, id="nothing-due"),
        pytest.param(RenewalReport(renewed=("a",)), DONE, id="renewed"),
        pytest.param(RenewalReport(renewed=("a",), failed=(failed("b"),)), FAILED, id="one-failed"),
        pytest.param(RenewalReport(failed=(failed("b", ConfigError),)), FAILED, id="broken-lineage-file"),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["plain", "json"])
def test_one_failed_renewal_is_1(report: RenewalReport, status: int, form: list[str]) -> None:
    """The scheduled run ends with 1 as soon as one lineage failed, whatever its error was, and with 0 otherwise."""
    engine = FakeEngine()
    engine.renewal = report
    assert command("--renew", *form, engine=engine).status == status


@pytest.mark.parametrize(("found", "status"), [("pass", DONE), ("warn", DONE), ("skip", DONE), ("fail", FAILED)])
def test_the_doctor_says_it_by_status_too(found: str, status: int) -> None:
    """The doctor ends with 1 when something would prevent issuing."""
    engine = FakeEngine()
    engine.findings = (Finding(id="port-80", status=found, title="Port 80", detail="nginx holds it"),)
    assert command("doctor", engine=engine).status == status
    assert command("doctor", "--json", engine=engine).status == status


def test_an_altered_history_is_1() -> None:
    """`log --verify` ends with 1 when the history was altered, and says where."""
    engine = FakeEngine()
    engine.altered = "Entry 3 was changed."
    answer = command("log", "--verify", engine=engine)
    assert answer.status == FAILED
    assert "Entry 3 was changed." in answer.out + answer.err


# -- status --check ----------------------------------------------------------------------------------------------------


OK, WARNING, CRITICAL = 0, 1, 2


def of_severity(severity: str, **fields: object) -> LineageStatus:
    return lineage("shop", severity=severity, left=timedelta(days=40), **fields)


@pytest.mark.parametrize(
    ("lineages", "status", "word"),
    [
        pytest.param((), OK, "OK", id="none"),
        pytest.param((of_severity("green"),), OK, "OK", id="green"),
        pytest.param((of_severity("green"), of_severity("yellow")), WARNING, "WARNING", id="yellow"),
        pytest.param((of_severity("red"), of_severity("yellow")), CRITICAL, "CRITICAL", id="red"),
        pytest.param((without_certificate("new"),), CRITICAL, "CRITICAL", id="no-certificate"),
        pytest.param(
            (of_severity("green", targets=(TargetState(name="nginx", state="failed", why="it is down"),)),),
            CRITICAL,
            "CRITICAL",
            id="target-failed",
        ),
        pytest.param(
            (of_severity("green", targets=(TargetState(name="nginx", state="stale", why="another one"),)),),
            WARNING,
            "WARNING",
            id="target-stale",
        ),
        pytest.param(
            (
                of_severity(
                    "green", last_error={"code": "rate-limited", "what": "No.", "why": "Limit.", "fix": "Wait."}
                ),
            ),
            WARNING,
            "WARNING",
            id="renewal-failed",
        ),
        pytest.param(seven(), CRITICAL, "CRITICAL", id="seven"),
    ],
)
def test_check_exits_like_a_monitoring_plugin(lineages: tuple[LineageStatus, ...], status: int, word: str) -> None:
    """`status --check` says it in one line and one status: 0 ok, 1 warning, 2 critical (ST-45)."""
    plain = command("status", "--check", engine=FakeEngine(lineages))
    assert (plain.status, len(plain.out.splitlines())) == (status, 1)
    assert plain.out.startswith(f"CERTDECK {word} - ")
    assert plain.err == ""
    as_json = command("status", "--check", "--json", engine=FakeEngine(lineages))
    assert as_json.status == status
    assert len(as_json.json["certificates"]) == len(lineages)


def test_check_counts_what_it_does_not_name() -> None:
    """Certificates without a problem are only counted, and the days of the one that expires first are told with the others'."""
    days = (63, 41, 52)
    engine = FakeEngine([lineage(f"shop{each}", left=timedelta(days=each)) for each in days])
    assert engine.summary().unlisted == Unlisted(ok=3, days_left=41)
    answer = command("status", "--check", engine=engine)
    assert (answer.status, answer.out) == (
        OK,
        "CERTDECK OK - 3 certificates healthy | ok=3 warning=0 critical=0 min_days_left=41\n",
    )
    engine.lineages.append(lineage("mail", left=timedelta(days=3), severity="red"))
    answer = command("status", "--check", engine=engine)
    assert answer.status == CRITICAL
    assert answer.out.endswith("3 certificates healthy | ok=3 warning=0 critical=1 min_days_left=3\n")
    engine = FakeEngine([lineage(f"shop{each}", left=timedelta(days=each), timer="absent") for each in days])
    engine.timer = TimerState(state="off", is_absent=True)
    answer = command("status", "--check", engine=engine)
    assert answer.status == WARNING
    assert answer.out.endswith("0 certificates healthy | ok=0 warning=3 critical=0 min_days_left=41\n")


@pytest.mark.parametrize("words", [("status",), ("status", "--check", "--json")], ids=" ".join)
def test_garbage_is_collected_while_services_are_asked(words: tuple[str, ...]) -> None:
    """A status collects rarely, but it does, and leaves the collector as it was."""
    seen: list[tuple[bool, int]] = []

    class Watching(FakeEngine):
        def status(self, names: Sequence[str] = (), *, probe: bool = False) -> Status:
            seen.append((gc.isenabled(), gc.get_threshold()[0]))
            return super().status(names, probe=probe)

    usual = gc.get_threshold()
    command(*words, engine=Watching())
    assert seen == [(True, max(1_000_000, usual[0]))]
    assert (gc.isenabled(), gc.get_threshold()) == (True, usual)


@pytest.mark.parametrize("error", [ConfigError, StoreCorrupt], ids=lambda error: error.__name__)
def test_check_of_unreadable_state_is_critical(error: type[CertdeckError]) -> None:
    """State that cannot be read is critical, in the same one line: nobody renews anything then."""
    engine = FakeEngine()
    engine.fails["status"] = error("The configuration is broken.", "Line 3 is no TOML.", "Mend it.")
    answer = command("status", "--check", engine=engine)
    assert answer.status == CRITICAL
    assert answer.out.startswith("CERTDECK CRITICAL - The configuration is broken. Line 3 is no TOML.")
    assert len(answer.out.splitlines()) == 1


def test_check_of_a_broken_lineage_file_is_critical() -> None:
    """A lineage whose file cannot be read is not renewed by anybody: that is critical, and it is named."""
    engine = FakeEngine([of_severity("green")])
    engine.problems = (ConfigError("mail.toml is broken.", "Line 3.", "Mend it.", lineage="mail"),)
    answer = command("status", "--check", engine=engine)
    assert answer.status == CRITICAL
    assert "mail" in answer.out


# -- on the real thing -------------------------------------------------------------------------------------------------


def test_the_process_exits_with_it(home: Path) -> None:
    """The statuses are those of the process: 0 for help and version, 2 for a word that does not exist and without a terminal."""
    assert process("--version", home=home, fresh=True).status == DONE
    assert process("--help", home=home, fresh=True).status == DONE
    assert process("statsu", home=home, fresh=True).status == USAGE
    console = process(home=home, fresh=True)
    assert (console.status, console.out) == (USAGE, "")
    assert "certdeck status" in console.err
    assert not home.exists()
