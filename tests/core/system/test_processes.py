"""Real child processes: bounded, scrubbed, and ended with all their kin."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Cancelled
from core.ports import CancelToken
from core.system.processes import OUTPUT_LIMIT_BYTES, SystemRunner, child_environment
from tests.support.programs import wait_until

RUNNER = SystemRunner({"PATH": "/usr/bin:/bin", "HOME": "/", "AWS_SECRET": "hunter2", "LD_PRELOAD": "/evil.so"})


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a dead one that nobody has reaped counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_output_and_status_come_back() -> None:
    """stdout and stderr come in one text, with the exit status."""
    done = RUNNER.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=10)
    assert (done.returncode, done.output, done.timed_out) == (3, "out\nerr\n", False)


def test_the_environment_is_scrubbed() -> None:
    """A child sees a few harmless variables and what it is given, no secret of ours."""
    done = RUNNER.run(["env"], timeout=10, extra_env={"TOKEN": "given"})
    names = {line.partition("=")[0] for line in done.output.splitlines()}
    assert names == {"PATH", "HOME", "TOKEN"}


def test_daemons_are_found_under_cron() -> None:
    """The short PATH of cron is completed, so that /usr/sbin/nginx is found."""
    assert "/usr/sbin" in child_environment({"PATH": "/usr/bin:/bin"}, None)["PATH"].split(":")
    assert "." not in child_environment({"PATH": ".:relative:/bin"}, None)["PATH"].split(":")


def test_no_shell_reads_the_arguments() -> None:
    """Arguments arrive as they are, whatever a shell would make of them."""
    hostile = "$(touch /tmp/pwned); `id` \"'\n*"
    assert RUNNER.run(["printf", "%s", hostile], timeout=10).output == hostile


@pytest.mark.parametrize("argv", [[], [""], ["no-such-program-here"], ["/etc"], ["/etc/passwd"], ["a\0b"]])
def test_what_cannot_be_started_is_127(argv: list[str]) -> None:
    """A missing, impossible or forbidden program is an answer with a reason, no exception."""
    done = RUNNER.run(argv, timeout=10)
    assert done.returncode == 127
    assert done.output.endswith(".")


def test_output_is_cut_to_its_end() -> None:
    """Of endless output the last 16 KiB are kept."""
    done = RUNNER.run([sys.executable, "-c", "print('x' * 300000); print('the end')"], timeout=20)
    assert len(done.output) <= OUTPUT_LIMIT_BYTES
    assert done.output.endswith("the end\n")


def test_output_that_is_no_text_is_replaced() -> None:
    """Bytes that are no UTF-8 do not disturb."""
    assert "\ufffd" in RUNNER.run(["printf", r"\377"], timeout=10).output


def test_a_slow_program_is_ended_with_its_children(tmp_path: Path) -> None:
    """After the timeout the whole group is gone, and what was said until then is kept."""
    began = time.monotonic()
    done = RUNNER.run(["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; echo started; wait"], timeout=0.3)
    assert done.timed_out
    assert done.output == "started\n"
    assert time.monotonic() - began < 20
    wait_until(lambda: not is_alive(int((tmp_path / "pid").read_text())), "the child's end", timeout=5)


def test_a_program_that_ignores_the_request_is_killed() -> None:
    """SIGTERM is a request, SIGKILL is not."""
    done = RUNNER.run(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"], timeout=0.3)
    assert done.timed_out
    assert done.returncode == -9


def test_a_daemon_left_behind_does_not_hold_us(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A reload that leaves a daemon with our pipe open is done when the program itself is."""
    began = time.monotonic()
    done = RUNNER.run(["sh", "-c", f"sleep 30 & echo $! > {tmp_path}/pid; echo done"], timeout=20)
    request.addfinalizer(lambda: os.kill(int((tmp_path / "pid").read_text()), 9))
    assert done.output == "done\n"
    assert time.monotonic() - began < 20


def test_cancelling_ends_the_program(tmp_path: Path) -> None:
    """A cancelled wait ends the program at once and says so."""
    cancel = CancelToken()
    timer = threading.Timer(0.2, cancel.cancel)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        RUNNER.run(["sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 60"], timeout=60, cancel=cancel)
    timer.join()
    assert time.monotonic() - began < 20
    wait_until(lambda: not is_alive(int((tmp_path / "pid").read_text())), "the child's end", timeout=5)


def test_children_end_with_a_killed_certdeck(tmp_path: Path) -> None:
    """After kill -9 of the process that runs a program, the program and its own children are gone within seconds."""
    code = (
        "from core.system.processes import SystemRunner\n"
        f"SystemRunner({{}}).run(['sh', '-c', 'sleep 60 & echo $! $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pids; wait'],"
        " timeout=60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3]) as ours:
        wait_until((tmp_path / "pids").exists, "the program's start", timeout=20)
        pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
        wait_until(lambda: "certdeck-guard" in _commands(ours.pid), "the guard", timeout=20)
        assert all(map(is_alive, pids))
        ours.kill()
    wait_until(lambda: not any(map(is_alive, pids)), "the end of the program and its children", timeout=10)


def _commands(parent: int) -> str:
    """Return the command lines of a process's children."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return " ".join(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in children)


def test_standard_input_is_given_or_empty() -> None:
    """A child reads what it is given, and never from our terminal."""
    assert RUNNER.run(["cat"], timeout=10, stdin=b"x" * 200_000 + b"end").output.endswith("end")
    assert RUNNER.run(["cat"], timeout=10).output == ""


def test_no_descriptor_is_leaked() -> None:
    """After many runs, failed ones among them, as many files are open as before."""

    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    RUNNER.run(["true"], timeout=10)
    before = count()
    runs: list[Callable[[], object]] = [
        lambda: RUNNER.run(["true"], timeout=10, stdin=b"x"),
        lambda: RUNNER.run(["/etc/passwd"], timeout=10, stdin=b"x"),
    ]
    for run in runs * 3:
        run()
    assert count() == before


def test_descriptors_beyond_1024_are_no_end() -> None:
    """A program is attended to also when so many files are open that its pipe has a number of 1024 or more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("this machine does not allow so many open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, hard))
    held: list[int] = []
    try:
        while not held or held[-1] < 1100:
            held.append(os.open(os.devnull, os.O_RDONLY))
        done = RUNNER.run(["sh", "-c", "sleep 0.2; echo out"], timeout=10)
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (done.returncode, done.output) == (0, "out\n")
