"""Arguments: what reaches the engine, what is asked of a person, what help says, and the nearest word for a wrong one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.config.model import IssuerConfig, TargetConfig
from core.errors import TermsNotAgreed
from core.operations import IssueRequest
from core.version import VERSION
from tests.support.command import command, process
from tests.support.fake_engine import FakeEngine
from tui.cli.catalogue import COMMANDS


def asked(engine: FakeEngine, method: str) -> list[dict[str, Any]]:
    return [arguments for called, arguments in engine.calls if called == method]


# -- to the engine -----------------------------------------------------------------------------------------------------


def test_issue_with_everything() -> None:
    """Every option of `issue` arrives in the request (CC-07, CC-11)."""
    engine = FakeEngine()
    argv = "issue -d a.example.com b.example.com -d c.example.com --name shop --issuer zerossl --challenge http-01 "
    argv += "--key-type rsa-2048 --profile tlsserver --email me@example.com --agree-tos --rehearse --force "
    argv += "--target nginx postfix --target web"
    assert command(*argv.split(), engine=engine).status == 0
    assert asked(engine, "issue") == [
        {
            "request": IssueRequest(
                domains=("a.example.com", "b.example.com", "c.example.com"),
                name="shop",
                issuer="zerossl",
                challenge="http-01",
                key_type="rsa-2048",
                profile="tlsserver",
                email="me@example.com",
                agree_tos=True,
                rehearse=True,
                force=True,
                targets=("nginx", "postfix", "web"),
            )
        }
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--staging"], {"staging": True}),
        (["--dns", "cloud", "--challenge", "dns-01"], {"dns": "cloud", "challenge": "dns-01"}),
        (["--manual"], {"manual": True}),
        ([], {}),
    ],
    ids=["staging", "dns", "manual", "bare"],
)
def test_issue(more: list[str], expected: dict[str, Any]) -> None:
    """What is not given is left to the configuration."""
    engine = FakeEngine()
    command("issue", "-d", "a.example.com", *more, engine=engine)
    assert asked(engine, "issue")[0] == {"request": IssueRequest(domains=("a.example.com",), **expected)}


@pytest.mark.parametrize(
    ("argv", "method", "arguments"),
    [
        (["renew", "a", "b", "--dry-run"], "renew", None),
        (["deploy", "mail"], "deploy", {"name": "mail", "targets": None}),
        (["deploy", "mail", "--target", "a", "b"], "deploy", {"name": "mail", "targets": ("a", "b")}),
        (
            ["first-boot", "--hostname", "h", "--external-url", "https://u"],
            "first_boot",
            {"hostname": "h", "external_url": "https://u"},
        ),
        (["log", "--lineage", "mail", "--limit", "3"], "log", {"lineage": "mail", "limit": 3, "before": None}),
        (["revoke", "mail", "--reason", "superseded", "--yes"], "revoke", {"name": "mail", "reason": "superseded"}),
        (["delete", "mail", "--yes"], "delete", {"name": "mail", "force": False}),
        (["delete", "mail", "--yes", "--force"], "delete", {"name": "mail", "force": True}),
        (
            ["set", "mail", "--auto-renew", "on", "--renew-days-before", "20"],
            "set_lineage",
            {"name": "mail", "auto_renew": True, "renew_days_before": 20},
        ),
        (["doctor", "mail"], "doctor", {"request": None, "name": "mail"}),
        (["status", "mail", "shop"], "status", None),
        (["issuer", "agree", "zerossl"], "agree_terms", {"issuer": "zerossl"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_arguments_reach_the_engine(argv: list[str], method: str, arguments: dict[str, Any] | None) -> None:
    """Each command asks the engine for exactly what was typed."""
    engine = FakeEngine()
    command(*argv, engine=engine)
    calls = asked(engine, method)
    assert len(calls) == 1
    assert arguments is None or calls[0] == arguments


def test_targets_are_argument_lists() -> None:
    """The test and reload commands of a target are split into words, quotes and all, and never seen by a shell."""
    engine = FakeEngine()
    argv = ["target", "add", "web", "--kind", "nginx", "--certificate", "/c", "--key", "/k", "--probe", "[::1]:443"]
    argv += ["--probe", "smtp://localhost:25"]
    command(
        *argv,
        "--test",
        "nginx -t -c '/etc/my nginx.conf'",
        "--reload",
        "systemctl reload nginx; rm -rf /",
        engine=engine,
    )
    (call,) = asked(engine, "add_target")
    assert call["config"] == TargetConfig(
        name="web",
        kind="nginx",
        certificate="/c",
        key="/k",
        probe=("[::1]:443", "smtp://localhost:25"),
        test=("nginx", "-t", "-c", "/etc/my nginx.conf"),
        reload=("systemctl", "reload", "nginx;", "rm", "-rf", "/"),
    )


def test_changing_an_entry_keeps_the_rest() -> None:
    """`issuer add` and `target add` on an entry that is there change what is given and keep everything else."""
    engine = FakeEngine()
    had = IssuerConfig(directory="https://ca.example/dir", agree_tos=True, eab_kid="kid-1", max_orders=3)
    web = TargetConfig(name="web", kind="nginx", certificate="/c", key="/k", timeout_seconds=7, reload=("a", "b"))
    engine.settings = replace(engine.settings, issuers={"ca": had}, targets={"web": web})
    command("issuer", "add", "ca", "--email", "me@example.com", engine=engine)
    assert asked(engine, "add_issuer")[0]["config"] == replace(had, email="me@example.com")
    command("issuer", "add", "ca", "--limit", "orders=20/1d", "--limit", "exempt = replaces", engine=engine)
    assert asked(engine, "add_issuer")[1]["config"] == replace(
        had, email="me@example.com", limits={"orders": "20/1d", "exempt": "replaces"}
    )
    command("target", "add", "web", "--certificate", "/c", "--key", "/other", engine=engine)
    assert asked(engine, "add_target")[0]["config"] == replace(web, key="/other")


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_the_hmac_comes_from_a_file(tmp_path: Path) -> None:
    """The EAB key is read from a file, without its line feed, and never shown."""
    (tmp_path / "hmac").write_bytes(b"c2VjcmV0LXZhbHVl\n")
    engine = FakeEngine()
    answer = command("account", "eab", "zerossl", "--kid", "kid-1", "--hmac", str(tmp_path / "hmac"), engine=engine)
    assert answer.status == 0
    assert asked(engine, "set_eab") == [{"issuer": "zerossl", "kid": "kid-1", "hmac": b"c2VjcmV0LXZhbHVl"}]
    assert "c2VjcmV0" not in answer.out + answer.err


def test_a_passphrase_from_a_file(tmp_path: Path) -> None:
    """A PFX file gets its passphrase from a file; an empty one, a missing one and another format are refused with 2."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"correct horse\r\n")
    engine = FakeEngine()
    argv = ["export", "shop", "--format", "pfx", "--out", "shop.pfx"]
    assert command(*argv, "--passphrase-file", str(secret), "--legacy", engine=engine).status == 0
    (call,) = asked(engine, "export")
    assert (call["passphrase"], call["legacy"], call["out"]) == (b"correct horse", True, Path("shop.pfx"))
    secret.write_bytes(b"\n")
    for more in (
        ["--passphrase-file", str(secret)],
        ["--passphrase-file", "/nowhere"],
        ["--passphrase-file", str(tmp_path)],
        [],
    ):
        assert command(*argv, *more).status == 2
    assert command("export", "shop", "--format", "pem", "--out", "f", "--passphrase-file", str(secret)).status == 2


