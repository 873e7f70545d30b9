"""What breaks, and what holds all the same: members of etcd, their quorum, their disk, the lease of a hub, clocks, releases."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.fleet.election import Leadership, campaign
from core.fleet.etcd import Etcd, Guard, KeyValue
from core.fleet.gateway import Gateway
from core.fleet.layout import LEADER
from core.fleet.values import Leader
from core.fleet.watching import Watch, changes
from core.fleet_errors import FleetConflict, FleetFull, NotLeading
from core.ports import CancelToken
from core.system import environment
from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox
from tests.support.programs import find_program, wait_until

pytestmark = pytest.mark.e2e

Boxes = Callable[..., FleetBox]
PRIVATE_CA = '[defaults]\nissuer = "appliance-ca"\n'
ISSUE = ("issue", "-d", "box.lan", "--name", "lan")
ENV = environment({})


@contextmanager
def client(etcd: EtcdCluster) -> Iterator[Etcd]:
    gateway = Gateway(ENV.peers(None, None), ENV.clock, etcd.endpoints)
    try:
        yield Etcd(gateway)
    finally:
        gateway.close()


def hub_called(name: str) -> Leader:
    return Leader(box=name, name=name, since=datetime.now(UTC))


# -- the election ------------------------------------------------------------------------------------------------------


def test_of_two_hubs_at_the_same_moment_one_leads(etcd: EtcdCluster) -> None:
    """Eight hubs that campaign at once give one leader, and the others learn its name."""
    start = threading.Barrier(8)
    results: list[Leadership | KeyValue | None] = []

    def run(number: int) -> None:
        with client(etcd) as mine:
            start.wait()
            results.append(campaign(mine, ENV.clock, hub_called(f"hub-{number}"), 10))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [each for each in results if isinstance(each, Leadership)]
    assert len(winners) == 1
    assert all(each is None or each.created == winners[0].token for each in results if not isinstance(each, Leadership))


def test_a_leader_that_slept_cannot_write(etcd: EtcdCluster) -> None:
    """When its lease has ended and another hub leads, the writes of the first one are refused by etcd itself."""
    with client(etcd) as one, client(etcd) as two:
        first = campaign(one, ENV.clock, hub_called("first"), 2)
        assert isinstance(first, Leadership)
        guard = first.guard()
        one.commit({"certdeck/shared/orders/a": b"1"}, guards=[guard])
        # It sleeps: nobody renews its lease.
        wait_until(lambda: two.get(LEADER) is None, "the lease ends", timeout=15)
        second = campaign(two, ENV.clock, hub_called("second"), 10)
        assert isinstance(second, Leadership)
        with pytest.raises(NotLeading):
            one.commit({"certdeck/shared/orders/a": b"2"}, guards=[guard])
        with pytest.raises(NotLeading):
            first.check()  # it knows without asking
        found = two.get("certdeck/shared/orders/a")
        assert found is not None
        assert found.value == b"1"


def test_a_write_that_was_done_is_not_done_twice(etcd: EtcdCluster) -> None:
    """A transaction that is sent again after its answer was lost is taken for what it is; one of somebody else is a conflict."""
    with client(etcd) as mine:
        guard = Guard("certdeck/x", created=0)
        mine.commit({"certdeck/x": b"1"}, guards=[guard])
        mine.commit({"certdeck/x": b"1"}, guards=[guard])
        with pytest.raises(FleetConflict):
            mine.commit({"certdeck/x": b"2"}, guards=[guard])


def test_many_keys_come_in_pages(etcd: EtcdCluster) -> None:
    """A range of more keys than a page holds is whole, in order, and of one revision."""
    with client(etcd) as mine:
        names = [f"certdeck/many/{number:04}" for number in range(450)]
        for at in range(0, 450, 50):
            mine.commit(dict.fromkeys(names[at : at + 50], b"x"))
        found, revision = mine.range("certdeck/many/")
        assert [each.key for each in found] == names
        assert revision >= max(each.modified for each in found)


# -- watching ----------------------------------------------------------------------------------------------------------


def test_a_change_is_told_and_a_compacted_past_counts_as_one(etcd: EtcdCluster) -> None:
    """A stream tells of a change in any of its ranges; one that starts before a compaction says so at once."""
    with client(etcd) as mine:
        _, revision = mine.range("certdeck/")
        cancel = CancelToken()
        stream = changes(mine, ["certdeck/a/", "certdeck/b/"], revision, cancel, idle=10)
        mine.put("certdeck/c/1", b"not asked for")
        mine.put("certdeck/b/1", b"x")
        assert next(stream) > revision
        stream.close()
        _, now = mine.range("certdeck/")
        etcd.ctl("compact", str(now))
        assert next(changes(mine, ["certdeck/a/"], 1, cancel, idle=10)) > 0


# -- members of etcd ---------------------------------------------------------------------------------------------------


def test_a_member_may_die_and_a_majority_may_not(etcds: Callable[..., EtcdCluster], boxes: Boxes) -> None:
    """With one of three members dead all goes on; with two dead it is said in words and what is served stays; then all is well."""
    etcd = etcds(3)
    hub = boxes("hub", etcd, "hub", more=PRIVATE_CA)
    hub.done("fleet", "init")
    device = boxes("device", etcd, "device")
    device.join(hub)
    etcd.kill(etcd.leader())
    hub.done(*ISSUE)
    assert device.done("fleet", "sync")["deployed"] == ["lan"]
    states = {each["state"] for each in hub.done("fleet", "status")["etcd"]}
    assert len(states) == 2
    served = device.served()
    left = [each for each in etcd.members if each.process is not None and each.process.is_running]
    etcd.kill(left[0])
    for box, argv in ((hub, (*ISSUE, "--force")), (device, ("fleet", "sync"))):
        error = box.refused(*argv)
        assert error["code"] == "fleet-unreachable", error
        assert error["fix"]
    assert device.served() == served
    for member in etcd.members:
        if member.process is None or not member.process.is_running:
            etcd.start_member(member)
    etcd.wait_ready()
    hub.done(*ISSUE, "--force")
    assert device.done("fleet", "sync")["deployed"] == ["lan"]
    assert device.served() != served


def test_a_paused_leader_of_etcd_is_passed_over(etcds: Callable[..., EtcdCluster]) -> None:
    """A member that is stopped and keeps its connections open costs a few seconds, not the write."""
    etcd = etcds(3)
    with client(etcd) as mine:
        mine.put("certdeck/x", b"1")
        paused = etcd.leader()
        assert paused.process is not None
        os.kill(paused.process.pid, signal.SIGSTOP)
        try:
            mine.commit({"certdeck/x": b"2"})
            found = mine.get("certdeck/x")
        finally:
            os.kill(paused.process.pid, signal.SIGCONT)
        assert found is not None
        assert found.value == b"2"


def test_a_full_etcd_is_said(etcds: Callable[..., EtcdCluster], boxes: Boxes) -> None:
    """Without space nothing is written and nothing is lost; the refusal says how to get space; a device still reads."""
    etcd = etcds(options=("--quota-backend-bytes", str(2 * 1024 * 1024)))
    hub = boxes("hub", etcd, "both", more=PRIVATE_CA)
    hub.done("fleet", "init")
    hub.done(*ISSUE)
    served = hub.served()
    with client(etcd) as mine:
        with pytest.raises(FleetFull):
            _fill(mine)
        assert mine.get("certdeck/fleet") is not None
    error = hub.refused(*ISSUE, "--force")
    assert error["code"] == "fleet-full"
    assert "compact" in error["fix"]
    assert hub.served() == served


def _fill(etcd: Etcd) -> None:
    for number in range(60):
        etcd.put(f"filler/{number}", os.urandom(100_000))


# -- time --------------------------------------------------------------------------------------------------------------


def test_a_device_back_after_long(etcd: EtcdCluster, boxes: Boxes) -> None:
    """A device that missed several versions and a compaction takes the newest one, and only that."""
    hub, device = boxes("hub", etcd, "hub", more=PRIVATE_CA), boxes("device", etcd, "device")
    hub.done("fleet", "init")
    device.join(hub)
    hub.done(*ISSUE)
    device.done("fleet", "sync")
    first = device.served()
    for _ in range(3):
        newest = hub.done(*ISSUE, "--force")["certificate"]["sha256"]
    with client(etcd) as mine:
        _, revision = mine.range("certdeck/")
    etcd.ctl("compact", str(revision))
    assert device.done("fleet", "sync")["deployed"] == ["lan"]
    assert device.served() != first
    assert device.done("status", "lan")["certificates"][0]["sha256"] == newest
    assert [path.name for path in (device.home / "state" / "lineages" / "lan").iterdir() if path.name.isdigit()] != []


def test_a_device_back_after_ninety_days(etcd: EtcdCluster, boxes: Boxes) -> None:
    """What it serves has expired meanwhile and was renewed without it; its first look brings the version of the day."""
    hub, device = boxes("hub", etcd, "hub", more=PRIVATE_CA), boxes("device", etcd, "device")
    hub.done("fleet", "init")
    device.join(hub)
    hub.done(*ISSUE)
    device.done("fleet", "sync")
    first = device.served()
    later = {"before": (find_program("faketime"), "-f", "+91d")}
    assert hub.run("--renew", "--json", **later).json["renewed"] == ["lan"]
    with client(etcd) as mine:
        _, revision = mine.range("certdeck/")
    etcd.ctl("compact", str(revision))
    line = hub.run("status", "--check", **later).out
    assert "1 not seen for a day and a half" in line
    assert device.done("fleet", "sync", **later)["deployed"] == ["lan"]
    assert device.served() not in (b"", first)
    [shown] = device.run("status", "lan", "--json", **later).json["certificates"]
    assert (shown["health"], shown["days_left"] > 80) == ("ok", True)
    assert hub.run("fleet", "status", "--json", **later).json["behind"] == 0


def test_clocks_that_differ_by_hours_elect_and_deliver(etcd: EtcdCluster, boxes: Boxes) -> None:
    """The lease runs by no wall clock: hubs six hours apart take turns, and a device two hours behind serves what they issue."""
    hub = boxes("hub", etcd, "hub", more=PRIVATE_CA)
    late = boxes("late", etcd, "hub", more=PRIVATE_CA)
    device = boxes("device", etcd, "device")
    hub.done("fleet", "init")
    late.join(hub)
    device.join(hub)
    ahead = {"before": (find_program("faketime"), "-f", "+6h")}
    behind = {"before": (find_program("faketime"), "-f", "-30m")}
    hub.done(*ISSUE)
    assert late.run("renew", "lan", "--force", "--json", **ahead).json["renewed"] == ["lan"]
    assert hub.done("renew", "lan", "--force")["renewed"] == ["lan"]
    assert device.done("fleet", "sync", **behind)["deployed"] == ["lan"]


# -- releases ----------------------------------------------------------------------------------------------------------


def test_an_older_release_beside_a_newer_one(etcd: EtcdCluster, boxes: Boxes) -> None:
    """What a later release wrote in another format is refused in words, also by a hub; what is served stays."""
    hub, device = boxes("hub", etcd, "hub", more=PRIVATE_CA), boxes("device", etcd, "device")
    hub.done("fleet", "init")
    device.join(hub)
    hub.done(*ISSUE)
    device.done("fleet", "sync")
    served = device.served()
    fleet = json.loads(etcd.ctl("get", "certdeck/fleet", "--print-value-only").stdout)
    etcd.ctl("put", "certdeck/fleet", json.dumps({**fleet, "format": 99}))
    for box in (hub, device):
        error = box.refused("fleet", "status")
        assert (error["code"], "Update certdeck" in error["fix"]) == ("fleet-too-new", True)
    device.refused("fleet", "sync")
    assert device.served() == served
    # Fields that a later release adds to the same format are no reason to stop.
    etcd.ctl("put", "certdeck/fleet", json.dumps({**fleet, "added_later": {"x": 1}}))
    assert device.done("fleet", "sync")["unchanged"] == ["lan"]


# -- a device that cannot ----------------------------------------------------------------------------------------------


def test_a_device_that_refuses_does_not_stop_the_others(etcd: EtcdCluster, boxes: Boxes) -> None:
    """One whose service refuses the new certificate keeps the old one and says why; the others serve the new one."""
    hub = boxes("hub", etcd, "hub", more=PRIVATE_CA)
    hub.done("fleet", "init")
    good, bad = boxes("good", etcd, "device"), boxes("bad", etcd, "device")
    for box in (good, bad):
        box.join(hub)
    hub.done(*ISSUE)
    for box in (good, bad):
        box.done("fleet", "sync")
    old = bad.served()
    bad.break_target()
    hub.done(*ISSUE, "--force")
    assert good.done("fleet", "sync")["deployed"] == ["lan"]
    answer = bad.run("fleet", "sync", "--json")
    assert answer.json["failed"][0]["error"]["code"] == "config-test-failed"
    assert (bad.served(), good.served() != old) == (old, True)
    status = hub.done("fleet", "status")
    assert status["behind"] == 1
    [why] = [one["why"] for box in status["devices"] for one in box["certificates"] if one["state"] == "failed"]
    assert why
    line = hub.run("status", "--check")
    assert "fleet: 1 refused by a device" in line.out
    bad.mend_target()
    assert bad.done("fleet", "sync")["deployed"] == ["lan"]
    assert hub.done("fleet", "status")["behind"] == 0
    assert "fleet" not in hub.run("status", "--check").out


def test_a_certificate_of_the_boxs_own_is_not_replaced(etcd: EtcdCluster, boxes: Boxes) -> None:
    """A device that has a certificate of that name of its own keeps it, and the refusal says what to do."""
    hub, device = boxes("hub", etcd, "hub", more=PRIVATE_CA), boxes("device", etcd, "device", more=PRIVATE_CA)
    hub.done("fleet", "init")
    device.join(hub)
    own = device.done("issue", "-d", "own.lan", "--name", "lan")["certificate"]["sha256"]
    hub.done(*ISSUE)
    answer = device.run("fleet", "sync", "--json")
    assert answer.status == 1
    assert "its own certificate" in answer.json["failed"][0]["error"]["what"]
    assert device.done("status", "lan")["certificates"][0]["sha256"] == own


def test_without_a_fleet_each_command_says_so(home: Path, boxes: Boxes, etcd: EtcdCluster) -> None:
    """On a box without [fleet] the commands are wrong usage, and a device cannot do what a hub does."""
    box = boxes("alone", etcd, "hub")
    (box.home / "etc" / "certdeck.toml").write_text("")
    for argv in (("fleet", "init"), ("fleet", "join"), ("fleet", "status"), ("fleet", "sync"), ("fleet", "devices")):
        assert box.refused(*argv, status=2)["code"] == "usage"
    device = boxes("device", etcd, "device")
    assert device.refused("fleet", "init", status=2)["code"] == "usage"
    assert device.refused("fleet", "devices", status=2)["code"] == "usage"
    assert device.refused("fleet", "join")["code"] == "not-found"
    (box.home / "etc" / "certdeck.toml").write_text('[fleet]\nendpoints = ["http://127.0.0.1:1"]\nrolle = "hub"\n')
    error = box.refused("fleet", "status", status=2)
    assert (error["code"], "role" in error["fix"]) == ("config-invalid", True)
    (box.home / "etc" / "certdeck.toml").write_text('[fleet]\nendpoints = ["http://127.0.0.1:1"]\nrole = "hub"\n')
    assert box.refused("fleet", "init")["code"] == "fleet-unreachable"


# -- a member that says nothing ----------------------------------------------------------------------------------------


def test_a_stream_that_stays_silent_is_opened_at_another_member(etcds: Callable[..., EtcdCluster]) -> None:
    """A member that takes connections and says nothing is left: the next stream is one of another member, and tells of changes."""
    etcd = etcds()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoints = [f"http://127.0.0.1:{silent.getsockname()[1]}", *etcd.endpoints]
        gateway = Gateway(ENV.peers(None, None), ENV.clock, endpoints)
        with client(etcd) as other:
            other.put("certdeck/a/1", b"x")
        with Watch(Etcd(gateway), ENV, ["certdeck/a/"], CancelToken(), idle=1) as watch:
            assert watch.wait(1)
        gateway.close()


def test_what_changes_while_its_watcher_works_is_told_at_the_next_wait(etcd: EtcdCluster) -> None:
    """A watch tells of what it was not waiting for at that moment, and of no change twice."""
    with client(etcd) as mine, Watch(mine, ENV, ["certdeck/a/"], CancelToken()) as watch:
        _, revision = mine.range("certdeck/a/")
        assert not watch.wait(revision, 0.2)
        mine.put("certdeck/a/1", b"x")
        assert watch.wait(revision, 30)
        mine.put("certdeck/a/1", b"y")
        _, revision = mine.range("certdeck/a/")
        assert not watch.wait(revision, 0.5)
        mine.put("certdeck/a/1", b"z")
        assert watch.wait(revision, 30)
