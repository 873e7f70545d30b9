"""`certdeck dns …`: entries with their secrets, the kinds, and the connection test, over a double of the engine."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from syrupy.assertion import SnapshotAssertion

from core.config.model import Config, DnsProviderConfig
from core.operations import EntryField, ServerView
from tests.support.command import Answer, FakeStream, command, process
from tests.support.fake_dns import KINDS, LEXICON, bad_test, provider_info
from tests.support.fake_engine import FakeEngine

SECRET = "s3cr3t-Value_0f-nobody"
ADD = ("dns", "add", "cf", "--kind", "cloudflare", "--zone", "example.com")


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """A file with a secret in it."""
    file = tmp_path / "token.txt"
    file.write_text(f"{SECRET}\n")
    return file


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a person types at the prompts without echo, one after the other; each must be asked for."""
    answers: list[str] = []
    asked: list[str] = []

    def ask(prompt: str = "", stream: object = None) -> str:
        asked.append(prompt)
        if not answers:
            raise EOFError
        return answers.pop(0)

    monkeypatch.setattr(getpass, "getpass", ask)
    yield answers
    assert answers == []


def shown(answer: Answer) -> str:
    return f"-- stdout\n{answer.out}-- stderr\n{answer.err}-- exit status {answer.status}\n"


def added(engine: FakeEngine) -> dict[str, Any]:
    """Return with what add_dns_provider was called last."""
    return next(given for called, given in reversed(engine.calls) if called == "add_dns_provider")


# -- add ---------------------------------------------------------------------------------------------------------------


def test_add(token: Path, golden: SnapshotAssertion) -> None:
    """Settings go to the configuration, the secret from its file to the vault, and neither output shows it (ST-23, ST-26)."""
    engine = FakeEngine()
    answer = command(
        *ADD,
        "example.net",
        *("--set", "zone_id=0a1b", "endpoint=https://127.0.0.1:8443"),
        *("--secret", f"api_token={token}"),
        *("--delegate", "www.example.com=www.proofs.example.net"),
        engine=engine,
    )
    assert added(engine) == {
        "config": DnsProviderConfig(
            name="cf",
            kind="cloudflare",
            zones=("example.com", "example.net"),
            settings={"zone_id": "0a1b", "endpoint": "https://127.0.0.1:8443"},
            delegations={"www.example.com": "www.proofs.example.net"},
        ),
        "secrets": {"api_token": SECRET.encode()},
        "replace": False,
    }
    assert SECRET not in answer.out + answer.err
    assert shown(answer) == golden


def test_add_in_json(token: Path) -> None:
    """`dns add --json` shows the entry; of a secret only that it is there."""
    answer = command(*ADD, "--secret", f"api_token={token}", "--json")
    assert answer.status == 0
    assert answer.json["secrets"] == {"api_token": True}
    assert (answer.json["name"], answer.json["changed"]) == ("cf", True)
    assert SECRET not in answer.out + answer.err


def test_an_account_that_was_made_says_its_cname() -> None:
    """Where the provider has made an account by itself (acme-dns), the CNAME that leads to it is said."""

    class Registering(FakeEngine):
        def add_dns_provider(self, config: DnsProviderConfig, *given: Any, **named: Any) -> Any:
            made = super().add_dns_provider(config, *given, **named)
            return replace(made, settings={**made.settings, "fulldomain": "8e57.auth.example.net"})

    answer = command("dns", "add", "own", "--kind", "hook", "--set", "command=/bin/true", engine=Registering())
    assert "_acme-challenge.DOMAIN. IN CNAME 8e57.auth.example.net." in answer.out.splitlines()