def test_secrets_have_no_option(home: Path) -> None:
    """No command takes a secret itself as an argument: what holds one is always the name of a file."""
    for words in COMMANDS:
        text = command(*words.split(), "--help").out
        for line in (line for line in text.splitlines() if line.startswith("  -")):
            for word in ("hmac", "passphrase", "secret", "password", "token"):
                assert f"--{word} " not in line or "FILE" in line, line


@pytest.mark.parametrize("argv", [["deploy", "shop", "--debug"], ["--debug", "deploy", "shop"]])
def test_debug_reports_every_step(argv: list[str]) -> None:
    """`--debug` stands before or behind the command, and adds lines on standard error, those of the audit trail too (SO-28)."""
    plain, narrated = command("deploy", "shop"), command(*argv)
    assert (narrated.status, narrated.out) == (0, plain.out)
    assert set(plain.err.splitlines()) < set(narrated.err.splitlines())


def test_debug_narrates_a_command_that_is_silent_otherwise() -> None:
    """With `--json` and `--debug` together stdout still is one object."""
    answer = command("set", "shop", "--auto-renew", "off", "--json", "--debug")
    assert answer.json == {"name": "shop", "auto_renew": False}
    assert command("account", "--debug", "list", "--json").json["accounts"]


# -- questions ---------------------------------------------------------------------------------------------------------


