"""The providers of dns-lexicon: their forms, the child that works for them, and what it does against a real PowerDNS (ST-18)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from core.dns.catalogue import kind_named
from core.dns.provider import Access, TxtRecord
from core.dns.providers import lexicon_child
from core.dns.providers.lexicon import CHILD, LEFT_OUT, Lexicon, lexicon_kind, lexicon_names, providers
from core.dns.providers.lexicon_child import MARK
from core.errors import DnsProviderError, NotFound
from core.ports import Completed, Runner
from core.system.clock import SystemClock
from core.system.processes import SystemRunner
from tests.support.dns_access import access, naps_of
from tests.support.powerdns import API_KEY, CHALLENGE, ZONE, PowerDnsServer
from tests.support.runner import FakeRunner

FOREIGN = "somebody-elses-value-of-forty-three-charact"
MINE = tuple(
    TxtRecord(name=CHALLENGE, value=value)
    for value in ("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA", "gfj9Xq-Rg85nM3xCzHhJqyNqJ0Z1QbW8kVYt2dF5LrE")
)


def entry(runner: Runner, **more: Any) -> Access:
    return access(
        lexicon_kind("powerdns"),
        runner=runner,
        settings={"pdns_server": "http://192.0.2.53:8081", **more.pop("settings", {})},
        secrets={"auth_token": API_KEY, **more.pop("secrets", {})},
        **more,
    )


# -- forms -----------------------------------------------------------------------------------------------------------


def test_about_eighty_more_providers_are_offered() -> None:
    """Lexicon's providers are kinds, but for those whose packages are missing and those that are not safe there."""
    names = lexicon_names()
    assert len(names) > 75
    assert {"powerdns", "gandi", "ovh", "hetzner"} <= {*names}
    assert not {*LEFT_OUT} & {*names}
    assert kind_named("lexicon:ovh") is lexicon_kind("ovh")


def test_the_list_is_lexicons_own() -> None:
    """Which providers there are, and which can be used here, is what lexicon itself finds out, without loading it."""
    from lexicon._private.discovery import find_providers

    assert providers() == find_providers()


def test_a_form_is_made_of_lexicons_own_options() -> None:
    """Options become fields with their help; what is named like a secret is one, flags and choices are choices."""
    fields = {field.key: field for field in lexicon_kind("ovh").fields}
    assert fields["auth_application_secret"].secret
    assert fields["auth_consumer_key"].secret
    assert not fields["auth_entrypoint"].secret
    assert "ovh-eu" in fields["auth_entrypoint"].choices
    assert fields["auth_entrypoint"].help == "Specify the OVH entrypoint."
    google = {field.key: field for field in lexicon_kind("googleclouddns").fields}
    assert google["private_zone"].choices == ("true", "false")
    assert google["auth_service_account_info"].secret
    assert {field.key: field for field in lexicon_kind("rackspace").fields}["sleep_time"].default == "1"


def test_every_form_can_be_made() -> None:
    """No provider's form fails, and each field stands in it once."""
    for name in lexicon_names():
        keys = [field.key for field in lexicon_kind(name).fields]
        assert len(keys) == len({*keys}), name
        assert all(field.help for field in lexicon_kind(name).fields), name


def test_no_provider_is_without_a_secret() -> None:
    """Each provider has at least one option that is taken for a secret, so that no password ends up in the configuration."""
    assert [name for name in lexicon_names() if not lexicon_kind(name).secrets] == []


@pytest.mark.parametrize(
    ("name", "word"),
    [("powerdsn", "powerdns"), ("namecheap", "own kind"), ("auto", "guesses"), ("localzone", "dns-lexicon[localzone]")],
)
def test_kinds_that_there_are_not_come_in_words(name: str, word: str) -> None:
    """A misspelt provider, one that is left out and one that lacks packages are each told with the way on."""
    with pytest.raises(NotFound) as caught:
        kind_named(f"lexicon:{name}")
    assert word in str(caught.value)


