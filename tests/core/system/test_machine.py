"""This machine: names, addresses, who is at work, who holds a port, and that knowing nothing costs nothing."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import Cancelled
from core.ports import CancelToken
from core.system import environment
from core.system.clock import SystemClock
from core.system.interfaces import parse_if_inet6, parse_ifconf, reachable
from core.system.machine import ThisHost, within
from core.system.port_holder import Holder, free_address, holders_of, in_the_way
from core.system.randomness import SystemRandom


def test_an_environment_loads_nothing_heavy() -> None:
    """The scheduled run with nothing due pays for no socket, TLS, process or HTTP module."""
    heavy = ("socket", "ssl", "subprocess", "urllib3", "http.client", "selectors", "cryptography", "concurrent.futures")
    script = (
        f"import core.system, sys; core.system.environment({{}}); print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_variables_are_read_once() -> None:
    """Later changes of the process's environment do not reach the engine."""
    env = environment()
    os.environ["CERTDECK_LATER"] = "x"
    try:
        assert "CERTDECK_LATER" not in env.variables
    finally:
        del os.environ["CERTDECK_LATER"]


def test_sleeping_ends_at_once_when_cancelled() -> None:
    """A cancelled sleep of a minute takes no time."""
    cancel = CancelToken()
    cancel.cancel()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        SystemClock().sleep(60, cancel)
    assert time.monotonic() - began < 30


def test_the_wall_clock_is_aware() -> None:
    """Times carry their zone."""
    assert SystemClock().now().utcoffset() is not None


def test_chance_stays_between_its_bounds() -> None:
    """Random numbers are within the range and not always the same."""
    numbers = {SystemRandom().uniform(2.0, 3.0) for _ in range(50)}
    assert all(2.0 <= number <= 3.0 for number in numbers)
    assert len(numbers) > 40
    assert len(SystemRandom().token_bytes(16)) == 16


IF_INET6 = """\
00000000000000000000000000000001 01 80 10 80       lo
fe800000000000000211220000000001 02 40 20 80     eth0
20010db8000000000000000000000007 02 40 00 80     eth0
20010db800000000aaaabbbbccccdddd 02 40 00 01     eth0
20010db8000000000000000000000008 02 40 00 60     eth0
fd000000000000000000000000000009 03 40 00 80  docker0
rubbish
"""


def test_lasting_ipv6_addresses_are_found() -> None:
    """ST-06: no loopback, link-local, temporary, tentative or container address gets into the list."""
    assert reachable(parse_if_inet6(IF_INET6)) == ["2001:db8::7"]


def test_ipv4_addresses_are_found_with_their_interfaces() -> None:
    """The kernel's list of `struct ifreq` is read, containers and link-local addresses are left out."""
    size = 16 + (24 if struct.calcsize("P") == 8 else 16)

    def entry(name: bytes, address: bytes) -> bytes:
        return (name.ljust(16, b"\0") + b"\2\0\0\0" + address).ljust(size, b"\0")

    raw = (
        entry(b"lo", bytes([127, 0, 0, 1]))
        + entry(b"eth0", bytes([192, 0, 2, 7]))
        + entry(b"eth0:1", bytes([192, 0, 2, 3]))
        + entry(b"docker0", bytes([172, 17, 0, 1]))
        + entry(b"eth1", bytes([169, 254, 3, 4]))
    )
    assert reachable(parse_ifconf(raw)) == ["192.0.2.3", "192.0.2.7"]


def test_addresses_of_this_machine_are_none_of_its_own() -> None:
    """Whatever this machine has, loopback is not in the list, and asking twice gives the same."""
    host = ThisHost({})
    found = host.addresses()
    assert not any(address.startswith(("127.", "fe80:")) or address == "::1" for address in found)
    assert list(found) == list(host.addresses())


def test_the_full_name_is_taken_from_the_hosts_file(tmp_path: Path) -> None:
    """A short host name becomes the full one that /etc/hosts gives it, without asking the network."""
    short = os.uname().nodename
    if "." in short:
        assert ThisHost({}).name() == short.lower()
        return
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost # {short}.wrong\n192.0.2.1 {short}.Example.com {short}\n")
    assert ThisHost({}, hosts).name() == f"{short.lower()}.example.com"