@pytest.mark.parametrize(
    "content",
    [b"s3cr3t", b"s3cr3t\n", b"s3cr3t\r\n", b"s3cr3t\n\n", b"\xef\xbb\xbfs3cr3t\n", "s3cr3t\r\n".encode("utf-16")],
)
def test_what_an_editor_adds_is_no_secret(tmp_path: Path, content: bytes) -> None:
    """Line ends at the end, and the mark that Windows writes before the text, are not part of a secret."""
    (tmp_path / "t").write_bytes(content)
    engine = FakeEngine()
    assert command(*ADD, "--secret", f"api_token={tmp_path / 't'}", engine=engine).status == 0
    assert added(engine)["secrets"] == {"api_token": b"s3cr3t"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b" \n", "empty", id="blank"),
        pytest.param(b"s3cr3t\0", "NUL", id="nul"),
        pytest.param(b"s3c\x1b[31mr3t", "control characters", id="escape"),
        pytest.param(b"s3cr3t\r\nX-Evil: 1", "several lines", id="two-lines"),
        pytest.param(b"s3cr3t\xff", "not text", id="binary"),
        pytest.param(b"s3cr3t" * 20_000, "too large", id="long"),
    ],
)
def test_what_no_secret_can_be(tmp_path: Path, content: bytes, why: str) -> None:
    """What no provider hands out as a secret is refused before the engine is asked, and not repeated."""
    (tmp_path / "t").write_bytes(content)
    engine = FakeEngine()
    answer = command(*ADD, "--secret", f"api_token={tmp_path / 't'}", "--json", engine=engine)
    assert (answer.status, answer.error["code"]) == (2, "usage")
    assert why in answer.error["why"]
    assert "s3c" not in answer.out
    assert "add_dns_provider" not in [called for called, _ in engine.calls]


def test_a_secret_of_many_lines(tmp_path: Path) -> None:
    """A hook may have a key in PEM as its secret, whole."""
    (tmp_path / "t").write_bytes(b"-----BEGIN X-----\nabc\n-----END X-----\n")
    engine = FakeEngine()
    argv = ("dns", "add", "own", "--kind", "hook", "--set", "command=/usr/local/bin/set-txt")
    assert command(*argv, "--secret", f"DNS_KEY={tmp_path / 't'}", engine=engine).status == 0
    assert added(engine)["secrets"] == {"DNS_KEY": b"-----BEGIN X-----\nabc\n-----END X-----"}


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(("--set", f"api_token={SECRET}"), id="as-setting"),
        pytest.param(("--secret", f"api_token={SECRET}"), id="instead-of-its-file"),
        pytest.param(("--secret", SECRET), id="without-key"),
        pytest.param(("--secret", f"{SECRET}="), id="without-file"),
        pytest.param(("--secret", f"{SECRET}=x"), id="turned-round"),
        pytest.param(("--set", SECRET), id="setting-without-key"),
        pytest.param(("--secret", "zone_id=x"), id="a-setting-as-secret"),
        pytest.param(("--replace", SECRET), id="stray"),
        pytest.param((f"--api-token={SECRET}",), id="own-option"),
        pytest.param(("--api-token", SECRET), id="own-option-apart"),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["plain", "json"])
def test_a_secret_among_the_arguments_is_refused(argv: tuple[str, ...], form: tuple[str, ...]) -> None:
    """A secret in an argument is refused with the right way to give it, and the words do not say it once more (ST-26)."""
    engine = FakeEngine()
    answer = command(*ADD, *argv, *form, engine=engine)
    assert answer.status == 2
    assert SECRET not in answer.out + answer.err
    assert "add_dns_provider" not in [called for called, _ in engine.calls]


def test_a_hook_s_undeclared_secret_is_none_of_its_settings() -> None:
    """Where any setting is passed on, one that is called like a secret still belongs into a file."""
    answer = command("dns", "add", "own", "--kind", "hook", "--set", "command=/bin/x", f"MY_API_TOKEN={SECRET}")
    assert answer.status == 2
    assert "--secret MY_API_TOKEN=FILE" in answer.err
    assert SECRET not in answer.err


def test_a_missing_secret_without_a_terminal_names_its_option() -> None:
    """With nobody to ask, the error names the option for each secret that is missing."""
    answer = command("dns", "add", "gd", "--kind", "godaddy", "--zone", "example.com", "--json")
    assert (answer.status, answer.error["code"]) == (2, "usage")
    assert "--secret api_key=FILE --secret api_secret=FILE" in answer.error["fix"]
    assert set(answer.error["details"]["problems"]) == {"api_key", "api_secret"}


def test_missing_secrets_are_asked_for(typed: list[str]) -> None:
    """On a terminal what is missing is asked for without echo, after everything else was found right."""
    engine = FakeEngine()
    typed += ["key-1", SECRET]
    answer = command("dns", "add", "gd", "--kind", "godaddy", "--zone", "example.com", engine=engine, terminal=True)
    assert answer.status == 0, answer.err
    assert added(engine)["secrets"] == {"api_key": b"key-1", "api_secret": SECRET.encode()}
    assert SECRET not in answer.out + answer.err


