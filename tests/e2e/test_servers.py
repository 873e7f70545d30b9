"""The real servers that other tests drive do what their fixtures promise."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.support.authority import Authority
from tests.support.nginx import NginxServer
from tests.support.pebble import WITH_SHORTLIVED, PebbleServer
from tests.support.programs import NotThere, Program, free_port, wait_until
from tests.support.tmux import Terminal

pytestmark = pytest.mark.e2e

EAB_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def _get(url: str, ca: Path) -> Any:
    with urllib.request.urlopen(url, context=ssl.create_default_context(cafile=str(ca)), timeout=5) as answer:  # noqa: S310 - ours
        return json.load(answer)


def test_pebble_offers_a_directory(pebble: PebbleServer) -> None:
    """A running Pebble shows its ACME directory over HTTPS that `ca_pem` vouches for, with ARI in it."""
    directory = _get(pebble.directory_url, pebble.ca_pem)
    assert {"newNonce", "newAccount", "newOrder", "revokeCert", "keyChange", "renewalInfo"} <= directory.keys()
    assert list(directory["meta"]["profiles"]) == ["default"]
    assert directory["meta"]["externalAccountRequired"] is False


def test_pebble_takes_options(pebbles: Callable[..., PebbleServer]) -> None:
    """Options reach the server: profiles, external account binding, alternate roots."""
    server = pebbles(
        profiles=WITH_SHORTLIVED,
        eab_keys={"kid-1": EAB_KEY},
        alternate_roots=1,
    )
    meta = _get(server.directory_url, server.ca_pem)["meta"]
    assert sorted(meta["profiles"]) == ["default", "shortlived"]
    assert meta["externalAccountRequired"] is True
    roots = [x509.load_pem_x509_certificate(server.root_pem(index)) for index in (0, 1)]
    assert roots[0] != roots[1]


def test_equal_options_share_a_pebble(pebbles: Callable[..., PebbleServer], pebble: PebbleServer) -> None:
    """Asking twice for the same options gives the same server, and others give another."""
    assert pebbles() is pebble
    assert pebbles(nonce_reject=40) is not pebble
    assert pebbles(nonce_reject=40) is pebbles(nonce_reject=40)


def test_challtestsrv_keeps_records(pebble: PebbleServer, fresh_name: Callable[[str], str]) -> None:
    """Every kind of record can be set and cleared again without an error."""
    name = fresh_name("records")
    pebble.add_a(name, "127.0.0.2", "127.0.0.3")
    pebble.add_aaaa(name, "::1")
    pebble.add_caa(name, "issue", "pebble.letsencrypt.org")
    pebble.set_cname(f"www.{name}", name)
    pebble.set_txt(f"_acme-challenge.{name}", "one")
    pebble.set_txt(f"_acme-challenge.{name}", "two")
    pebble.set_servfail(f"broken.{name}")
    pebble.clear_a(name)
    pebble.clear_aaaa(name)
    pebble.clear_caa(name)
    pebble.clear_cname(f"www.{name}")
    pebble.clear_txt(f"_acme-challenge.{name}")
    pebble.clear_servfail(f"broken.{name}")


def test_pebble_management_refuses_strangers(pebble: PebbleServer, authority: Authority) -> None:
    """A certificate that this CA did not issue is refused by name, not silently taken."""
    now = datetime.now(UTC)
    with pytest.raises(AssertionError, match="set-renewal-info"):
        pebble.set_renewal_info(authority.leaf(["a.example.com"]).certificate_pem, now, now + timedelta(days=1))
    with pytest.raises(AssertionError, match="404"):
        pebble.certificate_status(1)


def test_nginx_serves_and_reloads(nginx: NginxServer, authority: Authority) -> None:
    """nginx serves what is in its files at the start and, after the reload command, what is there then."""
    before = nginx.served_sha256()
    leaf = authority.leaf(["box.example.com"])
    leaf.write(nginx.certificate, nginx.key)
    assert nginx.served_sha256() == before != leaf.sha256
    subprocess.run(nginx.test_command, check=True, capture_output=True)
    subprocess.run(nginx.reload_command, check=True, capture_output=True)
    nginx.wait_served(leaf.sha256)


def test_nginx_breaks_and_mends(nginx: NginxServer) -> None:
    """With a broken configuration test and reload fail while the server goes on, until it is fixed."""
    before = nginx.served_sha256()
    nginx.break_config()
    assert subprocess.run(nginx.test_command, check=False, capture_output=True).returncode == 1
    assert subprocess.run(nginx.reload_command, check=False, capture_output=True).returncode == 1
    assert nginx.served_sha256() == before
    nginx.mend_config()
    assert subprocess.run(nginx.test_command, check=False, capture_output=True).returncode == 0


def test_nginx_serves_a_webroot(nginxes: Callable[..., NginxServer], tmp_path: Path) -> None:
    """With a plain port and a webroot nginx hands out the files below it, as HTTP-01 needs it."""
    challenge = tmp_path / "www" / ".well-known" / "acme-challenge" / "token"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("token.thumbprint")
    server = nginxes(http_port=free_port(), webroot=tmp_path / "www")
    url = f"http://127.0.0.1:{server.http_port}/.well-known/acme-challenge/token"
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.read() == b"token.thumbprint"


def test_nginx_stops(nginxes: Callable[..., NginxServer]) -> None:
    """A stopped nginx answers nothing and can be started again."""
    server = nginxes()
    server.stop()
    assert not server.is_running
    with pytest.raises(OSError, match="refused"):
        server.served_sha256()
    server.start()
    assert server.is_running


def test_program_that_ends_tells_why(tmp_path: Path) -> None:
    """Waiting for a program that died at once shows its own words instead of running into the time limit."""
    program = Program([sys.executable, "-c", "raise SystemExit('no such configuration')"], tmp_path / "log")
    with pytest.raises(NotThere, match="no such configuration"):
        program.wait_for_port(free_port())
    program.stop()


SHELL = ["sh", "-c", 'echo "size $(stty size) home $CERTDECK_HOME"; while read -r line; do echo "got <$line>"; done']


def test_terminal_types_and_reads(terminals: Callable[..., Terminal], home: Path) -> None:
    """What is typed arrives, the screen is read back, and the program has the size and the environment asked for."""
    terminal = terminals(SHELL, columns=100, rows=30)
    terminal.wait_for("size 30 100")
    assert str(home) in terminal.screen().replace("\n", "")
    terminal.type("a; 'b' $HOME")
    terminal.press("Enter")
    terminal.wait_for("got <a; 'b' $HOME>")
    terminal.press("C-d")
    assert terminal.wait_exit() == 0
    assert terminal.shows(re.compile("got <a"))


def test_terminal_gives_up_with_the_screen(terminals: Callable[..., Terminal]) -> None:
    """Waiting in vain fails with what the screen shows, so that a failure can be understood from the log."""
    terminal = terminals(["sh", "-c", "echo the last words; exit 3"])
    terminal.wait_for("the last words")  # tmux may see the end before it has drawn what came before
    assert terminal.wait_exit() == 3
    with pytest.raises(NotThere, match="the last words"):
        terminal.wait_for("something else", timeout=0.1)


def test_terminal_resizes_and_copies(terminals: Callable[..., Terminal]) -> None:
    """A program hears of a new size, and what it copies with OSC 52 can be looked at."""
    program = "import base64,os,signal,sys,time\n"
    program += "signal.signal(signal.SIGWINCH, lambda *_: print('now', *os.get_terminal_size(), flush=True))\n"
    program += "print('\\033]52;c;' + base64.b64encode(b'copied words').decode() + '\\007ready', flush=True)\n"
    program += "while True: signal.pause()\n"
    terminal = terminals([sys.executable, "-c", program])
    terminal.wait_for("ready")
    assert terminal.clipboard == "copied words"
    terminal.resize(120, 40)
    terminal.wait_for("now 120 40")


def test_terminal_hangs_up(terminals: Callable[..., Terminal], tmp_path: Path) -> None:
    """Closing a terminal reaches the program as SIGHUP, as a dropped SSH session does."""
    told = tmp_path / "told"
    program = "import pathlib,signal,sys\n"
    program += (
        f"signal.signal(signal.SIGHUP, lambda *_: (pathlib.Path({str(told)!r}).write_text('hung up'), sys.exit()))\n"
    )
    program += "print('ready', flush=True)\nsignal.pause()\n"
    terminal = terminals([sys.executable, "-c", program])
    terminal.wait_for("ready")
    terminal.close()
    wait_until(told.exists, "SIGHUP")


def test_terminal_tells_a_signal(terminals: Callable[..., Terminal]) -> None:
    """A program that a signal ended has the exit status that a shell would show."""
    terminal = terminals(["sh", "-c", "kill -TERM $$"])
    assert terminal.wait_exit() == 128 + signal.SIGTERM


def test_authority_makes_what_clients_accept(nginxes: Callable[..., NginxServer], tmp_path: Path) -> None:
    """A leaf of the throwaway authority passes a real client's verification against its root, by name and by address."""
    authority = Authority.new()
    leaf = authority.leaf(["localhost", "127.0.0.1"], key="rsa-2048")
    leaf.write(tmp_path / "c.pem", tmp_path / "k.pem")
    server = nginxes(certificate=tmp_path / "c.pem", key=tmp_path / "k.pem")
    (tmp_path / "root.pem").write_bytes(authority.root_pem)
    context = ssl.create_default_context(cafile=str(tmp_path / "root.pem"))
    for host in ("localhost", "127.0.0.1"):
        with urllib.request.urlopen(f"https://{host}:{server.port}/", context=context, timeout=5) as answer:
            assert answer.status == 200
    der = ssl.PEM_cert_to_DER_cert(leaf.certificate_pem.decode())
    assert leaf.sha256 == hashlib.sha256(der).digest().hex(":").upper() == server.served_sha256()