def terms() -> TermsNotAgreed:
    return TermsNotAgreed(
        "Nobody has agreed to the terms of Let's Encrypt.",
        "The CA creates an account only after you accept them.",
        "Read them, then run `certdeck issuer agree letsencrypt`, or add --agree-tos to the order.",
        details={"terms_of_service": "https://letsencrypt.org/terms.pdf"},
    )


def test_terms_are_asked_on_a_terminal() -> None:
    """On a terminal the terms are shown with their address and asked for; yes issues, with the agreement in the request (CC-05)."""
    engine = FakeEngine()
    engine.fails["issue"] = [terms()]
    answer = command("issue", "-d", "a.example.com", engine=engine, terminal=True, typed="y\n")
    assert answer.status == 0
    assert "https://letsencrypt.org/terms.pdf" in answer.err
    assert [call["request"].agree_tos for call in asked(engine, "issue")] == [False, True]


@pytest.mark.parametrize(
    ("terminal", "typed", "more"),
    [(True, "n\n", []), (True, "\n", []), (True, "", []), (False, "y\n", []), (True, "y\n", ["--json"])],
    ids=["no", "nothing", "end", "no-terminal", "json"],
)
def test_terms_are_never_assumed(terminal: bool, typed: str, more: list[str]) -> None:
    """Anything but a yes on a terminal is a no: nothing is ordered, and the error says how to agree."""
    engine = FakeEngine()
    engine.fails["issue"] = terms()
    answer = command("issue", "-d", "a.example.com", *more, engine=engine, terminal=terminal, typed=typed)
    assert answer.status == 1
    assert len(asked(engine, "issue")) == 1
    assert (terminal and not more) or "--agree-tos" in answer.out + answer.err


@pytest.mark.parametrize("action", ["delete", "revoke"])
def test_what_cannot_be_undone_is_asked(action: str) -> None:
    """Deleting and revoking ask on a terminal, naming what is meant; only a yes does it."""
    for typed, done in (("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False), ("", False), ("shop\n", False)):
        engine = FakeEngine()
        answer = command(action, "shop", engine=engine, terminal=True, typed=typed)
        assert (answer.status, len(asked(engine, action))) == ((0, 1) if done else (1, 0)), typed
        assert "shop.example.com" in answer.err


@pytest.mark.parametrize("action", ["delete", "revoke"])
def test_nobody_is_asked_about_what_is_not_there(action: str) -> None:
    """A name that does not exist is refused before the question."""
    answer = command(action, "nothing", terminal=True, typed="y\n")
    assert answer.status == 1
    assert "[y/N]" not in answer.err


# -- help --------------------------------------------------------------------------------------------------------------


def test_version() -> None:
    """`--version` is one line."""
    assert command("--version").out == f"certdeck {VERSION}\n"


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["help"]], ids=" ".join)
def test_help_lists_every_command(argv: list[str]) -> None:
    """The overview has every command, the exit statuses and no more than two screens or three."""
    answer = command(*argv)
    assert (answer.status, answer.err) == (0, "")
    for words in COMMANDS:
        assert f"  {words} " in answer.out
    assert "exit status" in answer.out.lower()
    assert len(answer.out.splitlines()) < 120
    assert max(map(len, answer.out.splitlines())) <= 100


@pytest.mark.parametrize("words", COMMANDS)
def test_help_of_every_command(words: str) -> None:
    """Every command says what it takes, with an example that it understands and the exit statuses; nothing is opened for it."""
    engine = FakeEngine()
    answer = command(*words.split(), "--help", engine=engine)
    assert (answer.status, answer.err, engine.calls) == (0, "", [])
    assert f"usage: certdeck {words}" in answer.out
    assert "--json" in answer.out
    assert f"certdeck {words}" in answer.out.partition("examples:")[2] or words == "renew"
    assert answer.out == command("help", *words.split()).out


@pytest.mark.parametrize("words", COMMANDS)
def test_examples_work(words: str) -> None:
    """No example in a help text is refused for its usage."""
    text = command(*words.split(), "--help").out.partition("examples:")[2].partition("\n\n")[0]
    examples = [line.strip() for line in text.splitlines() if line.strip().startswith("certdeck ")]
    assert examples
    for example in examples:
        argv = shlex.split(re.split(r"#| > | \| ", example)[0])[1:]
        answer = command(*argv, terminal=True)
        assert "was called with invalid arguments" not in answer.err, (example, answer.err)


