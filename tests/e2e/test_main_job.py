"""The main job by command, on a real CA and a real nginx: first boot, issue, renew, a service that breaks, and the way back.

Every command is a process of its own over a real folder, as a timer or an administrator starts it.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.command import started
from tests.support.nginx import NginxServer
from tests.support.pebble import PebbleServer
from tests.support.programs import wait_until
from tests.support.real_box import RealBox

pytestmark = pytest.mark.e2e


@pytest.fixture
def box(home: Path, pebble: PebbleServer, nginx: NginxServer) -> RealBox:
    """A configured box on which nothing has been done yet."""
    return RealBox(home, pebble, nginx)


FreshName = Callable[[str], str]


# -- the main job ------------------------------------------------------------------------------------------------------


def test_the_main_job(box: RealBox, fresh_name: FreshName) -> None:
    """First boot, issue, renew, a broken service, and mending it: nginx serves what `status` says (ST-02, ST-09, ST-41)."""
    # A fresh machine has HTTPS at once, from its own certificate (SF-08, SF-09), and asking again does nothing.
    assert box.done("first-boot", "--hostname", "box.example.com")["created"] is True
    assert box.certificate("default")["self_signed"] is True
    self_signed = box.serves("default")
    assert box.done("first-boot", "--hostname", "box.example.com")["created"] is False

    # A certificate of the CA takes its place (SF-08).
    domain = fresh_name("shop")
    issued = box.done("issue", "-d", domain, "--name", "shop", "--target", "web")
    assert (issued["name"], issued["state"], issued["records"]) == ("shop", "issued", [])
    first = box.serves("shop")
    assert first == issued["certificate"]["sha256"] != self_signed
    found = box.certificate("shop")
    assert (found["domains"], found["method"], found["ca"], found["chain"]) == ([domain], "http-01", "ca", True)
    [target] = found["targets"]
    assert (target["name"], target["state"], target["served_sha256"]) == ("web", "deployed", first)
    assert [(each["state"], each["served_sha256"]) for each in target["listeners"]] == [("deployed", first)]

    # Issuing it again spends no order; the timer has nothing to do.
    assert box.done("issue", "-d", domain, "--name", "shop", "--target", "web")["certificate"]["sha256"] == first
    run = box.done("--renew")
    assert (run["renewed"], run["failed"]) == ([], [])
    assert {each["name"] for each in run["skipped"]} == {"default", "shop"}

    # A forced renewal is served.
    assert box.done("--renew", "shop", "--force")["renewed"] == ["shop"]
    second = box.serves("shop")
    assert second != first

    # nginx is broken: the old certificate stays in service, and the new one is kept.
    box.nginx.break_config()
    answer = box.run("--renew", "shop", "--force", "--json")
    (failed,) = answer.json["failed"]
    assert (answer.status, failed["name"], failed["error"]["code"]) == (1, "shop", "config-test-failed")
    assert "unknown directive" in failed["error"]["details"]["output"]
    assert (box.nginx.served_sha256(), box.certificate("shop")["sha256"]) == (second, second)
    assert box.certificate("shop")["last_error"]["code"] == "config-test-failed"
    plain = box.run("deploy", "shop")
    assert plain.status == 1
    assert "unknown directive" in plain.err
    assert box.run("status", "--check").status != 0

    # Mended: the next ordinary run deploys what was waiting, without a new order.
    box.nginx.mend_config()
    orders = box.pebble.log.count("order-plz")
    assert box.done("--renew")["renewed"] == ["shop"]
    third = box.serves("shop")
    assert third not in (first, second)
    assert box.pebble.log.count("order-plz") == orders
    assert box.certificate("shop")["last_error"] is None
    check = box.run("status", "--check")
    assert (check.status, "timer: not set" in check.out) == (1, True), "nothing starts the scheduled run here"

    # The way back, and a history that nobody has altered.
    box.done("rollback", "shop")
    assert box.serves("shop") == second
    assert box.run("log", "--verify").status == 0


def test_a_target_serves_the_newest_of_several_lineages(box: RealBox, fresh_name: FreshName) -> None:
    """A second lineage takes a target over; the first one stays, undeployed, and both renew (SF-24)."""
    one, two = fresh_name("one"), fresh_name("two")
    box.done("issue", "-d", one, "--name", "one", "--target", "web")
    box.done("issue", "-d", two, "--name", "two", "--target", "web")
    box.serves("two")
    assert box.certificate("one")["targets"] == []
    assert sorted(box.done("--renew", "--force")["renewed"]) == ["one", "two"]
    box.serves("two")


def test_every_key_type_and_many_names(box: RealBox, fresh_name: FreshName) -> None:
    """Ten names in one RSA certificate, in the order given, and exported in every format (CC-10, CC-11, SO-16)."""
    names = [fresh_name("many") for _ in range(10)]
    issued = box.done("issue", "-d", *names, "--name", "many", "--key-type", "rsa-2048", "--target", "web")
    assert (issued["certificate"]["domains"], issued["certificate"]["key_type"]) == (names, "rsa-2048")
    box.serves("many")
    for format in ("pem", "fullchain", "der", "haproxy"):
        out = box.home.parent / f"many.{format}"
        assert box.done("export", "many", "--format", format, "--out", str(out))["path"] == str(out)
        assert (out.stat().st_mode & 0o777 == 0o600) is (format in ("pem", "haproxy"))


def test_revoked_and_deleted(box: RealBox, fresh_name: FreshName) -> None:
    """A certificate can be revoked at its CA and deleted; what a target uses is deleted only by force and stays in service."""
    box.done("issue", "-d", fresh_name("gone"), "--name", "gone", "--target", "web")
    served = box.serves("gone")
    serial = int(box.certificate("gone")["serial"], 16)
    box.done("revoke", "gone", "--reason", "superseded", "--yes")
    assert box.pebble.certificate_status(serial)["Status"] == "Revoked"
    assert box.refused("delete", "gone", "--yes")["code"] == "in-use"
    box.done("delete", "gone", "--yes", "--force")
    assert box.refused("status", "gone")["code"] == "not-found"
    assert subprocess.run(box.nginx.test_command, check=False, capture_output=True).returncode == 0
    assert box.nginx.served_sha256() == served


# -- killed ------------------------------------------------------------------------------------------------------------


class Gate:
    """A target whose configuration test waits until the gate is opened."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.reached, self._open = folder / "reached", folder / "open"
        script = f"touch {self.reached}; while [ ! -e {self._open} ]; do sleep 0.02; done"
        self.toml = (
            f'[targets.gate]\nkind = "files"\ncertificate = "{folder}/cert.pem"\nkey = "{folder}/key.pem"\n'
            f'test = ["/bin/sh", "-c", "{script}"]\n'
        )

    def open(self) -> None:
        self._open.touch()


