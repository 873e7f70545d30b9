"""certdeck without root: an account of its own that has one capability or none, and keys that the service's group reads."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.command import Answer, environment_for
from tests.support.pebble import PebbleServer
from tests.support.programs import ROOT, find_program, free_port
from tests.support.relay import Relay

PYTHON = "/usr/bin/python3"
"""One that every account can run, which the environment of the tests need not be."""


def _fits() -> bool:
    asked = [PYTHON, "-c", "import sys; print(*sys.version_info[:2])"]
    if os.getuid() != 0 or not Path(PYTHON).exists():
        return False
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split() == [
        str(each) for each in sys.version_info[:2]
    ]


pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not _fits(), reason="changing accounts takes root, and a Python of the system like that of the tests"
    ),
]

ACCOUNT, GROUP, SERVICE, STRANGER = "daemon", "www-data", "www-data", "nobody"
"""certdeck's account is a member of the group of the service."""
PORT_CAPABILITY = (
    "--inh-caps=-all,+net_bind_service",
    "--ambient-caps=-all,+net_bind_service",
    "--bounding-set=-all,+net_bind_service",
)
NOTHING = ("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other accounts can reach."""
    folder = Path(tempfile.mkdtemp(prefix="certdeck-privileges-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def box(place: Path) -> Path:
    """The home of an account without root, and the folder of a service that it may write in."""
    for name in ("home", "service"):
        (place / name).mkdir(mode=0o750)
        shutil.chown(place / name, ACCOUNT, GROUP)
    return place / "home"


def low_port() -> int:
    """Return a free port that takes a privilege."""
    for port in range(1023, 600, -1):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port below 1024 is free")


@pytest.fixture
def pebble_at(tmp_path: Path, place: Path) -> Iterator[Callable[[int], PebbleServer]]:
    """Start a CA that asks for HTTP-01 at a port."""
    running: list[PebbleServer] = []

    def start(port: int) -> PebbleServer:
        server = PebbleServer(tmp_path / "pebble")
        server.http01_port = port
        running.append(server)
        server.start()
        shutil.copyfile(server.ca_pem, place / "ca.pem")
        (place / "ca.pem").chmod(0o644)
        return server

    yield start
    for server in running:
        server.stop()


def configure(home: Path, pebble: PebbleServer, port: int) -> None:
    """Write the settings: the CA, the port, and a target whose reload tells what it may do."""
    service = home.parent / "service"
    etc = home / "etc"
    etc.mkdir()
    (etc / "certdeck.toml").write_text(
        f'[issuers.ca]\ndirectory = "{pebble.directory_url}"\nca_bundle = "{home.parent / "ca.pem"}"\nagree_tos = true\n'
        f'[defaults]\nissuer = "ca"\n[http01]\naddress = "127.0.0.1"\nport = {port}\n'
        f'[targets.web]\ncertificate = "{service / "cert.pem"}"\nkey = "{service / "key.pem"}"\n'
        f'group = "{GROUP}"\nfile_mode = "0640"\n'
        f'reload = ["cp", "--remove-destination", "/proc/self/status", "{service / "status"}"]\n'
    )
    for path in (etc, etc / "certdeck.toml"):
        shutil.chown(path, ACCOUNT, ACCOUNT)
    etc.chmod(0o700)


def certdeck(home: Path, privileges: tuple[str, ...], *argv: str) -> Answer:
    """Run a command as the account, with these privileges and no way to more."""
    packages = next(each for each in sys.path if each.endswith("site-packages"))
    become = [
        "setpriv",
        f"--reuid={ACCOUNT}",
        f"--regid={ACCOUNT}",
        "--groups",
        _gid(GROUP),
        "--no-new-privs",
        *privileges,
    ]
    env = environment_for(home, PYTHONPATH=f"{ROOT}:{packages}", PYTHONDONTWRITEBYTECODE="1")
    script = "from tui.__main__ import program; program()"
    done = subprocess.run(
        [*become, PYTHON, "-c", script, *argv],
        check=False,
        cwd="/",
        env=env,
        capture_output=True,
        text=True,
        timeout=90,
    )
    return Answer(status=done.returncode, out=done.stdout, err=done.stderr)


def _gid(name: str) -> str:
    import grp

    return str(grp.getgrnam(name).gr_gid)


def can_read(account: str, path: Path) -> bool:
    """Tell whether an account can read a file, in its own group alone."""
    argv = [
        "setpriv",
        f"--reuid={account}",
        "--regid",
        _gid("nogroup" if account == "nobody" else account),
        "--clear-groups",
    ]
    return subprocess.run([*argv, find_program("cat"), path], check=False, capture_output=True).returncode == 0


def capabilities(home: Path) -> int:
    """Return what the reload command of the target was allowed."""
    text = (home.parent / "service" / "status").read_text()
    return int(text.partition("CapEff:\t")[2].partition("\n")[0], 16)


def works(home: Path, privileges: tuple[str, ...], domain: str) -> None:
    """Issue, renew and check; the service reads its key, a stranger does not; nothing belongs to root."""
    for argv in (
        ("issue", "-d", domain, "--name", "shop", "--no-rehearsal", "--target", "web"),
        ("--renew", "--force"),
        ("self-check",),
        ("status", "shop"),
    ):
        answer = certdeck(home, privileges, *argv)
        assert answer.status == 0, answer.out + answer.err
    key = home.parent / "service" / "key.pem"
    assert can_read(SERVICE, key)
    assert not can_read(STRANGER, key)
    assert not can_read(SERVICE, home / "state" / "live" / "shop" / "privkey.pem")
    owners = {path.lstat().st_uid for path in home.rglob("*")}
    assert 0 not in owners


def test_an_account_with_the_port_capability(
    box: Path, pebble_at: Callable[[int], PebbleServer], fresh_name: Callable[[str], str]
) -> None:
    """With CAP_NET_BIND_SERVICE alone it answers HTTP-01 on a low port, deploys and renews; without it the refusal says how."""
    port = low_port()
    configure(box, pebble_at(port), port)
    domain = fresh_name("own")
    refused = certdeck(box, NOTHING, "issue", "-d", domain, "--name", "shop", "--no-rehearsal", "--json")
    assert (refused.status, refused.error["code"]) == (1, "port-unavailable"), refused.out
    assert "CAP_NET_BIND_SERVICE" in refused.error["fix"]
    works(box, PORT_CAPABILITY, domain)
    assert capabilities(box) & ~(1 << 10) == 0


def test_an_account_behind_a_redirected_port(
    box: Path, pebble_at: Callable[[int], PebbleServer], fresh_name: Callable[[str], str]
) -> None:
    """Without any capability it listens on a high port that the CA's port is redirected to."""
    port = free_port()
    pebble = pebble_at(low_port())
    configure(box, pebble, port)
    with Relay(port, pebble.http01_port) as relay:
        works(box, NOTHING, fresh_name("own"))
        assert relay.passed > 0
    assert capabilities(box) == 0
