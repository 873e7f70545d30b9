"""A restore onto folders in which something is mounted is refused before anything is changed."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from core.paths import Paths
from core.store.switchover import mounted
from tests.support.command import ROOT, SCRIPT, process


def test_what_is_mounted_is_found(tmp_path: Path) -> None:
    """Entries that would be moved count, through links to the folder too; the log and others that stay do not."""
    paths = Paths(tmp_path / "link", tmp_path / "state", tmp_path / "run", tmp_path / "state" / "log")
    (tmp_path / "etc").mkdir()
    (tmp_path / "link").symlink_to("etc")
    (tmp_path / "etc" / "certdeck.toml").touch()
    (tmp_path / "state" / "log").mkdir(parents=True)
    mounts = {"/", str(tmp_path / "etc" / "certdeck.toml"), str(tmp_path / "state" / "log"), str(tmp_path / "state")}
    assert mounted(paths, mounts) == (tmp_path / "link" / "certdeck.toml",)
    assert mounted(paths, {"/"}) == ()


def test_a_restore_over_a_mounted_file_changes_nothing(home: Path, tmp_path: Path) -> None:
    """With a file given to a container as a mount, the restore names it, and nothing has moved."""
    assert process("first-boot", "--hostname", "box.example.com", home=home).status == 0
    (home / "etc" / "certdeck.toml").touch()
    secret = tmp_path / "secret"
    secret.write_text("correct horse battery staple")
    backup = tmp_path / "box.backup"
    given = ["--passphrase-file", str(secret)]
    assert process("backup", "--out", str(backup), *given, home=home).status == 0
    ours, theirs = tmp_path / "ours.toml", home / "etc" / "certdeck.toml"
    ours.write_text("")
    before = sorted(path.name for path in (*(home / "etc").iterdir(), *(home / "state").iterdir()))
    command = shlex.join([*SCRIPT, "restore", str(backup), *given, "--replace", "--json"])
    dry = shlex.join([*SCRIPT, "restore", str(backup), *given, "--dry-run", "--json"])
    script = f"mount --bind {ours} {theirs} && export CERTDECK_HOME={home} && {dry} && {command}; echo status=$?"
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if ran.returncode or "mount:" in ran.stderr:
        pytest.skip(f"no mount namespace here: {ran.stderr.strip()}")
    assert "status=1" in ran.stdout, ran.stdout + ran.stderr
    assert '"in-use"' in ran.stdout
    assert "is a mount point: certdeck would refuse the restore" in ran.stdout
    assert str(theirs) in ran.stdout
    assert sorted(path.name for path in (*(home / "etc").iterdir(), *(home / "state").iterdir())) == before
