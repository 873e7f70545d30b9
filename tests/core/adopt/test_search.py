"""Other clients' folders, as the real clients left them: every certificate is found by what it is, and nothing is changed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from core.adopt.found import MOST_HOMES, closed, homes, names_in, read
from core.adopt.search import CLIENTS, found_below, found_on, holders_of, timer, within
from core.store.versions import leaf_sha256
from tests.support.other_clients import unpack

LIVE = {
    "certbot": {
        "plain.example.org",
        "plain.example.org-0001",
        "multi.example.org",
        "wild.example.org",
        "wild.example.org-0001",
        "rsa.example.org",
        "both-rsa",
        "both-ecdsa",
        "renamed-line",
        "staged.example.org",
        "xn--mnchen-3ya.example.org",
        "revoked.example.org",
    },
    "acme.sh": {
        "plain.example.org",
        "multi.example.org",
        "*.wild.example.org",
        "wild.example.org",
        "stand.example.org",
    },
    "lego": {"plain.example.org", "multi.example.org", "_.wild.example.org", "both.example.org", "staged.example.org"},
    "dehydrated": {"plain.example.org", "multi.example.org", "star_wild", "both_rsa", "both_ec"},
    "getssl": {"plain.example.org"},
    "caddy": {
        "plain.example.org",
        "multi.example.org",
        "www.multi.example.org",
        "rsa.example.org",
        "staged.example.org",
    },
    "mod_md": {"multi.example.org", "*.wild.example.org", "staged.example.org"},
    "acmetool": {"plain.example.org"},
    "uacme": {"plain.example.org", "multi.example.org", "wild.example.org", "staged.example.org"},
}
"""Names that each client has a live certificate for; there may be more."""
REVOKED = {"acme.sh", "lego", "dehydrated", "uacme"}
"""Clients that leave a mark on a revoked certificate."""


def _state(root: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            facts = os.lstat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = (facts.st_mtime_ns, facts.st_size, facts.st_mode)
    return found


def test_every_client_is_tried() -> None:
    """Each client that is known has a row here."""
    assert {client.NAME for client in CLIENTS} == set(LIVE)


@pytest.mark.parametrize("client", LIVE)
def test_live_certificates_are_found(client: str, tmp_path: Path) -> None:
    """Everything that the client serves is found, with a key beside it; nothing in its folder changes."""
    root = unpack(client, tmp_path)
    before = _state(root)
    found = [each for each in found_on(root) if not each.revoked]
    assert {each.client for each in found} == {client}
    assert {each.name for each in found} >= LIVE[client]
    for each in found:
        if each.name in LIVE[client]:
            assert leaf_sha256(read(each.certificate) or b"") is not None
            assert each.key is not None
            assert each.key.exists()
    assert _state(root) == before


@pytest.mark.parametrize("client", LIVE)
def test_a_named_folder_belongs_to_one_client(client: str, tmp_path: Path) -> None:
    """A client's own folder, given by name, is read as that client's alone: acmetool's `live/` is not one of certbot's."""
    root = unpack(client, tmp_path)
    bases = {each.base for each in found_on(root)}
    assert bases
    for base in bases:
        assert {each.client for each in found_below(base)} == {client}


@pytest.mark.parametrize("client", LIVE)
def test_marks_of_revocation_are_read(client: str, tmp_path: Path) -> None:
    """A client that marks what it has revoked is believed; the others say nothing."""
    revoked = [each for each in found_on(unpack(client, tmp_path)) if each.revoked]
    assert {each.name for each in revoked} == ({"revoked.example.org"} if client in REVOKED else set())
    assert all(leaf_sha256(read(each.certificate) or b"") for each in revoked)


@pytest.mark.parametrize("client", LIVE)
def test_a_certificate_is_found_by_its_fingerprint(client: str, tmp_path: Path) -> None:
    """Given only a certificate, the client whose folder holds it is named; another certificate is in none."""
    root = unpack(client, tmp_path)
    wanted = next(each for each in found_on(root) if each.name in LIVE[client] and not each.revoked)
    sha256 = leaf_sha256(read(wanted.certificate) or b"")
    assert sha256 is not None
    assert wanted in holders_of(root, sha256)
    assert holders_of(root, "00:" * 31 + "00") == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs folders of another account")
def test_folders_that_are_closed_are_told(tmp_path: Path) -> None:
    """Another account sees none of certbot's certificates, but which folders it may not look into; root sees all of it."""
    base = unpack("certbot", tmp_path) / "etc/letsencrypt"
    for each in (*base.parents, base):
        if not each.stat().st_mode & 0o001:
            each.chmod(0o755)
    assert list(closed(base)) == []
    os.seteuid(54321)
    try:
        assert base / "live" in closed(base)
        assert list(found_below(base)) == []
        assert list(closed(base / "live/plain.example.org")) == [base / "live"]
        assert list(closed(base / "nothing")) == []
    finally:
        os.seteuid(0)


