"""What people read: the status, and the result of every command, compared with baselines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from core.errors import ConfigError, RateLimited, ReloadFailed, StoreCorrupt
from core.events import SERVICE_TAKEN_OVER, Reporter, Warned
from core.lineage_status import TimerState
from core.operations import Deployment, Finding, FirstBoot
from core.renewal_report import FailedLineage, RenewalReport, Skipped
from tests.support.command import Answer, command
from tests.support.fake_dns import open_order
from tests.support.fake_engine import FakeEngine
from tests.support.fake_requests import signing_request
from tests.support.lineages import NEXT_RUN, NOW, lineage, many, without_certificate


def shown(answer: Answer) -> str:
    """Return an answer as one text for a baseline."""
    return f"-- stdout\n{answer.out}-- stderr\n{answer.err}-- exit status {answer.status}\n"


# -- status ------------------------------------------------------------------------------------------------------------


def test_overview(golden: SnapshotAssertion) -> None:
    """`status` shows the box, whether the timer lives, and every certificate in a line, urgent ones first (ST-45)."""
    assert shown(command("status")) == golden


@pytest.mark.parametrize("name", ["shop", "mail", "default", "edge", "partner"])
def test_one_in_full(name: str, golden: SnapshotAssertion) -> None:
    """`status NAME` has every field of ST-42 to ST-49, and what went wrong last."""
    assert shown(command("status", name)) == golden


def test_every_field_of_the_status_is_there() -> None:
    """Subject, issuer, validity, days left, names with addresses, self-signed, chain and fingerprint (ST-42 to ST-49)."""
    engine = FakeEngine()
    text = command("status", "default", engine=engine).out
    default = next(each for each in engine.lineages if each.name == "default")
    assert default.subject in text
    assert default.issuer in text
    assert "365 days left" in text
    for name in default.domains:
        assert name in text
    assert default.sha256 in text
    assert "21 Nov 2027" in text
    labels = [line.split("  ")[1].strip() for line in text.splitlines() if line.startswith("  ")]
    for label in ("Subject", "Issuer", "Valid from", "Valid to", "Self-signed", "Chain", "SHA-256"):
        assert label in labels


def test_a_certificate_without_a_subject_shows_its_names() -> None:
    """A certificate without a common name (profile `shortlived`) is known by its first name (ST-42)."""
    text = command("status", "edge").out
    assert "203.0.113.7" in text


@pytest.mark.parametrize(
    "lineages",
    [
        pytest.param((), id="none"),
        pytest.param((without_certificate("new"),), id="without-certificate"),
        pytest.param((lineage("old", left=timedelta(days=-2), severity="red"),), id="expired"),
        pytest.param((lineage("shop", open_order=True),), id="open-order"),
        pytest.param((lineage("idn", "xn--bcher-kva.example", "xn--fiqs8s.example"),), id="idn"),
    ],
)
def test_unusual_boxes(lineages: Sequence[object], golden: SnapshotAssertion) -> None:
    """An empty box, a lineage without certificate, an expired one, an open order and names in other scripts, in both views."""
    engine = FakeEngine(lineages)
    told = shown(command("status", engine=engine))
    for each in engine.lineages:
        told += shown(command("status", each.name, engine=engine))
    assert told == golden


@pytest.mark.parametrize(
    "timer",
    [
        pytest.param(TimerState(state="off"), id="off"),
        pytest.param(TimerState(state="on", next_run=NEXT_RUN), id="on"),
        pytest.param(
            TimerState(state="on", last_run=NOW - timedelta(hours=1), last_outcome="failed", last_error="No."),
            id="failed",
        ),
    ],
)
def test_the_timer_comes_first(timer: TimerState) -> None:
    """Whether certificates renew by themselves stands in the first line."""
    engine = FakeEngine()
    engine.timer = timer
    first = command("status", engine=engine).out.splitlines()[0]
    assert f"timer {timer.state}" in first
    assert ("failed" in first) is (timer.last_outcome == "failed")


def test_broken_files_are_told_beside_the_rest() -> None:
    """A lineage file that cannot be read is an error on stderr; the others are shown, and the status is that of a success."""
    engine = FakeEngine()
    engine.problems = (ConfigError("mail.toml is broken.", "Line 3 is no TOML.", "Mend it.", lineage="mail"),)
    answer = command("status", engine=engine)
    assert answer.status == 0
    assert "shop" in answer.out
    assert "Line 3 is no TOML." in answer.err


def test_a_thousand_certificates() -> None:
    """A thousand certificates are a thousand aligned lines."""
    answer = command("status", engine=FakeEngine(many(1000)))
    rows = [line for line in answer.out.splitlines() if "site-" in line]
    assert len(rows) == 1000
    assert len({line.index("site-") for line in rows}) == 1


def test_check_line(golden: SnapshotAssertion) -> None:
    """`status --check` names what is wrong, worst first, and has figures for graphs behind the bar."""
    line = command("status", "--check").out
    assert line.count("|") == 1
    assert line == golden


# -- operations --------------------------------------------------------------------------------------------------------


def failure(name: str) -> FailedLineage:
    error = ReloadFailed(
        "nginx refused to load the new certificate.",
        "It exited with status 1.",
        "Mend it.",
        lineage=name,
        details={"target": "nginx", "output": "nginx: [emerg] unknown directive\nnginx: test failed", "live": "old"},
    )
    return FailedLineage(name=name, error=error)


@pytest.mark.parametrize(
    ("argv", "report"),
    [
        pytest.param(["--renew"], RenewalReport(), id="nothing-there"),
        pytest.param(
            ["--renew"],
            RenewalReport(
                skipped=(
                    Skipped(name="b", why="not due before 24 Dec 2026", renew_at=NOW + timedelta(days=33)),
                    Skipped(name="a", why="it was uploaded: import a new certificate in time"),
                )
            ),
            id="nothing-due",
        ),
        pytest.param(
            ["--renew", "b"],
            RenewalReport(skipped=(Skipped(name="b", why="not due before 24 Dec 2026", renew_at=NOW),)),
            id="named-not-due",
        ),
        pytest.param(
            ["--renew"],
            RenewalReport(renewed=("a", "b"), skipped=(Skipped(name="c", why="not due"),), failed=(failure("mail"),)),
            id="mixed",
        ),
        pytest.param(["--renew"], RenewalReport(renewed=("a", "b"), issued=("b",)), id="first-issue"),
        pytest.param(
            ["--renew", "--dry-run"],
            RenewalReport(due=("a",), skipped=(Skipped(name="c", why="not due"),)),
            id="dry-run",
        ),
    ],
)
def test_renew(argv: list[str], report: RenewalReport, golden: SnapshotAssertion) -> None:
    """The scheduled run says little when there was nothing to do, and everything about what failed."""
    engine = FakeEngine()
    engine.renewal = report
    assert shown(command(*argv, engine=engine)) == golden


@pytest.mark.parametrize(
    "argv",
    [
        ["issue", "-d", "new.example.com", "www.new.example.com", "--target", "nginx"],
        ["issue", "-d", "new.example.com", "--staging"],
        ["renew", "shop", "--force"],
        ["first-boot"],
        ["deploy", "shop"],
        ["rollback", "shop"],
        ["export", "shop", "--format", "pem", "--out", "shop.pem"],
        ["delete", "mail", "--yes"],
        ["revoke", "mail", "--yes"],
        ["set", "mail", "--auto-renew", "off"],
        ["doctor"],
        ["log"],
        ["log", "--verify"],
        ["pem", "shop"],
        ["issuer", "list"],
        ["issuer", "test", "letsencrypt"],
        ["account", "list"],
        ["target", "list"],
        ["target", "test", "nginx"],
        ["vault", "rotate"],
    ],
    ids=lambda argv: "-".join(word.strip("-") for word in argv[:2]),
)
def test_every_command(argv: list[str], golden: SnapshotAssertion) -> None:
    """Results are on stdout, what happened meanwhile on stderr, and both read well."""
    assert shown(command(*argv)) == golden


def test_first_boot_of_a_fresh_box(golden: SnapshotAssertion) -> None:
    """The first boot says what it made, where it is, and that browsers will warn of it (ST-08)."""
    answer = command("first-boot", engine=FakeEngine(()))
    assert "warn" in answer.out
    assert shown(answer) == golden


def test_pending(golden: SnapshotAssertion) -> None:
    """An order that waits shows the records to set and the command that goes on."""
    engine = FakeEngine()
    engine.pending = True
    assert shown(command("issue", "-d", "a.example.com", "--manual", engine=engine)) == golden


def test_an_error_with_everything(golden: SnapshotAssertion) -> None:
    """An error is what, why and fix in three lines; a program's own words and the time to try again stand below."""
    engine = FakeEngine()
    engine.fails["deploy"] = failure("shop").error
    engine.fails["complete"] = RateLimited(
        "The CA has had enough for now.",
        "too many certificates (50) already issued",
        "Wait until then.",
        lineage="shop",
        retry_at=NOW + timedelta(days=1),
    )
    told = shown(command("deploy", "shop", engine=engine)) + shown(command("complete", "shop", engine=engine))
    assert "unknown directive" in told
    assert told == golden


