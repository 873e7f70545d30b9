"""A program of the appliance's own as a DNS provider: how it is called, and what becomes of its failures (ST-18, SO-26)."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.dns.provider import Access, TxtRecord
from core.dns.providers.hook import KIND, Hook
from core.dns.stderr_tail import stderr_tail
from core.errors import Cancelled, DnsProviderError
from core.ports import CancelToken, Completed, Runner
from core.system.processes import SystemRunner
from tests.support.dns_access import access
from tests.support.runner import FakeRunner

NAME = "_acme-challenge.example.com"
FIRST, SECOND = TxtRecord(name=NAME, value="one-$(id) `id` ; *"), TxtRecord(name=NAME, value="-two")
SECRET = "hunter2-and-more"


def entry(
    runner: Runner,
    command: str,
    *,
    secrets: dict[str, str] | None = None,
    cancel: CancelToken | None = None,
    **more: str,
) -> Access:
    return access(KIND, runner=runner, settings={"command": command, **more}, secrets=secrets or {}, cancel=cancel)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A hook that notes its arguments, one a line in brackets, and its environment."""
    path = tmp_path / "hook with a space"
    path.write_text(
        '#!/bin/sh\nfor each; do printf "[%s]" "$each"; done >>"$0.calls"\necho >>"$0.calls"\nenv >"$0.env"\n'
    )
    path.chmod(0o755)
    return path


def real() -> SystemRunner:
    return SystemRunner({"PATH": "/usr/bin:/bin", "CERTDECK_MASTER_KEY": "ours alone", "HOME": "/"})


def test_it_gets_three_arguments_and_no_shell(script: Path) -> None:
    """Each record is one call with a verb, a name and a value, as they are, whatever a shell would make of them."""
    provider = Hook(entry(real(), str(script)))
    provider.change("", add=[FIRST, SECOND])
    provider.change("", remove=[FIRST])
    calls = Path(f"{script}.calls").read_text().splitlines()
    assert calls == [
        f"[present][{NAME}][{FIRST.value}]",
        f"[present][{NAME}][-two]",
        f"[cleanup][{NAME}][{FIRST.value}]",
    ]
    assert provider.zones() == ()
    provider.close()


def test_its_environment_is_its_own(script: Path) -> None:
    """Secrets and further settings are in the environment of the child; ours is not, nor are certdeck's own settings."""
    Hook(entry(real(), str(script), secrets={"API_TOKEN": SECRET}, REGION="north")).change("", add=[FIRST])
    seen = Path(f"{script}.env").read_text().splitlines()
    assert f"API_TOKEN={SECRET}" in seen
    assert "REGION=north" in seen
    assert not [line for line in seen if line.startswith(("CERTDECK", "command=", "timeout_seconds="))]


def test_no_secret_is_an_argument(script: Path) -> None:
    """What others can see in the list of processes holds no secret."""
    runner = FakeRunner()
    Hook(entry(runner, str(script), secrets={"API_TOKEN": SECRET})).change("", add=[FIRST])
    assert SECRET not in repr(runner.commands)


def failing(tmp_path: Path, body: str) -> str:
    path = tmp_path / "hook"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def refusal(made: Access) -> DnsProviderError:
    with pytest.raises(DnsProviderError) as caught:
        Hook(made).change("", add=[FIRST])
    return caught.value


def test_its_last_words_are_told_without_secrets(tmp_path: Path) -> None:
    """A status other than 0 is a failure that carries what the program said last, with secrets cut out of it."""
    command = failing(tmp_path, 'echo starting; echo "403 for token $API_TOKEN" >&2; exit 7')
    error = refusal(entry(real(), command, secrets={"API_TOKEN": f"{SECRET}\n"}))
    assert "status 7" in error.why
    assert "403 for token …" in error.why
    assert SECRET not in str(error)
    assert FIRST.value not in error.fix
    assert error.details["status"] == 7


def test_it_has_only_so_much_time(tmp_path: Path) -> None:
    """A hook that hangs is ended, and the error says after how long."""
    error = refusal(entry(real(), failing(tmp_path, "exec sleep 60"), timeout_seconds="1"))
    assert "longer than 1 s" in error.why
    assert error.details["reason"] == "temporary"


@pytest.mark.parametrize(
    ("command", "said"),
    [("/nonexistent/hook", "could not be started"), ("no-such-hook-anywhere", "could not be started")],
)
def test_a_hook_that_is_not_there(command: str, said: str) -> None:
    """A missing program is named."""
    error = refusal(entry(real(), command))
    assert said in error.why
    assert command in error.what


def test_a_hook_that_is_killed() -> None:
    """An end by a signal is told as one."""
    assert "signal 9" in refusal(entry(FakeRunner({"/h": Completed(returncode=-9, output="")}), "/h")).why


def test_after_a_failure_nothing_more_is_called() -> None:
    """The first failure ends the batch; what was set is removed again by who asked for it."""
    runner = FakeRunner({"/h": Completed(returncode=1, output="no")})
    with pytest.raises(DnsProviderError):
        Hook(entry(runner, "/h")).change("", add=[FIRST, SECOND])
    assert len(runner.ran) == 1


def test_a_record_is_set_once_and_not_removed_in_the_same_breath() -> None:
    """Equal records are one call, and what is to be there is not removed."""
    runner = FakeRunner()
    Hook(entry(runner, "/h")).change("", add=[FIRST, FIRST], remove=[FIRST, SECOND])
    assert [each[1] for each in runner.commands] == ["present", "cleanup"]


def test_cancelling_stops_it() -> None:
    """Somebody who asks to stop is heard before the next call."""
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        Hook(entry(FakeRunner(), "/h", cancel=cancel)).change("", add=[FIRST])


@pytest.mark.parametrize(
    ("settings", "secrets"),
    [
        ({"timeout_seconds": "soon"}, {}),
        ({"timeout_seconds": "0"}, {}),
        ({"a b": "c"}, {}),
        ({}, {"api-token": SECRET}),
    ],
)
def test_what_cannot_be_handed_over_is_said(settings: dict[str, str], secrets: dict[str, str]) -> None:
    """Names that no environment can have, and a time limit that is none, are errors of the entry."""
    with pytest.raises(DnsProviderError) as caught:
        Hook(access(KIND, runner=FakeRunner(), settings={"command": "/h", **settings}, secrets=secrets))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("command", "is_good"), [("/usr/local/bin/dns", True), ("dns-hook", True), ("./dns", False)])
def test_the_command_is_checked(command: str, is_good: bool) -> None:
    """A path is whole, because a scheduled run starts elsewhere."""
    check = KIND.fields[0].check
    assert check is not None
    assert (check(command) is None) == is_good


def test_last_words_are_short_and_clean() -> None:
    """A long output is cut to its last lines, made printable, and every line of a secret is cut out."""
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----"
    said = stderr_tail("first\n\n\x1b[31msecond\nMIIEvQIBADANBg and\nlast\n", [key])
    assert said == "[31msecond … and last."
    assert stderr_tail(" \n", []) == ""
    assert len(stderr_tail("x" * 5000, [])) <= 200