@pytest.mark.parametrize(
    ("variables", "user"),
    [
        ({"SUDO_USER": "alice", "TERM": "xterm"}, "alice (via sudo)"),
        ({"SUDO_USER": "al\x1bice"}, "al\ufffdice (via sudo)"),
        ({"INVOCATION_ID": "0123"}, "systemd"),
    ],
)
def test_who_is_at_work_is_known(variables: dict[str, str], user: str) -> None:
    """The log says who: a person behind sudo, or the timer."""
    assert ThisHost(variables).user() == user


def test_without_sudo_it_is_the_user() -> None:
    """A person in a shell is named as the system knows them, also below a systemd session."""
    import pwd

    name = pwd.getpwuid(os.geteuid()).pw_name
    assert ThisHost({"INVOCATION_ID": "0123", "TERM": "xterm"}).user() == name


def test_names_resolve_or_do_not() -> None:
    """A name that resolves gives its addresses, another one an empty answer and no exception."""
    host = ThisHost({})
    assert "127.0.0.1" in host.resolve("localhost")
    assert host.resolve("no-such-name.invalid") == ()
    assert host.resolve("ü" * 80) == ()


def test_slow_work_is_left_behind() -> None:
    """What takes too long is not waited for."""
    import threading

    never = threading.Event()
    assert within(0.05, lambda: "late" if never.wait(20) else "", "otherwise") == "otherwise"
    never.set()


def a_process(proc: Path, pid: int, name: str, inode: int) -> None:
    (proc / str(pid) / "fd").mkdir(parents=True)
    (proc / str(pid) / "comm").write_text(f"{name}\n")
    (proc / str(pid) / "fd" / "3").symlink_to(f"socket:[{inode}]")


def test_the_master_that_holds_a_port_is_found(tmp_path: Path) -> None:
    """Of a server's processes the first one is named; a connection to the port is no listener."""
    row = "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0\n"
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(
        "header\n"
        + row.format(local="0100007F:0050", state="01", inode=111)
        + row.format(local="00000000:0050", state="0A", inode=222)
    )
    a_process(tmp_path, 900, "worker", 222)
    a_process(tmp_path, 850, "ngi\x1bnx", 222)
    a_process(tmp_path, 10, "client", 111)
    assert [(str(each), each.address) for each in holders_of(80, tmp_path)] == [
        ("ngi\ufffdnx (process 850)", "0.0.0.0")
    ]
    assert holders_of(81, tmp_path) == ()
    assert holders_of(80, tmp_path / "nowhere") == ()


def test_the_addresses_of_a_port_are_read(tmp_path: Path) -> None:
    """IPv4 and IPv6 addresses are told as people write them, also of a program that cannot be seen."""
    row = "   0: {local} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0\n"
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text("header\n" + row.format(local="0100007F:0050", inode=1))
    (tmp_path / "net" / "tcp6").write_text(
        "header\n"
        + row.format(local="B80D0120000000000000000001000000:0050", inode=2)
        + row.format(local="00000000000000000000000000000000:0050", inode=3)
    )
    a_process(tmp_path, 7, "caddy", 2)
    assert [(each.program, each.address) for each in holders_of(80, tmp_path)] == [
        ("", "127.0.0.1"),
        ("caddy", "2001:db8::1"),
        ("", "::"),
    ]


@pytest.mark.parametrize(
    ("held", "wanted", "in_way", "free"),
    [
        (["127.0.0.1"], "0.0.0.0", ["127.0.0.1"], "192.0.2.10"),
        (["127.0.0.1"], "127.0.0.1", ["127.0.0.1"], "192.0.2.10"),
        (["192.0.2.10"], "0.0.0.0", ["192.0.2.10"], "2001:db8::10"),
        (["0.0.0.0"], "127.0.0.1", ["0.0.0.0"], "2001:db8::10"),
        (["0.0.0.0", "::"], "192.0.2.10", ["0.0.0.0", "::"], None),
        (["::"], "192.0.2.10", ["::"], None),
        (["::1"], "::1", ["::1"], "192.0.2.10"),
    ],
)
def test_another_address_helps_where_one_is_free(
    held: list[str], wanted: str, in_way: list[str], free: str | None
) -> None:
    """What holds a single address leaves the others; what holds all leaves none."""
    holders = [Holder("nginx", 7, address) for address in held]
    assert [each.address for each in in_the_way(holders, wanted)] == in_way
    assert free_address(holders, ["192.0.2.10", "2001:db8::10"]) == free