def test_nothing_is_asked_while_something_else_is_wrong(typed: list[str]) -> None:
    """Nobody types a secret for an entry that cannot be kept anyway."""
    answer = command("dns", "add", "ns", "--kind", "rfc2136", "--set", "port=x", terminal=True)
    assert answer.status == 2
    assert "Server is missing." in answer.err
    optional = (EntryField(key="auth_token", label="Token", secret=True, required=False),)
    engine = FakeEngine()
    engine.kinds = (replace(LEXICON, fields=optional),)
    argv = ("dns", "add", "do", "--kind", LEXICON.name, "--zone", "no zone")
    assert command(*argv, engine=engine, terminal=True).status == 2
    assert typed == []


def test_an_answer_that_is_wrong_is_asked_for_again(typed: list[str]) -> None:
    """What a field's own check refuses is said, and asked for again."""
    engine = FakeEngine()
    field = EntryField(
        key="token", label="Token", secret=True, check=lambda value: None if value == "right" else "Not of this form."
    )
    engine.kinds = (*KINDS[:1], KINDS[1].__class__(name="odd", title="Odd", fields=(field,), help=""))
    typed += ["wrong", "right"]
    answer = command("dns", "add", "odd", "--kind", "odd", engine=engine, terminal=True)
    assert answer.status == 0
    assert "Token: Not of this form." in answer.err
    assert added(engine)["secrets"] == {"token": b"right"}


def test_secrets_that_may_be_needed_are_asked_for(typed: list[str]) -> None:
    """Of a kind that does not say which of its secrets it needs each is asked for; an empty answer leaves one out (SO-26)."""
    engine = FakeEngine()
    fields = tuple(EntryField(key=key, label=key, secret=True, required=False) for key in ("auth_token", "auth_key"))
    engine.kinds = (replace(LEXICON, fields=fields),)
    typed += ["", SECRET]
    argv = ("dns", "add", "do", "--kind", LEXICON.name, "--zone", "example.com")
    assert command(*argv, engine=engine, terminal=True).status == 0
    assert added(engine)["secrets"] == {"auth_key": SECRET.encode()}
    engine = FakeEngine()
    engine.kinds = (replace(LEXICON, fields=fields),)
    assert command(*argv, engine=engine).status == 0
    assert added(engine)["secrets"] == {}


def test_no_answer_ends_it(typed: list[str]) -> None:
    """An end of input or an empty answer ends the command with nothing kept."""
    engine = FakeEngine()
    answer = command(*ADD, engine=engine, terminal=True)
    assert answer.status == 1
    assert "Nothing was done." in answer.err
    assert engine.known_providers == ()
    assert typed == []


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        pytest.param(("dns", "add", "cf"), "--kind", id="no-kind"),
        pytest.param((*ADD, "--secret", "api_token=-", "api_token=-"), "twice", id="secret-twice"),
        pytest.param((*ADD, "--set", "zone_id=1", "zone_id=2"), "twice", id="setting-twice"),
        pytest.param((*ADD, "--set", "zone_id="), "empty", id="empty-setting"),
        pytest.param((*ADD, "--delegate", "www.example.com"), "DOMAIN=NAME", id="no-delegation"),
        pytest.param((*ADD, "--delegate", "www.example.com="), "empty", id="empty-delegation"),
        pytest.param(("dns", "add", "h", "--kind", "hook", "--set", "kind=cloudflare"), "--kind", id="kind-as-setting"),
        pytest.param(("dns", "add", "h", "--kind", "hook", "--set", "zones=a.b"), "--zone", id="zones-as-setting"),
        pytest.param(
            ("dns", "add", "gd", "--kind", "godaddy", "--secret", "api_key=-", "api_secret=-"), "once", id="stdin"
        ),
    ],
)
def test_wrong_usage(argv: tuple[str, ...], word: str) -> None:
    """What cannot be meant is refused with exit status 2 before anything is kept."""
    engine = FakeEngine()
    answer = command(*argv, "--json", engine=engine)
    assert answer.status == 2
    assert word in " ".join(answer.error[part] for part in ("what", "why", "fix"))
    assert engine.known_providers == ()


def test_an_unknown_kind_is_wrong_usage() -> None:
    """A kind that there is not ends with 2 and the names of those that there are."""
    answer = command("dns", "add", "x", "--kind", "cloudfare", "--json")
    assert (answer.status, answer.error["code"]) == (2, "usage")
    assert "cloudflare" in answer.error["fix"]


