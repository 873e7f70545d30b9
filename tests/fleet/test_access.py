"""What etcd lets each box do: with its own authentication on, a device sees and writes its own part alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.fleet.etcd import Etcd
from core.fleet.gateway import Gateway
from core.fleet.watching import Watch
from core.ports import CancelToken
from core.system import environment
from tests.fleet.test_keys import secret
from tests.support.authority import Authority
from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox

pytestmark = pytest.mark.e2e

Boxes = Callable[..., FleetBox]
PRIVATE_CA = '[defaults]\nissuer = "appliance-ca"\n'


def password_of(box: FleetBox) -> str:
    return secret(box, "fleet/password").decode()


def test_a_device_sees_its_own_part_alone(etcd: EtcdCluster, boxes: Boxes, tmp_path: Path) -> None:
    """With its own password a device reads its prefix and writes its reports; everything else is refused by etcd itself."""
    hub = boxes("hub", etcd, "hub", more=PRIVATE_CA)
    id_of_hub = hub.done("fleet", "init", "--auth")["id"]
    assert hub.done("fleet", "init", "--auth")["created"] is False
    device, other = boxes("device", etcd, "device"), boxes("other", etcd, "device")
    # Without a ticket etcd refuses the box, in words.
    error = device.refused("fleet", "join")
    assert error["code"] == "fleet-denied"
    assert "ticket" in error["fix"]
    ticket = tmp_path / "ticket"
    ticket.write_text(hub.done("fleet", "ticket")["ticket"])
    ids = [_join(box, hub, ticket) for box in (device, other)]
    hub.done("issue", "-d", "box.lan", "--name", "lan")
    for box in (device, other):
        assert box.done("fleet", "sync")["deployed"] == ["lan"]
    assert hub.done("fleet", "status")["behind"] == 0

    login = f"certdeck-{ids[0]}:{password_of(device)}"
    own, others = f"certdeck/devices/{ids[0]}/", f"certdeck/devices/{ids[1]}/"
    assert "lan" in etcd.ctl("get", own, "--prefix", user=login).stdout
    for argv in (
        ("get", others, "--prefix"),
        ("get", "certdeck/", "--prefix"),
        ("get", "certdeck/shared/", "--prefix"),
        ("get", f"certdeck/welcome/{ids[1]}"),
        ("get", f"certdeck/reports/{ids[1]}/", "--prefix"),
        ("put", f"{own}certs/lan", "x"),
        ("put", f"certdeck/reports/{ids[1]}/seen", "x"),
        ("put", "certdeck/leader", "x"),
        ("put", "certdeck/challenges/x", "x"),
        ("del", own, "--prefix"),
        ("user", "list"),
    ):
        done = etcd.ctl(*argv, user=login, check=False)
        assert done.returncode != 0, argv
        assert "permission denied" in done.stderr, (argv, done.stderr)
    assert etcd.ctl("put", f"certdeck/reports/{ids[0]}/seen", "{}", user=login).returncode == 0
    # The ticket shows nothing but answers that are sealed to whoever asked.
    ticket_login = f"certdeck-join:{secret(hub, 'fleet/join-password').decode()}"
    for argv in (("get", own, "--prefix"), ("get", "certdeck/shared/", "--prefix"), ("put", "certdeck/leader", "x")):
        assert "permission denied" in etcd.ctl(*argv, user=ticket_login, check=False).stderr

    # A removed device is out at once, and what it had is renewed.
    assert hub.done("fleet", "remove", ids[1])["rotated"] == ["lan"]
    error = other.refused("fleet", "sync")
    assert error["code"] == "fleet-denied"
    assert other.served()
    assert device.done("fleet", "sync")["deployed"] == ["lan"]
    whole = etcd.everything(user=f"certdeck-{id_of_hub}:{password_of(hub)}")
    assert "PRIVATE KEY" not in whole


def _join(box: FleetBox, hub: FleetBox, ticket: Path) -> str:
    id = str(box.done("fleet", "join", "--ticket", str(ticket))["id"])
    hub.done("fleet", "approve", id)
    assert box.done("fleet", "join")["state"] == "approved"
    return id


def test_a_second_hub_joins_with_a_ticket(etcd: EtcdCluster, boxes: Boxes, tmp_path: Path) -> None:
    """A second hub gets the shared keys and a user of its own, and can approve and issue."""
    hub, second = boxes("hub", etcd, "hub", more=PRIVATE_CA), boxes("second", etcd, "hub", more=PRIVATE_CA)
    hub.done("fleet", "init", "--auth")
    ticket = tmp_path / "ticket"
    ticket.write_text(hub.done("fleet", "ticket")["ticket"])
    _join(second, hub, ticket)
    # A new ticket from the second hub ends the first one's.
    ticket.write_text(second.done("fleet", "ticket")["ticket"])
    device = boxes("device", etcd, "device")
    _join(device, second, ticket)
    second.done("issue", "-d", "box.lan", "--name", "lan")
    assert device.done("fleet", "sync")["deployed"] == ["lan"]
    # The first hub has made the users: whoever removes it is told what it knows.
    removed = second.done("fleet", "remove", hub.done("fleet", "join")["id"], timeout=90)
    assert [each["code"] for each in removed["warnings"]] == ["fleet-hub-knew-accounts", "fleet-hub-knew-root"]
    assert hub.refused("fleet", "status")["code"] == "fleet-denied"


def test_tls_of_etcd_is_checked(etcds: Callable[..., EtcdCluster], boxes: Boxes, tmp_path: Path) -> None:
    """With the CA bundle of etcd it works; with another one the refusal names the setting, and nothing is sent."""
    authority, stranger = Authority.new("etcd"), Authority.new("stranger")
    leaf = authority.leaf(["127.0.0.1", "localhost"], days_left=30, days=60)
    cert, key = tmp_path / "etcd.pem", tmp_path / "etcd.key"
    leaf.write(cert, key)
    ours, theirs = tmp_path / "ca.pem", tmp_path / "other.pem"
    ours.write_bytes(authority.root_pem)
    theirs.write_bytes(stranger.root_pem)
    etcd = etcds(tls=(cert, key))
    hub = boxes("hub", etcd, "hub", fleet=f'ca_bundle = "{theirs}"')
    error = hub.refused("fleet", "init")
    assert (error["code"], "ca_bundle" in error["fix"]) == ("fleet-untrusted", True)
    hub = boxes("hub", etcd, "hub", fleet=f'ca_bundle = "{ours}"')
    assert hub.done("fleet", "init")["created"] is True


def test_a_wrong_password_is_said(etcd: EtcdCluster, boxes: Boxes) -> None:
    """A login that etcd refuses is an error of its own, which says how to get a new one."""
    hub = boxes("hub", etcd, "hub")
    hub.done("fleet", "init", "--auth")
    stranger = boxes("stranger", etcd, "device", fleet='username = "root"')
    error = stranger.refused("fleet", "join")
    assert error["code"] == "fleet-denied"
    assert "certdeck fleet ticket" in error["fix"]


def test_a_watch_logs_in_again(etcd: EtcdCluster, boxes: Boxes) -> None:
    """A login that etcd has forgotten, as after a restart or five quiet minutes, costs a watch nothing but a new one."""
    hub = boxes("hub", etcd, "hub", more=PRIVATE_CA)
    id = hub.done("fleet", "init", "--auth")["id"]
    env = environment({})
    gateway = Gateway(
        env.peers(None, None), env.clock, etcd.endpoints, username=f"certdeck-{id}", password=password_of(hub)
    )
    mine = Etcd(gateway)
    mine.put("certdeck/a/1", b"x")
    _, revision = mine.range("certdeck/a/")
    etcd.kill(etcd.members[0])
    etcd.start_member(etcd.members[0])
    etcd.wait_ready()
    with Watch(mine, env, ["certdeck/a/"], CancelToken()) as watch:
        assert watch.wait(revision - 1, 60)
    gateway.close()


def test_an_etcd_of_others_is_not_locked(etcd: EtcdCluster, boxes: Boxes) -> None:
    """Where other programs keep data in etcd, its authentication is not switched on behind their backs."""
    etcd.ctl("put", "/registry/pods/x", "y")
    hub = boxes("hub", etcd, "hub")
    error = hub.refused("fleet", "init", "--auth", status=2)
    assert "--root-password-file" in error["fix"]
    assert etcd.ctl("get", "/registry/pods/x", "--print-value-only").stdout == "y\n"
    assert hub.done("fleet", "init")["warnings"][0]["code"] == "fleet-without-access-rights"
