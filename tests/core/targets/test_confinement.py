"""Targets whose service AppArmor keeps from the files: found from the profiles that the kernel enforces."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from core.apparmor.installed import LOADED
from core.config.model import TargetConfig
from core.targets.confinement import hidden, programs_of
from core.targets.resolved import resolved

PROFILES = Path("/etc/apparmor.d")


def box(root: Path, loaded: str, **files: str) -> Path:
    """Make a root folder with what the kernel says, and profiles."""
    place = root / LOADED[1:]
    place.parent.mkdir(parents=True)
    place.write_text(loaded)
    folder = root / "etc/apparmor.d"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return root


def target(folder: str, kind: str = "bind9", **given: object) -> TargetConfig:
    certificate, key = f"{folder}/dns.crt", f"{folder}/dns.key"
    return resolved(TargetConfig(name="dns", kind=kind, certificate=certificate, key=key, **given))  # type: ignore[arg-type]


NAMED = "profile named /usr/sbin/named {\n  /etc/bind/** r,\n  #include <local/usr.sbin.named>\n}\n"


def test_a_folder_that_the_profile_does_not_know(tmp_path: Path) -> None:
    """A target outside of what its service may read is found, with the rule that allows it and the place for the rule."""
    root = box(tmp_path, "named (enforce)\n", named=NAMED)
    found = hidden(target("/etc/ssl/domains"), root)
    assert found is not None
    assert (found.profile, found.file) == ("named", "/etc/apparmor.d/named")
    assert found.sentence == (
        "AppArmor does not allow the service to read /etc/ssl/domains/.certdeck-dns: its profile named is enforced."
    )
    assert found.fix == (
        "Add `/etc/ssl/domains/.certdeck-dns/** r,` to /etc/apparmor.d/local/usr.sbin.named, "
        "then run: apparmor_parser -r /etc/apparmor.d/named"
    )
    (tmp_path / "etc/apparmor.d/local").mkdir()
    (tmp_path / "etc/apparmor.d/local/usr.sbin.named").write_text(f"{found.rules[0]},\n")
    assert hidden(target("/etc/ssl/domains"), root) is None


def test_plain_files_are_named_one_by_one(tmp_path: Path) -> None:
    """Where the paths stay plain files, the rules name them; blanks are quoted, and a profile without additions is named."""
    root = box(tmp_path, "named (enforce)\n", named="profile named /usr/sbin/named { /srv/my\\ dns/dns.crt r, }")
    found = hidden(target("/srv/my dns", mode="copy"), root)
    assert found is not None
    assert found.rules == ('"/srv/my dns/dns.key" r',)
    assert "to the profile named in /etc/apparmor.d/named" in found.fix


@pytest.mark.parametrize(
    ("loaded", "folder", "kind"),
    [
        pytest.param("named (enforce)\n", "/etc/bind/tls", "bind9", id="allowed"),
        pytest.param("named (complain)\n", "/etc/ssl", "bind9", id="complains-only"),
        pytest.param("", "/etc/ssl", "bind9", id="not-loaded"),
        pytest.param("named (enforce)\n", "/etc/ssl", "nginx", id="another-service"),
        pytest.param("named (enforce)\n", "/etc/ssl", "files", id="no-service-known"),
    ],
)
def test_nothing_to_say(tmp_path: Path, loaded: str, folder: str, kind: str) -> None:
    """Nothing is said where the profile allows the files, is not enforced, or is of another service."""
    assert hidden(target(folder, kind), box(tmp_path, loaded, named=NAMED)) is None


def test_a_machine_without_apparmor(tmp_path: Path) -> None:
    """Without AppArmor, and without the right to ask the kernel, nothing is said."""
    assert hidden(target("/etc/ssl"), tmp_path) is None


def test_links_are_followed(tmp_path: Path) -> None:
    """AppArmor looks at where a file really is: a link in the path of a target does not help."""
    (tmp_path / "real").mkdir()
    (tmp_path / "allowed").symlink_to("real")
    text = f"profile named /usr/sbin/named {{ {os.path.realpath(tmp_path)}/allowed/** r, }}"
    root = box(tmp_path / "root", "named (enforce)\n", named=text)
    assert hidden(target(f"{tmp_path}/allowed"), root) is not None


def test_other_files_beside_the_profiles(tmp_path: Path) -> None:
    """What a package manager or an editor left beside the profiles is passed over, as AppArmor does."""
    leftovers = {"named.dpkg-old": NAMED, ".named.swp": NAMED, "named~": NAMED}
    assert hidden(target("/etc/ssl"), box(tmp_path, "named (enforce)\n", **leftovers)) is None


@pytest.mark.parametrize(
    ("reload", "program"),
    [
        (("systemctl", "reload", "named"), "/usr/sbin/named"),
        (("/usr/bin/systemctl", "--no-block", "reload-or-restart", "cups.service"), "/usr/sbin/cupsd"),
        (("swanctl", "--load-creds"), "/usr/sbin/swanctl"),
    ],
)
def test_the_reload_command_tells_the_program(reload: tuple[str, ...], program: str) -> None:
    """The kind `files` knows no service: its reload command tells which one reads."""
    assert program in programs_of(target("/etc/x", "files", reload=reload))


def test_who_reads_for_a_kind() -> None:
    """A kind's own program reads; for strongSwan it is swanctl, which hands the files to the daemon."""
    assert "/usr/sbin/unbound" in programs_of(target("/etc/x", "unbound"))
    swan = programs_of(target("/etc/x", "strongswan", layout="leaf"))
    assert "/usr/sbin/swanctl" in swan
    assert not any("charon" in each for each in swan)


@pytest.mark.parametrize(
    ("kind", "file", "name", "inside"),
    [
        ("bind9", "usr.sbin.named", "named", "/etc/bind"),
        ("unbound", "usr.sbin.unbound", "unbound", "/etc/unbound"),
        ("cups", "usr.sbin.cupsd", "/usr/sbin/cupsd", "/etc/cups/ssl"),
        ("strongswan", "usr.sbin.swanctl", "/usr/sbin/swanctl", "/etc/swanctl/x509"),
    ],
)
def test_debian_services(tmp_path: Path, kind: str, file: str, name: str, inside: str) -> None:
    """By Debian's profiles these services read below their own folder, and not in a folder that certdeck is given in /srv."""
    if not (PROFILES / file).exists():
        pytest.skip("this machine does not have this profile")
    root = box(tmp_path, f"{name} (enforce)\n")
    shutil.rmtree(root / "etc/apparmor.d")
    shutil.copytree(PROFILES, root / "etc/apparmor.d", symlinks=True)
    layout = {"layout": "leaf"} if kind == "strongswan" else {}
    assert hidden(target(inside, kind, **layout), root) is None
    found = hidden(target("/srv/tls", kind, **layout), root)
    assert found is not None
    assert found.local == f"/etc/apparmor.d/local/{file}"