@pytest.fixture
def gate(box: RealBox, tmp_path: Path) -> Gate:
    """The box has this second target."""
    made = Gate(tmp_path / "gate")
    box.configure(made.toml)
    return made


@contextlib.contextmanager
def _waiting(box: RealBox, gate: Gate) -> Iterator[subprocess.Popen[bytes]]:
    """Start a deployment that waits at the gate."""
    box.done("issue", "-d", "box.lan", "--name", "shop", "--issuer", "appliance-ca")
    with started("deploy", "shop", "--target", "gate", "--json", home=box.home) as child:
        wait_until(gate.reached.exists, "the target's test")
        yield child


def _killed(box: RealBox, argv: list[str], after: float) -> None:
    with started(*argv, home=box.home):
        time.sleep(after)


def _duration(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def test_kill_9_during_a_renewal(box: RealBox, fresh_name: FreshName) -> None:
    """However a renewal dies, key and certificate match everywhere, nginx runs, and the next run puts all in order (CL-10)."""
    box.done("issue", "-d", fresh_name("killed"), "--name", "shop", "--target", "web")
    whole = _duration(lambda: box.done("--renew", "shop", "--force"))
    for number in range(1, 7):
        _killed(box, ["--renew", "shop", "--force"], whole * number / 6)
        box.check_pair("shop")
        found = box.certificate("shop")
        assert box.nginx.served_sha256()
        box.done("--renew")
        box.check_pair("shop")
        assert box.serves("shop") == box.certificate("shop")["sha256"], found
    box.done("--renew", "shop", "--force")
    box.serves("shop")
    assert box.run("log", "--verify").status == 0
    assert not list((box.home / "state" / "transactions").glob("*"))


def test_the_next_run_mends_although_nothing_is_due(box: RealBox, gate: Gate) -> None:
    """A deployment that died after the switch is put back by the very next scheduled run, which has nothing else to do."""
    with _waiting(box, gate):
        pass
    assert list((box.home / "state" / "transactions").glob("*"))
    gate.open()
    run = box.done("--renew")
    assert run["failed"] == []
    assert not list((box.home / "state" / "transactions").glob("*"))
    box.done("deploy", "shop", "--target", "gate")


def test_kill_9_during_an_issuance(box: RealBox, fresh_name: FreshName) -> None:
    """An issuance that died can simply be started again, and nginx has served something whole all the time (CL-10)."""
    whole = _duration(lambda: box.done("issue", "-d", fresh_name("whole"), "--name", "whole", "--target", "web"))
    for number in range(1, 7):
        name, domain = f"part{number}", fresh_name("part")
        argv = ["issue", "-d", domain, "--name", name, "--target", "web"]
        _killed(box, argv, whole * number / 6)
        assert box.nginx.served_sha256()
        assert subprocess.run(box.nginx.test_command, check=False, capture_output=True).returncode == 0
        assert box.done(*argv)["state"] == "issued"
        box.serves(name)
        box.check_pair(name)


# -- two at once, and stopped ------------------------------------------------------------------------------------------


def test_two_at_once(box: RealBox, gate: Gate) -> None:
    """While one certdeck works a second one is refused with 4, saying who works, and looking is possible all the time."""
    with _waiting(box, gate) as child:
        error = box.refused("--renew", "--force", status=4)
        assert (error["code"], error["details"]["pid"]) == ("lock-held", child.pid)
        assert box.certificate("shop")["name"] == "shop"
        assert box.run("status", "--check").status in (0, 1, 2)
        gate.open()
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, out + err
    assert box.done("--renew", "shop", "--force")["renewed"] == ["shop"]


SIGNALS = pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: signal.Signals(number).name
)