def test_without_lexicon_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where dns-lexicon is not installed, nothing is offered and the error says how to get it."""
    import sys

    monkeypatch.setitem(sys.modules, "lexicon", None)  # what a missing package looks like to an import
    for cached in (providers, lexicon_names, lexicon_kind):
        cached.cache_clear()
    try:
        assert lexicon_names() == ()
        with pytest.raises(NotFound, match="dns-lexicon") as caught:
            lexicon_kind("ovh")
        assert "certdeck[dns-more]" in caught.value.fix
    finally:
        for cached in (providers, lexicon_names, lexicon_kind):
            cached.cache_clear()


# -- a real server ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerDnsServer]:
    """A server that the tests of this file share."""
    server = PowerDnsServer(tmp_path_factory.mktemp("pdns"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: PowerDnsServer) -> Iterator[PowerDnsServer]:
    """The server; everything in its zone has to be as it was when the test is over."""
    before = running.snapshot()
    yield running
    assert running.snapshot() == before


def at(server: PowerDnsServer, **more: Any) -> Lexicon:
    runner = SystemRunner({"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    return Lexicon(entry(runner, settings={"pdns_server": server.endpoint}, **more))


@pytest.mark.e2e
def test_writers_at_once_keep_each_others_values(server: PowerDnsServer) -> None:
    """Two children at the same name at the same time: in the end all values stand, and are removed again."""
    records = [TxtRecord(name=CHALLENGE, value=f"writer-{number}") for number in range(2)]

    def write(number: int) -> None:
        at(server, clock=SystemClock()).change(ZONE, add=[records[number]])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    assert server.query(CHALLENGE) == sorted([FOREIGN, *(each.value for each in records)])
    at(server).change(ZONE, remove=records)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("given", "zone", "reason"),
    [
        pytest.param({"secrets": {"auth_token": "wrong-secret-key"}}, ZONE, "credentials", id="wrong-key"),
        pytest.param({}, "example.org", "refused", id="no-such-zone"),
    ],
)
def test_refusals_come_in_words(server: PowerDnsServer, given: dict[str, Any], zone: str, reason: str) -> None:
    """What the provider raises in the child becomes an error with its words, without traceback and secret."""
    with pytest.raises(DnsProviderError) as caught:
        at(server, **given).change(zone, add=[TxtRecord(name=f"_acme-challenge.{zone}", value=MINE[0].value)])
    assert caught.value.details["reason"] == reason
    assert "Traceback" not in str(caught.value)
    assert "wrong-secret-key" not in str(caught.value)


# -- how the child is started ----------------------------------------------------------------------------------------


def says(**said: Any) -> Completed:
    """Return a child that ends with this result, after noise of its own."""
    return Completed(returncode=0, output=f"noise\n{MARK}not the last\n\n{MARK}{json.dumps(said)}\n")


STANDS = says(changed=1, stands=True, alone=True)


class Children(FakeRunner):
    """Answers one start after the other; the last answer for ever."""

    def __init__(self, *answers: Completed) -> None:
        super().__init__()
        self._answers = list(answers)

    def run(self, argv: Any, **rest: Any) -> Completed:
        super().run(argv, **rest)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def test_secrets_go_over_standard_input_alone() -> None:
    """The child is isolated, gets a home of its own that is gone afterwards, and no secret by argument or environment."""
    runner = Children(STANDS)
    Lexicon(entry(runner, settings={"ttl": "300", "ca_bundle": "/etc/ca.pem"})).change(ZONE, add=MINE)
    (ran,) = runner.ran
    assert ran.argv[1:] == ("-I", str(CHILD))
    assert API_KEY not in repr(ran.argv) + repr(ran.extra_env)
    assert ran.extra_env["REQUESTS_CA_BUNDLE"] == "/etc/ca.pem"
    assert not Path(ran.extra_env["HOME"]).exists()
    asked = json.loads(ran.stdin or b"")
    assert asked["options"]["auth_token"] == API_KEY
    assert asked["zone"] == ZONE
    assert asked["ttl"] == 300
    assert "ttl" not in asked["options"]
    assert ran.timeout < 600


def test_beside_others_it_looks_until_nothing_is_left() -> None:
    """Alone one child is enough; beside others, or when a value is not seen, another one looks after a pause."""
    runner = Children(says(changed=1, stands=False, alone=True), says(changed=0, stands=True, alone=True))
    made = entry(runner)
    Lexicon(made).change(ZONE, add=MINE)
    assert len(runner.ran) == 2
    assert len(naps_of(made)) == 1


def test_a_change_that_does_not_stay_is_told() -> None:
    """Where others undo it again and again, the error says so."""
    runner = Children(says(changed=1, stands=True, alone=False))
    with pytest.raises(DnsProviderError) as caught:
        Lexicon(entry(runner)).change(ZONE, add=MINE)
    assert caught.value.details["reason"] == "conflict"
    assert len(runner.ran) == 5


@pytest.mark.parametrize(
    ("answer", "reason", "word"),
    [
        (Completed(returncode=-9, output="", timed_out=True), "temporary", "stopped"),
        (Completed(returncode=1, output="python: broken"), "refused", "broken"),
        (Completed(returncode=0, output=f"{MARK}[1, 2]\n"), "refused", "without a result"),
        (says(error=["AuthenticationError", "LexiconError"], said="no zone", status=None), "credentials", "no zone"),
        (says(error=["HTTPError", "RequestException", "OSError"], said="403", status=403), "credentials", "403"),
        (says(error=["HTTPError", "RequestException", "OSError"], said="x", status=503), "temporary", "x"),
        (says(error=["ConnectionError", "RequestException", "OSError"], said="no route"), "unreachable", "no route"),
        (says(error=["ModuleNotFoundError", "ImportError"], said="No module named 'x'"), "refused", "dns-lexicon["),
        (says(error=["KeyError", "LookupError"], said=f"'{API_KEY}' url?k=a%2Fb"), "refused", "…"),
    ],
)
def test_failures_of_the_child_come_in_words(answer: Completed, reason: str, word: str) -> None:
    """Each way in which a child can end badly has its words, with secrets cut out, as they stand in addresses too."""
    with pytest.raises(DnsProviderError) as caught:
        Lexicon(entry(Children(answer), secrets={"extra": "a/b"})).change(ZONE, add=MINE)
    assert caught.value.details["reason"] == reason
    assert word in str(caught.value)
    assert API_KEY not in str(caught.value)
    assert "a%2Fb" not in str(caught.value)


def test_an_entry_without_credentials_starts_no_child() -> None:
    """Lexicon would go to the network without them; we say which are missing."""
    runner = Children(STANDS)
    with pytest.raises(DnsProviderError, match="credentials"):
        Lexicon(access(lexicon_kind("powerdns"), runner=runner, settings={"pdns_server": "x"})).change(ZONE, add=MINE)
    assert runner.ran == []


def test_nothing_to_do_starts_no_child() -> None:
    """No records, or one that is asked to be there and not: no child for the former, and it stays for the latter."""
    runner = Children(STANDS)
    Lexicon(entry(runner)).change(ZONE)
    assert runner.ran == []
    Lexicon(entry(runner)).change(ZONE, add=MINE[:1], remove=MINE[:1])
    assert json.loads(runner.ran[0].stdin or b"")["remove"] == []


# -- what the child does ---------------------------------------------------------------------------------------------


class Clumsy:
    """A provider of lexicon with every bad habit: adds twice, fails to remove what is gone, loses others, quotes."""

    domain = ZONE

    def __init__(self, *contents: str, loses: str = "", name: str = CHALLENGE) -> None:
        self.records = [{"name": name, "type": "TXT", "content": f'"{content}"'} for content in contents]
        self._loses = loses

    def list_records(self, rtype: str, name: str) -> list[dict[str, Any]]:
        return [*self.records, {"name": f"x.{name}", "type": "TXT", "content": "of another name"}]

    def create_record(self, rtype: str, name: str, content: str) -> bool:
        self.records.append({"name": name, "type": rtype, "content": f'"{content}"'})
        self.records = [each for each in self.records if each["content"] != f'"{self._loses}"']
        self._loses = ""
        return True

    def delete_record(self, identifier: None, rtype: str, name: str, content: str) -> bool:
        kept = [each for each in self.records if each["content"] != content]
        if len(kept) == len(self.records):
            raise ValueError("no such record")
        self.records = kept
        return True

    @property
    def values(self) -> list[str]:
        return [each["content"].strip('"') for each in self.records]


def test_the_child_adds_and_removes_once() -> None:
    """A value that is there is not added, one that is gone not removed, and quotes of a provider are no difference."""
    provider = Clumsy("mine", "theirs")
    said = lexicon_child.change(provider, [(CHALLENGE, "mine"), (CHALLENGE, "new")], [(CHALLENGE, "gone")])
    assert provider.values == ["mine", "theirs", "new"]
    assert said == {"changed": 1, "stands": True, "alone": False}
    assert lexicon_child.change(provider, [], [(CHALLENGE, "mine")])["changed"] == 1
    assert provider.values == ["theirs", "new"]


def test_the_child_puts_back_what_a_provider_loses() -> None:
    """A value of somebody else that is gone after our change is put back."""
    provider = Clumsy("theirs", loses="theirs")
    said = lexicon_child.change(provider, [(CHALLENGE, "mine")], [])
    assert sorted(provider.values) == ["mine", "theirs"]
    assert said["changed"] == 2


def test_the_child_knows_names_relative_to_the_zone() -> None:
    """Providers that give names as they stand in the zone are understood."""
    provider = Clumsy("mine", name="_acme-challenge")
    assert lexicon_child.change(provider, [(CHALLENGE, "mine")], []) == {"changed": 0, "stands": True, "alone": True}


def test_a_provider_that_does_nothing_is_not_believed() -> None:
    """False from a provider is a failure, though it raises nothing."""
    provider = Clumsy()
    provider.create_record = lambda *_: False
    with pytest.raises(RuntimeError, match=CHALLENGE):
        lexicon_child.change(provider, [(CHALLENGE, "mine")], [])


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("abc", "abc"),
        ('"abc"', "abc"),
        ('"ab" "c"', "abc"),
        ('"a\\"b\\\\"', 'a"b\\'),
        ('"', '"'),
        ('say "hi"', 'say "hi"'),
    ],
)
def test_values_are_compared_plain(content: str, value: str) -> None:
    """Quotes and strings of zone files are taken away; quotes inside a value are not."""
    assert lexicon_child.plain(content) == value


def test_the_child_always_has_a_result(tmp_path: Path) -> None:
    """Whatever it is asked, the program's last line is a result and no traceback."""
    import sys

    done = SystemRunner({}).run([sys.executable, "-I", str(CHILD)], timeout=60, stdin=b"no JSON")
    assert done.returncode == 0
    assert "Traceback" not in done.output
    assert done.output.splitlines()[-1].startswith(f'{MARK}{{"error": ["JSONDecodeError"')
