from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from core.config.model import TargetConfig
from core.ports import Completed, Environment
from core.targets.command_result import plain
from core.targets.service import run_reload, run_test
from tests.support.runner import FakeRunner

TARGET = TargetConfig(
    name="web", kind="nginx", certificate="/c", key="/k", test=("nginx", "-t"), reload=("nginx", "-s", "reload")
)


def answering(answer: Completed) -> Environment:
    """Programs all end the same way here."""
    return cast("Environment", SimpleNamespace(runner=FakeRunner({"nginx": answer}), check_command=lambda argv: None))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(
            Completed(returncode=1, output="nginx: [emerg] no such thing\nnginx: configuration file test failed\n"),
            "nginx -t exited with status 1: nginx: [emerg] no such thing.",
            id="fail/status",
        ),
        pytest.param(Completed(returncode=3, output=""), "nginx -t exited with status 3.", id="fail/silent"),
        pytest.param(Completed(returncode=-9, output="x"), "nginx -t was killed by signal 9.", id="fail/signal"),
        pytest.param(
            Completed(returncode=-15, output="", timed_out=True),
            "nginx -t did not finish within 60 s and was stopped.",
            id="fail/hangs",
        ),
        pytest.param(
            Completed(returncode=127, output="nginx: no such program."),
            "It could not be started: nginx: no such program.",
            id="fail/missing",
        ),
    ],
)
def test_failures_are_put_into_words(answer: Completed, why: str) -> None:
    """However a command ends badly, one plain sentence says how, and its output is kept."""
    verdict = run_test(answering(answer), TARGET)
    assert not verdict.ok
    assert verdict.why == why


def test_nothing_to_run_passes() -> None:
    """A target without test or reload passes without running anything (SF-24)."""
    runner = FakeRunner()
    env = cast("Environment", SimpleNamespace(runner=runner, check_command=lambda argv: None))
    bare = TargetConfig(name="web", certificate="/c", key="/k")
    assert run_test(env, bare).ok
    assert run_reload(env, bare).ok
    assert runner.ran == []


def test_success_is_silent() -> None:
    """A command that ends with 0 passes whatever it printed."""
    verdict = run_reload(answering(Completed(returncode=0, output="warning: something")), TARGET)
    assert (verdict.ok, verdict.why, verdict.output) == (True, "", "")


@pytest.mark.parametrize(
    ("output", "is_idle"),
    [
        ('nginx: [error] open() "/run/nginx.pid" failed (2: No such file or directory)', True),
        ('nginx: [error] invalid PID number "" in "/run/nginx.pid"', True),
        ("nginx: [alert] kill(4711, 1) failed (3: No such process)", True),
        ("nginx.service is not active, cannot reload.", True),
        ('nginx: [emerg] open() "/etc/nginx/mime.types" failed (2: No such file or directory)', False),
        ("nginx: [alert] kill(4711, 1) failed (1: Operation not permitted)", False),
    ],
)
def test_a_service_that_does_not_run_is_told_apart(output: str, is_idle: bool) -> None:
    """A reload that fails because nothing runs is no refusal of the certificate."""
    verdict = run_reload(answering(Completed(returncode=1, output=output)), TARGET)
    assert verdict.is_idle is is_idle


def test_output_of_programs_is_harmless() -> None:
    """Terminal codes, control and bidirectional characters of a program's output never reach a person; the last lines do."""
    hostile = "first\n" * 40 + "\x1b[31mred\x1b[0m \x1b]0;title\x07\u202eevil\x00\x9b2J\n" + "x" * 1000 + "\r\n"
    lines = plain(hostile).split("\n")
    assert len(lines) == 12
    assert lines[-2].split() == ["red", "evil", "2J"]
    assert lines[-1] == "x" * 300
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for line in lines for c in line)