def test_a_deployment_without_a_service_says_that_only_files_were_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no service uses a certificate, its deployment says in a sentence that only the files were switched."""
    engine = FakeEngine()
    monkeypatch.setattr(engine, "deploy", lambda name, **_: Deployment(name=name, version=2, targets=()))
    (line,) = command("deploy", "mail", engine=engine).out.splitlines()
    assert line == "Version 2 of mail is live. No service uses it: only the files were switched."


def test_a_service_that_was_taken_over_stands_in_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """That a service showed another certificate before is no line of progress alone: the result says it, too."""
    engine = FakeEngine()
    told = Warned(code=SERVICE_TAKEN_OVER, what="nginx carried the certificate old until now.", fix="Deploy old again.")

    def deploy(name: str, *, report: Reporter, **_: object) -> Deployment:
        engine._tell("deploy", report, None, [told], name)
        return Deployment(name=name, version=2, targets=())

    monkeypatch.setattr(engine, "deploy", deploy)
    answer = command("deploy", "mail", engine=engine)
    assert answer.out.splitlines()[-1] == "nginx carried the certificate old until now. Deploy old again."
    assert "nginx carried the certificate old" in answer.err
    warnings = command("deploy", "mail", "--json", engine=engine).json["warnings"]
    assert warnings == [{"code": SERVICE_TAKEN_OVER, "what": told.what, "fix": told.fix}]


def test_a_first_boot_onto_a_later_target_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second first boot that has deployed something does not say that there was nothing to do."""
    engine = FakeEngine()
    done = FirstBoot(status=lineage("default"), created=False, remade=False, new_targets=("web",))
    monkeypatch.setattr(engine, "first_boot", lambda **_: done)
    said = command("first-boot", engine=engine).out.splitlines()[0]
    assert said == "default already exists, and was now deployed to web for the first time."