# -- nearly right ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "near"),
    [
        (["stauts"], "status"),
        (["reniew"], "renew"),
        (["isue", "-d", "a"], "issue"),
        (["frist-boot"], "first-boot"),
        (["issuer", "ad"], "issuer add"),
        (["target", "lst"], "target list"),
        (["status", "--jsn"], "--json"),
        (["--renew", "--focre"], "--force"),
        (["issue", "-d", "a", "--key-typ", "x"], "--key-type"),
        (["issue", "-d", "a", "--key-typ=x"], "--key-type"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_nearest_word(argv: list[str], near: str) -> None:
    """A mistyped command or option is answered with the nearest one."""
    answer = command(*argv)
    assert answer.status == 2
    assert near in answer.err.splitlines()[1]


@pytest.mark.parametrize("family", ["issuer", "account", "target"])
def test_a_family_alone_lists(family: str) -> None:
    """A family's name alone lists its members."""
    assert command(family).out == command(family, "list").out


def test_a_folder_of_the_usual_files() -> None:
    """`--folder` makes domain.crt and domain.key the pair of the target, and adds files named after the domain (SO-18, SO-19)."""
    engine = FakeEngine()
    command("target", "add", "domains", "--folder", "/srv/d", "--primary", "shop.example.com", engine=engine)
    (config,) = [arguments["config"] for arguments in asked(engine, "add_target")]
    assert (config.certificate, config.key) == ("/srv/d/domain.crt", "/srv/d/domain.key")
    assert {"fullchain:/srv/d/shop.example.com.cer", "key:/srv/d/shop.example.com.key"} < set(config.also)


# -- unforeseen --------------------------------------------------------------------------------------------------------


def test_a_bug_is_kept_in_the_log(home: Path) -> None:
    """A mistake of ours shows what, why and where the log is; the traceback is in the log, which is 0600."""
    engine = FakeEngine(home=home)
    engine.fails["status"] = ZeroDivisionError("secret details")
    answer = command("status", engine=engine)
    assert answer.status == 1
    assert "secret details" not in answer.out + answer.err
    log = home / "log" / "certdeck.log"
    assert str(log) in answer.err
    assert "ZeroDivisionError: secret details" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_bug_without_a_log(home: Path) -> None:
    """When the log cannot be written either, the place of the mistake is named."""
    home.write_text("no folder")
    engine = FakeEngine(home=home)
    engine.fails["status"] = ZeroDivisionError()
    answer = command("status", "--json", engine=engine)
    assert (answer.status, answer.error["code"]) == (1, "internal")
    assert "line" in answer.error["fix"]


def test_an_interrupt_is_told_calmly() -> None:
    """Ctrl-C before anything began ends with 1 and `cancelled`."""
    engine = FakeEngine()
    engine.fails["status"] = KeyboardInterrupt()
    answer = command("status", "--json", engine=engine)
    assert (answer.status, answer.error["code"]) == (1, "cancelled")


def test_the_console_needs_a_terminal(home: Path) -> None:
    """Without a terminal `certdeck` alone names the commands and ends with 2."""
    answer = process(home=home, fresh=True)
    assert (answer.status, answer.out) == (2, "")
    for words in ("certdeck status", "certdeck issue", "certdeck --help"):
        assert words in answer.err


# -- the log -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "more", "is_done"),
    [("y\n", [], True), ("\n", [], False), ("", [], False), ("", ["--yes"], True)],
    ids=["yes", "nothing", "end", "--yes"],
)
def test_a_new_log_is_asked_for_on_a_terminal(typed: str, more: list[str], is_done: bool) -> None:
    """On a terminal `log --new-chain` says what becomes of the old log, and does nothing without a yes."""
    engine = FakeEngine()
    answer = command("log", "--new-chain", *more, engine=engine, terminal=True, typed=typed)
    assert bool(asked(engine, "new_log_chain")) == is_done
    assert (answer.status == 0) == is_done
    if not more:
        assert "moved to state/set-aside" in answer.err
        assert "Nothing is deleted" in answer.err


def test_a_script_that_begins_a_new_log_is_not_asked() -> None:
    """Without a terminal the command does what it says, as it did before."""
    engine = FakeEngine()
    answer = command("log", "--new-chain", "--json", engine=engine)
    assert (answer.status, len(asked(engine, "new_log_chain"))) == (0, 1)