@SIGNALS
def test_stopped_while_waiting(
    home: Path, pebbles: Callable[..., PebbleServer], nginx: NginxServer, fresh_name: FreshName, number: int
) -> None:
    """A signal ends the waiting for a CA at once: status 1, `cancelled`, nothing live has changed, and no lock is left."""
    sleepy = pebbles(nosleep=False, extra_env={"PEBBLE_VA_SLEEPTIME": "100000"})
    box = RealBox(home, sleepy, nginx)
    before = nginx.served_sha256()
    with started("issue", "-d", fresh_name("slow"), "--target", "web", "--json", home=home) as child:
        assert child.stderr is not None
        for line in child.stderr:
            if b"is ready at" in line:
                break
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, b"Traceback" in err) == (1, False), out + err
    assert b'"cancelled"' in out
    assert nginx.served_sha256() == before
    box.done("issue", "-d", "box.lan", "--issuer", "appliance-ca")


@SIGNALS
def test_stopped_in_the_middle_of_a_switch(box: RealBox, gate: Gate, number: int) -> None:
    """A deployment that has begun to switch is put back whole when somebody asks to stop: status 1, and nothing is left over."""
    with _waiting(box, gate) as child:
        child.send_signal(number)
        gate.open()
        out, err = child.communicate(timeout=60)
    assert (child.returncode, b"Traceback" in err, b'"cancelled"' in out) == (1, False, True), out + err
    assert not list((box.home / "state" / "transactions").glob("*"))
    box.done("deploy", "shop", "--target", "gate")