def test_the_line_of_a_crontab_is_shown(tmp_path: Path) -> None:
    """acme.sh's own crontab line is found, and how to switch it off."""
    found = timer(unpack("acme.sh", tmp_path), "acme.sh")
    assert found is not None
    assert found.line == '3 6 * * * "/root/.acme.sh"/acme.sh --cron --home "/root/.acme.sh" > /dev/null'
    assert found.off == "/root/.acme.sh/acme.sh --uninstall-cronjob"


def test_a_timer_that_is_on_comes_first(tmp_path: Path) -> None:
    """Of certbot's systemd timer and its line for cron the one that works is named; without systemd's link it is the line."""
    (tmp_path / "etc/cron.d").mkdir(parents=True)
    line = "0 */12 * * * root test -x /usr/bin/certbot -a \\! -d /run/systemd/system && certbot -q renew"
    (tmp_path / "etc/cron.d/certbot").write_text(f"# certbot\nSHELL=/bin/sh\n{line}\n")
    found = timer(tmp_path, "certbot")
    assert found is not None
    assert (found.file, found.line) == (tmp_path / "etc/cron.d/certbot", line)

    (tmp_path / "lib/systemd/system").mkdir(parents=True)
    (tmp_path / "lib/systemd/system/certbot.timer").write_text("[Timer]\nOnCalendar=*-*-* 00,12:00:00\n")
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert timer(tmp_path, "certbot") is None, "it is switched off, and the line does nothing here"
    (tmp_path / "etc/systemd/system/timers.target.wants").mkdir(parents=True)
    (tmp_path / "etc/systemd/system/timers.target.wants/certbot.timer").symlink_to("/lib/systemd/system/certbot.timer")
    found = timer(tmp_path, "certbot")
    assert found is not None
    assert found.off == "systemctl disable --now certbot.timer"


def test_another_word_is_no_timer(tmp_path: Path) -> None:
    """A program whose name only contains a client's is not taken for it."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/crontab").write_text("0 1 * * * root /opt/legolas --run\n")
    assert timer(tmp_path, "lego") is None


def test_a_box_without_clients_has_none(tmp_path: Path) -> None:
    """Nothing there, files in the place of folders, and pipes: nothing is found and nothing waits."""
    assert list(found_on(tmp_path)) == []
    (tmp_path / "etc/letsencrypt/live/x").mkdir(parents=True)
    os.mkfifo(tmp_path / "etc/letsencrypt/live/x/fullchain.pem")
    (tmp_path / "root").write_text("no folder")
    assert holders_of(tmp_path, "AA") == ()


def test_a_folder_of_many_homes_has_an_end(tmp_path: Path) -> None:
    """Of `/home` with thousands of users a bounded number is looked at, and of any folder a bounded number of names."""
    for number in range(MOST_HOMES + 50):
        (tmp_path / "home" / f"user{number}").mkdir(parents=True)
    assert len(list(homes(tmp_path))) == MOST_HOMES + 1
    assert len(names_in(tmp_path / "home", 7)) == 7


def test_a_server_of_homes_that_hangs_is_left() -> None:
    """A look that does not end is left after its time."""
    forever = threading.Event()
    try:
        assert not within(forever.wait, 0.05)
    finally:
        forever.set()
    assert within(lambda: None, 10.0)
