"""AppArmor profiles: what they let a program read, by our reading and by that of apparmor_parser."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from core.apparmor.installed import reading
from core.apparmor.policy import FOLDER, Profile, enforced, profiles_in

PROFILE = """\
# A profile of somebody's own.
@{data} = /srv/data/ "/srv/more data/"   # both
@{data} += /srv/extra/
include <abstractions/base>

profile daemon /{usr/,}{bin,sbin}/daemon flags=(attach_disconnected, complain) {
  #include <abstractions/base>
  include if exists <local/daemon>
  capability setuid, capability setgid,
  network inet stream,
  unix (send, receive) type=stream,
  deny signal (send) set=(term, kill) peer=unconfined,
  /etc/daemon.conf r,   # the settings
  @{data}/** rwk,
  owner /run/daemon/key r,
  "/srv/with blank/*" r,
  r /etc/first.pem,
  file r /etc/second.pem,
  /usr/bin/helper rPx -> helper,
  /var/log/daemon.log w,
  deny /srv/data/secret/** r,
  deny owner /srv/data/own/** r,
  audit deny /srv/data/noted/** rw,
  /etc/@{unknown}/x w,
  profile child {
    /etc/child r,
  }
  ^hat {
    /etc/hat r,
  }
  if defined @{data} {
    /etc/conditional r,
  }
}

/usr/sbin/other { /etc/other r, }
"""
FILES = {
    f"{FOLDER}/abstractions/base": ["/etc/base r,\n"],
    f"{FOLDER}/local/daemon": ["/etc/ssl/added/** r,\n"],
}


def read(path: str) -> Sequence[str]:
    return FILES.get(path, ())


def profile_of(text: str, files: Mapping[str, Sequence[str]] | None = None) -> Profile:
    return profiles_in(text, read if files is None else lambda path: files.get(path, ()))[0]


@pytest.mark.parametrize(
    ("path", "may_read"),
    [
        ("/etc/daemon.conf", True),
        ("/etc/base", True),
        ("/etc/ssl/added/key.pem", True),
        ("/etc/ssl/other/key.pem", False),
        ("/srv/data/a/b", True),
        ("/srv/more data/a", True),
        ("/srv/extra/a", True),
        ("/srv/data/secret/a", False),
        ("/srv/data/noted/a", False),
        ("/srv/data/own/a", True),
        ("/run/daemon/key", True),
        ("/srv/with blank/a", True),
        ("/etc/first.pem", True),
        ("/etc/second.pem", True),
        ("/usr/bin/helper", True),
        ("/var/log/daemon.log", False),
        ("/etc/child", False),
        ("/etc/hat", False),
        ("/etc/conditional", True),
        ("/etc/other", False),
    ],
)
def test_rules(path: str, may_read: bool) -> None:
    """Includes, variables, qualifiers and blocks decide as in AppArmor; parts of other programs do not count."""
    assert profile_of(PROFILE).lets_read(path) is may_read


def test_names() -> None:
    """A profile has its name, the programs that it is for, and the file for additions."""
    daemon, other = profiles_in(PROFILE, read)
    assert (daemon.name, daemon.local) == ("daemon", "/etc/apparmor.d/local/daemon")
    assert daemon.is_for(["/usr/sbin/daemon"])
    assert daemon.is_for(["/bin/daemon"])
    assert not daemon.is_for(["/opt/daemon"])
    assert (other.name, other.attachment, other.local) == ("/usr/sbin/other", "/usr/sbin/other", "")
    assert profile_of("profile alone { /a r, }").is_for(["/usr/bin/alone"])


@pytest.mark.parametrize(
    "text",
    [
        "/d { file, }",
        "/d { all, }",
        "/d { something-new of=tomorrow, }",
        "/d { /{srv,etc r, }",
        "/d { /etc/@{unknown}/** r, }",
        "/d { priority=1 allow /etc/** r, priority=0 deny /etc/ssl/** r, }",
        "alias /etc/ -> /mnt/etc/,\n/d { /mnt/** r, }",
    ],
)
def test_what_is_not_certain_allows(text: str) -> None:
    """A rule that is not known, or cannot be read, keeps nobody from anything: there is no warning without reason."""
    assert profile_of(text).lets_read("/etc/ssl/key.pem")


def test_includes_end() -> None:
    """A file that includes itself, and one without end, are read as far as it makes sense."""
    assert not profile_of("/d { include <loop> }", {f"{FOLDER}/loop": ["include <loop>\n/a r,\n"]}).lets_read("/b")
    assert not profile_of("/d {\n" + "capability chown,\n" * 200_000).lets_read("/b")


def test_what_the_kernel_enforces() -> None:
    """Profiles that only complain confine nobody; those that kill do."""
    loaded = "named (enforce)\n/usr/sbin/cupsd//third_party (enforce)\nx y (kill)\nz (complain)\nq (unconfined)\n"
    assert enforced(loaded) == {"named", "/usr/sbin/cupsd//third_party", "x y"}
    assert enforced("") == frozenset()


def _as_parsed(file: Path) -> dict[str, set[str]]:
    """Return the patterns that apparmor_parser lets each profile of a file read; the kernel needs no AppArmor for that."""
    command = ["apparmor_parser", "--skip-kernel-load", "--skip-cache", "-d", "-d", "-d", str(file)]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120).stdout
    found = {}
    for block in re.split(r"^Name:\t+", said, flags=re.MULTILINE)[1:]:
        entries = re.findall(r"^(?:Mode|Perms):\t(\S*).*?\tName:\t\((.*)\)$", block, re.MULTILINE)
        found[block.partition("\n")[0]] = {re.sub("/{2,}", "/", name) for mode, name in entries if "r" in mode}
    return found


@pytest.mark.parametrize(
    "name", ["usr.sbin.named", "usr.sbin.unbound", "usr.sbin.cupsd", "usr.sbin.swanctl", "usr.sbin.charon-systemd"]
)
def test_debian_profiles(name: str) -> None:
    """The profiles of Debian's services allow what apparmor_parser says that they allow, rule for rule."""
    file = Path(FOLDER) / name
    if not shutil.which("apparmor_parser") or not file.exists():
        pytest.skip("this machine has neither apparmor_parser nor this profile")
    theirs = _as_parsed(file)
    read = reading(Path("/"))
    profiles = profiles_in(file.read_text(), read)
    assert {profile.name for profile in profiles} <= set(theirs)
    for profile in profiles:
        ours = {rule.pattern for rule in profile.rules if not rule.is_denied}
        # What a profile allows of AppArmor itself, where it changes to another one, is no rule in its text.
        implied = {each for each in theirs[profile.name] if "apparmor" in each}
        denied = {rule.pattern for rule in profile.rules if rule.is_denied}
        assert ours <= theirs[profile.name]
        assert theirs[profile.name] - implied - denied == ours - implied - denied