def existing() -> FakeEngine:
    """Make an engine with the entry `cf`."""
    engine = FakeEngine()
    entry = DnsProviderConfig(
        name="cf", kind="cloudflare", zones=("example.com",), settings={"zone_id": "0a"}, delegations={"a.b": "c.d"}
    )
    engine.settings = Config(dns_providers={"cf": entry})
    engine.known_providers = (provider_info("cf", settings={"zone_id": "0a"}),)
    return engine


def test_an_entry_is_not_replaced_by_chance(token: Path) -> None:
    """An entry of the same name is only changed with --replace."""
    answer = command(*ADD, "--secret", f"api_token={token}", "--json", engine=existing())
    assert (answer.status, answer.error["details"]) == (2, {"needs": "replace"})


def test_replace_keeps_what_is_not_given() -> None:
    """With --replace only what is given changes: zones, settings, delegations and secrets stay, an empty value takes away."""
    engine = existing()
    assert command("dns", "add", "cf", "--replace", "--set", "endpoint=https://proxy", engine=engine).status == 0
    config = added(engine)["config"]
    assert (config.zones, config.delegations) == (("example.com",), {"a.b": "c.d"})
    assert config.settings == {"zone_id": "0a", "endpoint": "https://proxy"}
    assert added(engine)["secrets"] == {}
    taken_away = ("--set", "zone_id=", "--delegate", "a.b=")
    assert command("dns", "add", "cf", "--replace", *taken_away, engine=engine).status == 0
    assert (added(engine)["config"].settings, added(engine)["config"].delegations) == ({}, {})


def test_another_kind_takes_no_settings_over(token: Path) -> None:
    """With --replace and another kind the settings of the kind before are gone."""
    engine = existing()
    secrets = (f"api_key={token}", f"api_secret={token}")
    answer = command("dns", "add", "cf", "--replace", "--kind", "godaddy", "--secret", *secrets, engine=engine)
    assert answer.status == 0, answer.err
    assert added(engine)["config"].settings == {}


def test_a_secret_from_standard_input(home: Path) -> None:
    """In a process of its own: `-` reads the secret from standard input, and it is found in no file of ours in the clear."""
    answer = process(*ADD, "--secret", "api_token=-", "--json", home=home, stdin=SECRET.encode() + b"\n")
    assert (answer.status, answer.err) == (0, ""), answer.out
    assert answer.json["secrets"] == {"api_token": True}
    files = [file for file in home.rglob("*") if file.is_file()]
    assert not [file for file in files if SECRET.encode() in file.read_bytes()]
    assert "example.com" in (home / "etc" / "certdeck.toml").read_text()
    listed = process("dns", "list", "--json", home=home).json["providers"]
    assert [(each["name"], each["kind"], each["missing"]) for each in listed] == [("cf", "cloudflare", [])]
    assert process("dns", "remove", "cf", "--json", home=home).status == 0
    assert process("dns", "list", "--json", home=home).json == {"providers": []}


# -- list, kinds, remove -----------------------------------------------------------------------------------------------


def test_list(golden: SnapshotAssertion) -> None:
    """Every entry is a line: its kind, its zones, which certificates use it, and whether something is missing (ST-25)."""
    engine = FakeEngine()
    told = shown(command("dns", engine=engine))
    engine.known_providers = (
        provider_info("cf", lineages=("shop", "wild")),
        provider_info("ns", "rfc2136", zones=(), missing=("tsig_secret",), secrets={"tsig_secret": False}),
    )
    assert told + shown(command("dns", "list", engine=engine)) == golden


def test_kinds(golden: SnapshotAssertion) -> None:
    """The kinds with what each asks for; one in full says where each thing is found and what surprises people (ST-23, SO-26)."""
    told = "".join(
        shown(command("dns", "kinds", *kind)) for kind in ([], ["godaddy"], ["rfc2136"], ["hook"], [LEXICON.name])
    )
    assert told == golden


def test_remove_says_who_uses_it() -> None:
    """An entry that a certificate uses is not removed."""
    engine = FakeEngine()
    engine.known_providers = (provider_info("cf", lineages=("shop",)),)
    answer = command("dns", "remove", "cf", engine=engine)
    assert answer.status == 1
    assert "shop" in answer.err


# -- test --------------------------------------------------------------------------------------------------------------


def provided() -> FakeEngine:
    engine = FakeEngine()
    engine.known_providers = (provider_info("cf"), provider_info("own", "hook", zones=()))
    return engine