def test_a_finding_with_a_sentence_for_its_title_reads_well() -> None:
    """What an error says stands before a colon without its full stop."""
    engine = FakeEngine()
    engine.findings = (Finding(id="usage", status="fail", title="The CA cannot issue this.", detail="*.hand.test"),)
    assert "The CA cannot issue this: *.hand.test" in command("doctor", engine=engine).out


def test_what_is_open_beside_the_certificates_shows_in_the_status() -> None:
    """Signing requests, and orders that go on by themselves for names that are not there yet, have a line each."""
    engine = FakeEngine()
    engine.requests["asked"] = signing_request("asked", "asked.example.com")
    engine.orders = {"o": open_order("o", challenge="http-01", records=(), is_manual=False)}
    for argv in (["status"], ["status", "o", "asked"]):
        out = command(*argv, engine=engine).out
        assert "o: its order is open, and the next run continues it" in out
        assert "`certdeck complete o --give-up` cancels it" in out
        assert "asked: a signing request for asked.example.com is open since 21 Nov 2026" in out
    found = command("status", "--json", engine=engine).json["requests"]
    assert [each["name"] for each in found] == ["asked"]
    assert found == command("csr", "--json", engine=engine).json["requests"]
    assert "requests" not in command("status", "--json").json


def test_requests_that_cannot_be_read_hide_no_certificate() -> None:
    """Requests are told beside the certificates, and never instead of them."""
    engine = FakeEngine()
    engine.fails["csrs"] = StoreCorrupt("The requests are damaged.", "They were changed.", "Remove them.")
    answer = command("status", engine=engine)
    assert answer.status == 0
    assert "shop.example.com" in answer.out


def test_a_next_try_of_today_has_its_time() -> None:
    """With nothing due, a renewal that comes today is told with its time: the date alone says nothing."""
    engine = FakeEngine()
    engine.renewal = RenewalReport(skipped=(Skipped(name="b", why="it failed", renew_at=NOW + timedelta(minutes=10)),))
    at = (NOW + timedelta(minutes=10)).astimezone()
    assert f"The next one is b, today at {at:%H:%M}." in command("--renew", engine=engine).out


def test_the_provider_of_a_certificate_is_named() -> None:
    """Whoever wants to know with which account at a DNS provider a name is proved reads it in the status."""
    engine = FakeEngine([lineage("wild", method="dns-01", dns="office")])
    assert "DNS-01, records set automatically with office" in command("status", "wild", engine=engine).out


def test_a_chain_that_is_not_there_is_said_later_too() -> None:
    """An uploaded certificate that stands alone says in its details what that means, and how to mend it."""
    engine = FakeEngine([lineage("shop", method="upload", chain=False, chain_length=0)])
    out = command("status", "shop", engine=engine).out
    assert "no intermediates: only clients that trust" in out
    assert "import it with its --chain FILE or --fetch-chain" in out
    engine = FakeEngine([lineage("shop", method="upload", chain=False, chain_length=0, self_signed=True)])
    assert "only clients" not in command("status", "shop", engine=engine).out


def test_a_time_that_is_none_is_shown_as_it_is() -> None:
    """What somebody wrote into renewal.json does not keep the status from being shown, and reaches no terminal as it is."""
    error = {"code": "x", "what": "It failed.", "why": "", "fix": "", "at": "yesterday\x1b[31m"}
    out = command("status", engine=FakeEngine([lineage("shop", last_error=error)])).out
    assert "failed on yesterday" in out
    assert "\x1b" not in out