def test_connection_test(golden: SnapshotAssertion) -> None:
    """Each step is a line with its time, the name servers are a table, a failed step says what to mend (ST-24)."""
    engine = provided()
    told = shown(command("dns", "test", "cf", engine=engine))
    engine.dns_test = bad_test()
    assert told + shown(command("dns", "test", "cf", "--domain", "www.example.com", engine=engine)) == golden
    assert engine.calls[-1] == ("test_dns_provider", {"name": "cf", "domain": "www.example.com"})


def test_steps_are_seen_as_they_end() -> None:
    """On a terminal a step's line is there before the next step ends, and each is there once (ST-24)."""
    engine = provided()
    engine.dns_test = bad_test()
    lines: list[int] = []

    def look(event: object) -> None:
        stream = sys.stdout
        assert isinstance(stream, FakeStream)
        lines.append(len(stream.getvalue().splitlines()))

    engine.before_event = look
    answer = command("dns", "test", "cf", engine=engine, terminal=True)
    assert lines == [0, 1, 2, 3, 4]
    assert answer.out.count("Write record") == 1
    assert answer.out.index("Remove record") < answer.out.index("fix: ")


def test_without_a_domain() -> None:
    """Where no domain can be told, one is asked for by its option."""
    answer = command("dns", "test", "own", engine=provided())
    assert answer.status == 2
    assert "--domain" in answer.err


def test_connection_test_in_json() -> None:
    """`dns test --json` is one object with every step, who has the record and whether all is well; progress is on stderr."""
    engine = provided()
    answer = command("dns", "test", "cf", "--json", engine=engine)
    assert answer.status == 0
    assert list(answer.json) == ["name", "domain", "zone", "record", "ok", "steps", "servers"]
    assert [each["id"] for each in answer.json["steps"]] == ["credentials", "zone", "write", "seen", "remove"]
    assert {tuple(each) for each in answer.json["steps"]} == {("id", "status", "detail", "fix", "milliseconds")}
    assert list(answer.json["servers"][0]) == ["server", "address", "state", "milliseconds"]
    assert list(answer.json["record"]) == ["name", "type", "value"]
    assert "credentials: passed" in answer.err
    engine.dns_test = bad_test()
    answer = command("dns", "test", "cf", "--json", engine=engine)
    assert (answer.status, answer.json["ok"], answer.json["record"]) == (1, False, None)


# -- streams -----------------------------------------------------------------------------------------------------------

NASTY = "\x1b]0;owned\x07\x1b[2J\u202egnp\x9b31m\r\nfix: run rm -rf\x00"
LOOKS = [("dns", "list"), ("dns", "kinds"), ("dns", "kinds", "hook"), ("dns", "test", "cf")]


@pytest.mark.parametrize("argv", LOOKS, ids=" ".join)
def test_without_colour_and_without_unicode(monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]) -> None:
    """NO_COLOR means no colours; a terminal without Unicode gets ASCII, as aligned as before."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in command(*argv, engine=provided(), terminal=True).out
    plain = command(*argv, engine=provided())
    ascii_only = command(*argv, engine=provided(), encoding="ascii")
    assert (ascii_only.out + ascii_only.err).isascii()
    assert [len(line) for line in ascii_only.out.splitlines()] == [len(line) for line in plain.out.splitlines()]


@pytest.mark.parametrize("argv", LOOKS, ids=" ".join)
def test_hostile_words_are_data(argv: tuple[str, ...]) -> None:
    """What a provider, a name server or a configuration says is shown without anything that a terminal would obey."""
    engine = provided()
    field = EntryField(key="token", label=NASTY, help=NASTY, secret=True, default=NASTY, choices=(NASTY,))
    hook = replace(KINDS[3], title=NASTY, help=NASTY, notes=(NASTY,), fields=(field,))
    engine.kinds, engine.lexicon = (hook,), (NASTY,)
    entry = provider_info("cf", zones=(NASTY,), lineages=(NASTY,), missing=(NASTY,), title=NASTY)
    engine.known_providers = (entry,)
    test = bad_test()
    steps = tuple(replace(each, detail=NASTY, fix=NASTY) for each in test.steps)
    view = ServerView(server=NASTY, address=NASTY, state="has")
    engine.dns_test = replace(test, steps=steps, servers=(view,), zone=NASTY)
    answer = command(*argv, engine=engine)
    text = answer.out + answer.err
    assert text.replace("\n", "").isprintable()
    assert "\u202e" not in text
    assert not any(line.startswith("fix: run") for line in text.splitlines())
